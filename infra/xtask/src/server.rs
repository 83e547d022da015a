//! The built `lectern serve`, for tests that ask it from outside.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// What the server writes when it is ready, before its address.
const READY: &str = "listens at ";

/// A running server over an empty data directory; killed, and its directory removed, when dropped.
pub(crate) struct Server {
    child: Child,
    data: PathBuf,
    /// Its address, `http://127.0.0.1:…`.
    pub(crate) url: String,
}

impl Server {
    /// Starts `lectern` on a free port, open to everybody on this machine, without a model.
    pub(crate) fn open(lectern: &mut Command) -> Result<Self> {
        let data = std::env::temp_dir().join(format!("lectern-pages-{}", std::process::id()));
        Self::start(lectern.arg("--data").arg(&data), &["--open"], data)
    }

    /// Starts `lectern`, which knows its data directory, on a free port without a model. The directory is removed at the end.
    pub(crate) fn start(lectern: &mut Command, arguments: &[&str], data: PathBuf) -> Result<Self> {
        let mut child = lectern
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(arguments)
            .env("LECTERN_EMBEDDER", "none")
            .stderr(Stdio::piped())
            .spawn()
            .context("could not start the server")?;
        let stderr = child.stderr.take().context("the server has no standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut told = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            if let Some((_, url)) = line.split_once(READY) {
                let url = url.trim().to_owned();
                // Somebody must read on, or the server would wait for the pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { child, data, url });
            }
            told.push(line);
        }
        bail!("the server ended before it listened: {}", told.join("\n"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_ok() {
            drop(std::fs::remove_dir_all(&self.data));
        }
    }
}
