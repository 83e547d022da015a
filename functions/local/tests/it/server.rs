//! `lectern serve`, and the same commands against it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    BACKUP,
    lectern::{Lectern, OK},
};

/// A server in a process of its own, killed when dropped.
struct Server {
    process: Child,
    url: String,
    key: Option<String>,
}

impl Server {
    /// Starts and returns when it says where it listens.
    fn start(lectern: &Lectern, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--addr", "127.0.0.1:0"], arguments].concat();
        let mut command = lectern.command(&arguments);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut key = None;
        for line in BufReader::new(process.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, shown)) = line.split_once("API key (shown once): ") {
                key = Some(shown.to_owned());
            }
            if let Some((_, url)) = line.split_once("listens at ") {
                return Self { process, url: url.to_owned(), key };
            }
        }
        panic!("the server ended without listening: {:?}", process.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn commands_talk_to_a_server_with_its_key_and_not_without() {
    let lectern = Lectern::new();
    lectern.file("docs/backup.md", BACKUP.as_bytes());
    let server = Server::start(&lectern, &[]);
    let key = server.key.clone().unwrap();

    let locked = lectern.run(&["search", "x"]);
    assert_eq!(locked.code, 1);
    let address = format!("talk to it with `--api {}`", server.url);
    assert!(locked.err.contains(&address), "the directory is in use: {locked:?}");

    let denied = lectern.run(&["search", "x", "--api", &server.url]);
    assert_eq!(denied.code, 1);
    assert!(denied.err.contains("Not authenticated"), "{denied:?}");

    let env = [("LECTERN_API_URL", server.url.as_str()), ("LECTERN_API_KEY", key.as_str())];
    let ingested = lectern.run_with(&["ingest", "docs"], &env);
    assert!(ingested.out.starts_with("1 accepted"), "{ingested:?}");
    let asked = lectern.run_with(&["ask", "When do backups run?", "--json"], &env);
    assert_eq!(asked.code, OK, "{asked:?}");
    let answer: Value = serde_json::from_str(&asked.out).unwrap();
    assert!(answer["answer"].as_str().unwrap().contains("03:00 UTC"), "{answer}");
    let healthy = lectern.run_with(&["doctor"], &env);
    assert_eq!(healthy.code, OK, "{healthy:?}");
    let wrong_key = lectern.run(&["doctor", "--api", &server.url, "--key", "lk_wrong"]);
    assert!(wrong_key.code == 1 && wrong_key.out.contains("FAIL  key"), "{wrong_key:?}");
}

#[cfg(unix)]
#[test]
fn a_server_ends_cleanly_and_leaves_the_directory_free() {
    let lectern = Lectern::new();
    lectern.file("docs/backup.md", BACKUP.as_bytes());
    let mut server = Server::start(&lectern, &["docs", "--open"]);
    let open = lectern.run(&["documents", "list", "--api", &server.url]);
    assert_eq!(open.code, OK, "{open:?}");
    assert!(lectern.path("data/address").exists());
    let pid = server.process.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert!(server.process.wait().unwrap().success());
    assert!(!lectern.path("data/address").exists(), "who stops listening says so");
    // Whatever was accepted is there; what waits is done by the next command that runs a worker.
    assert_eq!(lectern.run(&["ingest", "docs"]).code, OK);
    let asked = lectern.run(&["ask", "When do backups run?"]);
    assert!(asked.out.contains("03:00 UTC"), "{asked:?}");
}
