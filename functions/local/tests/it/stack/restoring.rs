//! Backups by schedule, the drill by schedule, and an operator who restores: all by the built functions.

use lectern_testkit::lambda::{Driver, Outcome, RestEvent, events};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Stack, send};
use crate::BACKUP;

/// Gives the function what is no request, and returns its answer.
async fn told(function: &Driver, event: &Value) -> Value {
    match function.invoke(event).await.outcome {
        Outcome::Buffered(reply) => reply,
        other => panic!("{event}: {other:?} {:#?}", function.log()),
    }
}

#[tokio::test]
async fn a_deleted_document_is_back_after_a_restoration_that_an_operator_asked_for() {
    let mut stack = Stack::start().await;
    let identity = age::x25519::Identity::generate().to_string();
    stack.set("LECTERN_BACKUP_IDENTITY", identity.expose_secret());
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let (query, backup) = tokio::join!(stack.function("query"), stack.function("backup"));
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
    let event = event.bytes("text/markdown", BACKUP.as_bytes());
    let document = send(&upload, event).await.json()["id"].as_str().unwrap().to_owned();
    stack.drain(&ingest).await;

    // What EventBridge sends every night, and every Sunday.
    let round = json!({"done": 1, "unfinished": 0, "failed": 0, "without": 0});
    assert_eq!(told(&backup, &events::load("backup_schedule", &[])).await, round);
    assert_eq!(told(&backup, &events::load("drill_schedule", &[])).await, round);
    let none = json!({"done": 0, "unfinished": 0, "failed": 0, "without": 0});
    assert_eq!(told(&backup, &events::load("backup_continue_schedule", &[])).await, none);
    let listed = send(&backup, RestEvent::get("/v1/backups").bearer(&key)).await.json();
    let made = &listed["backups"][0];
    assert_eq!((&made["state"], &made["counts"]["documents"]), (&"complete".into(), &1.into()));
    assert_eq!((&made["is_exact"], &made["counts"]["originals"]), (&true.into(), &1.into()));
    let drill = &made["drill"];
    assert_eq!((&drill["failure"], &drill["documents"]), (&Value::Null, &1.into()), "{drill}");

    let event = RestEvent::new("DELETE", &format!("/v1/documents/{document}"));
    send(&upload, event.resource("/v1/documents/{id}").bearer(&key)).await;
    let ask = || {
        let body = json!({"question": "When do backups run?"});
        RestEvent::post("/v1/query").bearer(&key).json(&body)
    };
    assert!(!send(&query, ask()).await.json().to_string().contains("03:00"));

    // Without the identity nobody reads it.
    stack.set("LECTERN_BACKUP_IDENTITY", "");
    let blind = stack.function("backup").await;
    let verify = format!("/v1/backups/{}/verify", made["id"].as_str().unwrap());
    let event = RestEvent::post(&verify).resource("/v1/backups/{id}/verify").bearer(&key);
    let found = send(&blind, event.json(&json!({}))).await.json();
    assert_eq!(found["damages"], json!([{"part": "manifest", "fault": "sealed"}]), "{found}");

    // Also by the API, with a key for backups; not used here.
    let by_key = [("KEY", key.as_str()), ("BACKUP_ID", made["id"].as_str().unwrap())];
    let event = events::load("backup_restore", &by_key);
    let beside = backup.invoke(&event).await.http();
    assert_eq!((beside.status, &beside.json()["state"]), (201, &"ready".into()));
    let id = beside.json()["id"].as_str().unwrap().to_owned();
    let event = RestEvent::post(&format!("/v1/restorations/{id}/discard"));
    let event = event.resource("/v1/restorations/{id}/discard").bearer(&key);
    assert_eq!(send(&backup, event).await.json()["state"], "dropped");

    let restore = json!({"task": "restore", "tenant": "acme", "backup": made["id"]});
    let restored = told(&backup, &restore).await;
    assert_eq!((&restored["state"], &restored["documents"]), (&"ready".into(), &1.into()));
    assert!(!send(&query, ask()).await.json().to_string().contains("03:00"), "not live yet");
    let named = |task: &str| json!({"task": task, "tenant": "acme", "restoration": restored["restoration"]});
    assert_eq!(told(&backup, &named("switch")).await["state"], "live");

    // The same key, and no function was started anew.
    let answer = send(&query, ask()).await.json();
    assert!(answer["answer"].as_str().unwrap().contains("03:00 UTC"), "{answer}");
    assert_eq!(answer["citations"][0]["document_id"], *document);
    let event = RestEvent::get(&format!("/v1/documents/{document}/text"));
    let event = event.resource("/v1/documents/{id}/text").query("start", "0").query("end", "9");
    assert_eq!(send(&upload, event.bearer(&key)).await.status, 200);
    assert_eq!(told(&backup, &named("confirm")).await["state"], "confirmed");
    assert!(send(&query, ask()).await.json().to_string().contains("03:00"));
}
