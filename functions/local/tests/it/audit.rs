//! What is kept of each decision, and whether a change of that is found.

use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    lectern::{Lectern, OK},
    process::Server,
};

const REFUNDS: &str = "# Refunds\n\nRefunds are paid within 14 days.";
const QUESTION: &str = "When are refunds paid?";

fn files(data: &Path) -> Vec<PathBuf> {
    let files = data.join("audit").read_dir().unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn text(data: &Path) -> String {
    files(data).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// The records of requests to `path`, oldest first.
fn records(data: &Path, path: &str) -> Vec<Value> {
    let text = text(data);
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["path"] == path).collect()
}

#[tokio::test]
async fn each_request_leaves_a_record_of_who_asked_and_what_was_used() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let id = server.ready("refunds.md", REFUNDS).await;
    server.ready("other.md", "# Parking\n\nParking is free on Sundays.").await;
    let asked = server.request("POST", "/v1/query").header("x-request-id", "the-id-1");
    let asked = asked.json(&json!({ "question": QUESTION })).send().await.unwrap();
    let answer: Value = asked.json().await.unwrap();

    let key_id = server.key().split('_').nth(1).unwrap();
    let record = records(data.path(), "/v1/query").remove(0);
    assert_eq!(record["decision"], "allow");
    assert_eq!((&record["method"], &record["status"]), (&json!("POST"), &json!(200)));
    assert_eq!((&record["key_id"], &record["tenant"]), (&json!(key_id), &json!("local")));
    assert_eq!(
        (&record["request_id"], &record["address"]),
        (&json!("the-id-1"), &json!("127.0.0.1"))
    );
    assert_eq!(record["query_id"], answer["query_id"]);
    assert!(record["documents"].as_array().unwrap().contains(&json!(id)), "{record}");
    assert_eq!(record["micro_usd"], 0);
    assert_eq!(record["question_sha256"], hex::encode(Sha256::digest(QUESTION)));
    let kept = text(data.path());
    assert!(!kept.contains(QUESTION) && !kept.contains("14 days"), "{kept}");
    assert!(!kept.contains(server.key()), "{kept}");

    server.delete(&format!("/v1/documents/{id}")).await;
    let record = records(data.path(), &format!("/v1/documents/{id}")).pop().unwrap();
    assert_eq!((&record["method"], &record["decision"]), (&json!("DELETE"), &json!("allow")));
}

#[tokio::test]
async fn who_is_refused_leaves_a_record_too() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let (status, made) =
        server.post("/v1/keys", &json!({ "name": "reader", "permissions": ["query"] })).await;
    assert_eq!(status, StatusCode::CREATED);
    let reader = made["key"].as_str().unwrap();
    let denied = server.get_as(reader, "/v1/usage").await;
    assert_eq!(denied.0, StatusCode::FORBIDDEN);
    let unknown = server.get_as("lk_nobody", "/v1/usage").await;
    assert_eq!(unknown.0, StatusCode::UNAUTHORIZED);
    let missing = server.get("/v1/usage/nothing").await;
    assert_eq!(missing.0, StatusCode::NOT_FOUND);

    let [denied, unknown] = &records(data.path(), "/v1/usage")[..] else { panic!("two records") };
    assert_eq!((&denied["decision"], &denied["reason"]), (&json!("deny"), &json!("forbidden")));
    assert_eq!((&denied["key_id"], &denied["status"]), (&made["id"], &json!(403)));
    assert_eq!((&unknown["decision"], &unknown["status"]), (&json!("deny"), &json!(401)));
    assert_eq!((&unknown["key_id"], &unknown["tenant"]), (&Value::Null, &Value::Null));
    assert_eq!(unknown["reason"], "unauthenticated");
    let failed = server.post("/v1/query", &json!({ "question": "" })).await;
    assert_eq!(failed.0, StatusCode::UNPROCESSABLE_ENTITY);
    let failed = records(data.path(), "/v1/query").pop().unwrap();
    assert_eq!((&failed["decision"], &failed["reason"]), (&json!("fail"), &json!("validation")));
}

#[tokio::test]
async fn a_stream_leaves_its_record_when_it_ends_and_a_collection_may_keep_questions() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let id = server.ready("refunds.md", REFUNDS).await;
    let patch = json!({"settings": {"audit": {"questions": true}}});
    let patched = server.request("PATCH", "/v1/collections/default").json(&patch).send().await;
    assert!(patched.unwrap().status().is_success());
    let body = json!({ "question": QUESTION, "stream": true });
    let streamed = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
    assert!(streamed.text().await.unwrap().contains("event: done"));
    // From the cache, this time.
    server.ask(QUESTION).await;
    server.search(QUESTION).await;
    let asked = records(data.path(), "/v1/query");
    let searched = records(data.path(), "/v1/search");
    for record in asked.iter().chain(&searched) {
        assert_eq!(record["question"], QUESTION, "{record}");
        assert_eq!(record["documents"], json!([id]), "{record}");
    }
    assert_eq!((asked.len(), searched.len()), (2, 1));
}

#[test]
fn a_record_that_is_changed_or_removed_is_found() {
    let lectern = Lectern::new();
    lectern.file("docs/refunds.md", REFUNDS.as_bytes());
    assert_eq!(lectern.run(&["ingest", "docs"]).code, OK);
    assert_eq!(lectern.run(&["ask", QUESTION]).code, OK);
    let whole = lectern.json(&["audit", "verify"]);
    assert_eq!(whole["flaws"], json!([]), "{whole}");
    assert!(whole["streams_known"].as_u64().unwrap() >= 2, "{whole}");

    let data = lectern.path("data");
    let file = files(&data).remove(0);
    let log = std::fs::read_to_string(&file).unwrap();
    let flaw = |changed: &str, said: &str| {
        std::fs::write(&file, changed).unwrap();
        let ran = lectern.run(&["audit", "verify"]);
        assert_eq!(ran.code, 1, "{said}: {ran:?}");
        assert!(ran.out.contains(said), "{said}: {ran:?}");
    };
    flaw(
        &log.replacen("\"decision\":\"allow\"", "\"decision\":\"deny\"", 1),
        "not as it was written",
    );
    let asked = log.lines().position(|line| line.contains("/v1/query")).unwrap();
    let stream = |line: &str| line.split('"').nth(7).unwrap().to_owned();
    let its = stream(log.lines().nth(asked).unwrap());
    let without: String =
        log.lines().filter(|line| stream(line) != its).map(|line| format!("{line}\n")).collect();
    flaw(&without, "it ends after 0 records");
    flaw(&log, "it ends after");
}
