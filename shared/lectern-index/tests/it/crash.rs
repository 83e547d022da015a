//! What the embedded index acknowledged survives `kill -9`.
//!
//! The test starts itself again as a child that writes batches and prints each acknowledgement; it kills
//! the child after some of them, opens the directory and looks for every acknowledged point.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use lectern_core::{
    passage::PointId,
    ports::{PassageReader, PassageWriter},
};
use lectern_index::Edge;
use lectern_testkit::index_contract::{a_passage, a_point, a_tenant, everything};

/// Tells the child where to write; its first document number stands behind the directory.
const DIRECTORY: &str = "LECTERN_TEST_CRASH_DIRECTORY";
const FIRST: &str = "LECTERN_TEST_CRASH_FIRST";
const CHUNKS: u32 = 40;

#[tokio::test]
#[ignore = "the child of `acknowledged_points_survive_kill_9`, which starts it"]
async fn child_writes_until_it_is_killed() {
    let directory = std::env::var_os(DIRECTORY).expect("started by the parent");
    let first: u64 = std::env::var_os(FIRST).unwrap().to_str().unwrap().parse().unwrap();
    let edge = Edge::open(directory, super::contract_settings()).await.unwrap();
    let tenant = a_tenant("crash");
    for document in first.. {
        let chunks = 0..CHUNKS;
        let points =
            chunks.map(|ordinal| a_point(a_passage(&tenant, document, 1, ordinal), 0.1, 1.0));
        edge.upsert(points.collect()).await.unwrap();
        if document % 5 == 0 {
            edge.flush().await.unwrap();
        }
        // A line of its own, whatever the test harness printed before.
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {document}").unwrap();
        out.flush().unwrap();
    }
}

/// Returns the last document the child acknowledged before it was killed, after `lines` of them.
fn write_and_kill(directory: &Path, first: u64, lines: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged = output.filter_map(|line| {
        line.strip_prefix("acknowledged ").and_then(|document| document.parse::<u64>().ok())
    });
    let before = acknowledged.by_ref().take(lines).last().expect("the child wrote nothing");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it printed between the last line read and its death was acknowledged as well.
    acknowledged.last().unwrap_or(before)
}

#[tokio::test]
async fn acknowledged_points_survive_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let tenant = a_tenant("crash");
    let mut next = 1;
    for lines in [1, 7, 3, 12] {
        let last = write_and_kill(directory.path(), next, lines);
        let edge = Edge::open(directory.path(), super::contract_settings()).await.unwrap();
        let found = all_ids(&edge).await;
        for document in 1..=last {
            for ordinal in 0..CHUNKS {
                let id = a_passage(&tenant, document, 1, ordinal).point_id();
                assert!(found.binary_search(&id).is_ok(), "chunk {ordinal} of {document} is lost");
            }
        }
        // The batch under way may be there or not; nothing else may.
        let written = usize::try_from(last * u64::from(CHUNKS)).unwrap();
        assert!((written..=written + CHUNKS as usize).contains(&found.len()), "{}", found.len());
        next = last + 1;
    }
}

async fn all_ids(edge: &Edge) -> Vec<PointId> {
    let mut ids = Vec::new();
    let mut from = None;
    loop {
        let page = edge.scroll(&everything(&a_tenant("crash")), from, 1_000).await.unwrap();
        ids.extend(page.points.iter().map(|point| point.passage.point_id()));
        from = page.next;
        if from.is_none() {
            return ids;
        }
    }
}
