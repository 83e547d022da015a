//! What was acknowledged survives the death of the process.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use crate::world::{a_registration, at, connect, default_collection, register};

const FOLDER: &str = "LECTERN_TEST_KILL_FOLDER";
const ACKNOWLEDGED: &str = "acknowledged ";
const ROUNDS: u64 = 3;
const WRITES: u64 = 40;

fn url(folder: &Path) -> String {
    format!("embedded://{}/lectern.db", folder.display())
}

/// The victim: registers documents for ever and says so after each.
#[tokio::test]
#[ignore = "started and killed by `acknowledged_writes_survive_kill_9`"]
async fn victim() {
    let folder = std::env::var_os(FOLDER).expect("the parent names the folder");
    let tables = connect(&url(Path::new(&folder))).await;
    let tenant = "acme".parse().unwrap();
    let listed = tables.collections().get(&tenant, &default_collection()).await.unwrap();
    let first = listed.unwrap().document_count;
    for seed in first.. {
        register(&tables, &a_registration(&tenant, seed)).await;
        println!("\n{ACKNOWLEDGED}{seed}");
    }
}

#[tokio::test]
async fn acknowledged_writes_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let tenant = "acme".parse().unwrap();
    let tables = connect(&url(folder.path())).await;
    let collection = lectern_tables::collections::Collection::new(
        "acme".parse().unwrap(),
        default_collection(),
        "Default".into(),
        at(0),
    );
    tables.collections().create_if_absent(&collection).await.unwrap();
    drop(tables);
    for _ in 0..ROUNDS {
        let last = kill_after_writes(folder.path());
        let tables = connect(&url(folder.path())).await;
        for seed in 0..=last {
            let found = register(&tables, &a_registration(&tenant, seed)).await;
            assert!(!found.created, "document {seed} of {last} was lost");
        }
        let collection = tables.collections().get(&tenant, &default_collection()).await.unwrap();
        assert!(collection.unwrap().document_count > last, "a transaction was torn");
    }
}

/// Starts the victim, kills it after some writes; returns the number of the last it acknowledged.
fn kill_after_writes(folder: &Path) -> u64 {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::victim", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut written = lines.filter_map(|line| line.strip_prefix(ACKNOWLEDGED)?.parse().ok());
    let first: u64 = written.next().expect("the victim writes");
    let last = written.by_ref().find(|seed| *seed >= first + WRITES);
    // SIGKILL, while the next write is under way.
    victim.kill().unwrap();
    let read_later = written.last();
    victim.wait().unwrap();
    read_later.or(last).expect("the victim wrote enough")
}
