//! `/ready` while things are broken.

use std::time::{Duration, Instant};

use lectern_testkit::{
    lambda::{RestEvent, schedule_event},
    wire::Fault::{Failing, Gone, None, Silent, Wrong},
};
use serde_json::Value;

use super::{Day, send};

const MODELS: &[(&str, &str)] = &[
    ("LECTERN_CHAT", "openai:gpt-4o-mini"),
    ("LECTERN_EMBEDDER", "openai:text-embedding-3-small@64"),
    ("LECTERN_CANARY", "true"),
];
const ALL: [&str; 5] = ["table", "index", "models", "blobs", "queue"];

fn status<'a>(readiness: &'a Value, name: &str) -> &'a str {
    let checks = readiness["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap();
    check["status"].as_str().unwrap()
}

/// However everything is broken, somebody who asks whether all is well is told soon.
#[tokio::test]
async fn all_of_it_broken_is_told_within_the_bound() {
    let day = Day::begin(MODELS).await;
    for fault in [Gone, Silent, Failing, Wrong] {
        let health = day.function("health").await;
        for wire in ALL {
            day.set(wire, fault);
        }
        let asked = Instant::now();
        let reply = send(&health, RestEvent::get("/ready")).await;
        let took = asked.elapsed();
        let readiness = reply.json();
        assert_eq!((reply.status, &readiness["status"]), (503, &"down".into()), "{fault:?}");
        for name in ["table", "index", "chat"] {
            assert_eq!(status(&readiness, name), "down", "{fault:?}: {readiness}");
        }
        for name in ["embedder", "blobs", "queue", "ingestion", "backups"] {
            assert_eq!(status(&readiness, name), "degraded", "{fault:?}: {readiness}");
        }
        for check in readiness["checks"].as_array().unwrap() {
            assert!(check["latency_ms"].as_f64().unwrap() < 1_000.0, "{fault:?}: {check}");
        }
        // The bound is 250 ms, which the tests of `Health` hold on a stopped clock; here the machine may be busy.
        assert!(took < Duration::from_secs(2), "{fault:?}: {took:?}");
        day.heal();
    }
}

/// What pings call well is not what answers.
#[tokio::test]
async fn the_canary_hears_what_pings_do_not() {
    let day = Day::begin(MODELS).await;
    let (health, ingest) = tokio::join!(day.function("health"), day.function("ingest"));
    let operator = day.stack.monitor_key().await;
    let deep = || RestEvent::get("/ready").query("deep", "1");
    assert_eq!(send(&health, deep()).await.status, 401, "not for everybody");
    assert_eq!(send(&health, deep().bearer(&day.key)).await.status, 403, "nor for who may not");
    let reply = send(&health, deep().bearer(&operator)).await;
    assert_eq!((reply.status, status(&reply.json(), "canary")), (200, "degraded"));

    ingest.invoke(&schedule_event("sweep")).await;
    day.stack.drain(&ingest).await;
    // The model says what the other document says, which the canary's does not.
    let reply = send(&health, deep().bearer(&operator)).await;
    assert_eq!((reply.status, status(&reply.json(), "canary")), (503, "down"), "{}", reply.text());
    day.set("models", None);
}
