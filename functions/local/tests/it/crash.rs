//! `kill -9` at random moments loses nothing and repeats nothing.

use std::{collections::BTreeMap, time::Duration};

use crate::process::Server;

const DOCUMENTS: usize = 200;
const KILLS: usize = 50;
const SEED: u64 = 20_261_121;

fn text(number: usize) -> String {
    let paragraphs = (0..6).map(|part| {
        format!("## Part {part}\n\nMarker tok{number}x{part} stands here with some words about subject {part}.\n\n")
    });
    format!("# Document {number}\n\n{}", paragraphs.collect::<String>())
}

/// SplitMix64 (Steele, Lea, Flood 2014): a fixed seed gives the same moments every time.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[tokio::test]
async fn kill_at_fifty_moments_of_ingestion_loses_and_repeats_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut seed = SEED;
    let mut accepted: BTreeMap<usize, String> = BTreeMap::new();
    for _ in 0..KILLS {
        let server = Server::open(data.path());
        let moment = Duration::from_millis(next(&mut seed) % 400);
        // Uploading goes on until the moment comes; it may come while nothing is uploaded any more.
        let uploading = async {
            for number in 0..DOCUMENTS {
                if accepted.contains_key(&number) {
                    continue;
                }
                let Some((status, answer)) =
                    server.try_upload(&format!("{number}.md"), text(number).into_bytes()).await
                else {
                    return;
                };
                assert!(status.is_success(), "{answer}");
                accepted.insert(number, answer["id"].as_str().unwrap().to_owned());
            }
            std::future::pending::<()>().await;
        };
        tokio::time::timeout(moment, uploading).await.ok();
        server.kill();
    }

    let server = Server::open(data.path());
    for number in 0..DOCUMENTS {
        let (status, answer) =
            server.upload(&format!("{number}.md"), text(number).into_bytes()).await;
        assert!(status.is_success(), "{answer}");
        let id = answer["id"].as_str().unwrap();
        // What was accepted once is the same document still.
        if let Some(known) = accepted.insert(number, id.to_owned()) {
            assert_eq!(known, id, "document {number} was accepted twice");
        }
    }
    for (number, id) in &accepted {
        let document = server.settled(id).await;
        assert_eq!(
            (&document["state"], &document["latest_version"]),
            (&"ready".into(), &1.into()),
            "{number}: {document}"
        );
    }
    assert_eq!(listed(&server).await, DOCUMENTS);
    for (number, id) in &accepted {
        let found = server.search(&format!("tok{number}x0")).await;
        let ids: Vec<_> =
            found.iter().map(|passage| passage["document_id"].as_str().unwrap()).collect();
        assert_eq!(ids, [id.as_str()], "document {number}");
    }
}

async fn listed(server: &Server) -> usize {
    let mut cursor = String::new();
    let mut count = 0;
    loop {
        let (_, page) = server.get(&format!("/v1/documents?limit=100{cursor}")).await;
        count += page["documents"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", next.replace('#', "%23")),
            None => return count,
        }
    }
}
