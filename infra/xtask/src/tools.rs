//! Programs from PyPI that check the stack and stand in for AWS, in a virtual environment of the workspace's own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::steps;

/// Where they are, relative to the root.
const FOLDER: &str = "target/tools";
/// Which, with their versions.
const REQUIREMENTS: &str = "infra/requirements.txt";
/// Holds the requirements that were installed.
const INSTALLED: &str = "installed.txt";

/// Makes sure that the tools are there, in the versions wanted.
pub(crate) fn require(root: &Path, install: bool) -> Result<()> {
    let wanted = fs::read_to_string(root.join(REQUIREMENTS))
        .with_context(|| format!("{REQUIREMENTS} is gone"))?;
    let stamp = root.join(FOLDER).join(INSTALLED);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !install {
        bail!("the tools of {REQUIREMENTS} are not installed: cargo xtask test --install");
    }
    steps::step("install the tools from PyPI", || {
        steps::run(Command::new("python3").args(["-m", "venv"]).arg(root.join(FOLDER)))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        steps::run(python(root).args(pip).arg("--requirement").arg(root.join(REQUIREMENTS)))?;
        fs::write(&stamp, &wanted).context("the tools' folder cannot be written")
    })
}

/// Returns the environment's Python, to be run in `root`.
pub(crate) fn python(root: &Path) -> Command {
    tool(root, "python")
}

/// Returns one of the programs, to be run in `root`. It finds the others, and sends nobody what it is used for.
pub(crate) fn tool(root: &Path, name: &str) -> Command {
    let folder = folder(root);
    let mut command = Command::new(folder.join(name));
    command.current_dir(root).env("SAM_CLI_TELEMETRY", "0");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let joined = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path)));
    if let Ok(joined) = joined {
        command.env("PATH", joined);
    }
    command
}

/// Returns the folder of the programs.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join(FOLDER).join("bin")
}
