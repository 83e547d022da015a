//! `/metrics`, `/v1/status` and `/status` after a few questions, and who may read them.

use std::time::Instant;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{BACKUP, gate::create_key, process::Server};

/// Returns the value of a series, by its whole name and labels.
fn series(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

#[tokio::test]
async fn what_is_measured_is_read_by_who_may_monitor() {
    let data = tempfile::tempdir().unwrap();
    let monitor = create_key(data.path(), &["prometheus", "--permission", "monitor"]);
    let admin = create_key(data.path(), &["app", "--permission", "query,upload,admin,backup"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&admin);
    server.ready("backup.md", BACKUP).await;
    for question in ["When do backups run?", "When do backups run?", "Who won the chess match?"] {
        server.post("/v1/query", &json!({ "question": question })).await;
    }
    server.post("/v1/query", &json!({ "question": "" })).await;

    assert_eq!(server.get("/metrics").await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.anonymous("GET", "/metrics").send().await.unwrap().status(), 401);
    // An administrator cannot give what only an operator gives.
    let body = json!({ "name": "mine", "permissions": ["monitor"] });
    assert_eq!(server.post("/v1/keys", &body).await.0, StatusCode::FORBIDDEN);

    let response = server.anonymous("GET", "/metrics").bearer_auth(&monitor).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.unwrap();
    for (name, expected) in [
        (r#"rag_query_duration_seconds_count{outcome="answered",cache="miss"}"#, 1.0),
        (r#"rag_query_duration_seconds_count{outcome="answered",cache="hit"}"#, 1.0),
        (r#"rag_refusals_total{reason="unsupported"}"#, 1.0),
        (r#"rag_cache_hits_total{cache="answers"}"#, 1.0),
        (r#"rag_document_processing_seconds_count{outcome="ready"}"#, 1.0),
        (
            r#"http_server_request_duration_seconds_count{http_request_method="POST",http_route="/v1/query",http_response_status_code="200"}"#,
            3.0,
        ),
        (
            r#"http_server_request_duration_seconds_count{http_request_method="POST",http_route="/v1/query",http_response_status_code="422"}"#,
            1.0,
        ),
        ("rag_active_sessions", 0.0),
        // This request.
        ("http_server_active_requests", 1.0),
    ] {
        assert_eq!(series(&text, name), Some(expected), "{name}\n{text}");
    }
    let searched = r#"rag_dependency_duration_seconds_count{dependency="index",operation="search",outcome="ok"}"#;
    assert!(series(&text, searched).is_some_and(|count| count >= 1.0), "{text}");
    assert!(text.lines().count() < 2_000, "{} lines", text.lines().count());
}

#[tokio::test]
async fn promises_are_counted_and_shown_in_two_languages() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    server.ready("backup.md", BACKUP).await;
    server.post("/v1/query", &json!({ "question": "When do backups run?" })).await;
    let status: Value =
        server.anonymous("GET", "/v1/status").send().await.unwrap().json().await.unwrap();
    assert_eq!(status["status"], "ok", "{status}");
    let level = |name: &str| {
        let levels = status["levels"].as_array().unwrap();
        levels.iter().find(|level| level["name"] == name).unwrap().clone()
    };
    for window in ["hour", "day", "month"] {
        let answers = &level("answer")["windows"][window];
        assert_eq!(*answers, json!({"total": 1.0, "good": 1.0, "share": 1.0, "budget_left": 1.0}));
    }
    assert_eq!(level("document_success")["windows"]["hour"]["total"], 1.0);
    assert_eq!(level("generation")["windows"]["hour"]["total"], 0.0, "no model was asked");
    assert!(level("availability")["windows"]["hour"]["good"].as_f64().unwrap() >= 2.0);

    for (path, language, words) in
        [("/status", "en", "Everything works"), ("/status?lang=ur", "ur", "سب کچھ کام کر رہا ہے")]
    {
        let page = server.anonymous("GET", path).send().await.unwrap();
        assert_eq!(page.headers()["content-language"], language);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        let text = page.text().await.unwrap();
        assert!(text.contains(words) && !text.contains("<script"), "{text}");
    }
    let asked = server.anonymous("GET", "/status").header("accept-language", "ur-PK,en;q=0.5");
    assert_eq!(asked.send().await.unwrap().headers()["content-language"], "ur");
}

#[tokio::test]
async fn readiness_names_every_part_and_is_quick() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let asked = Instant::now();
    let ready: Value =
        server.anonymous("GET", "/ready").send().await.unwrap().json().await.unwrap();
    let names: Vec<&str> = ready["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["table", "index", "blobs", "queue", "embedder", "chat", "ingestion", "backups"],
        "after {:?}",
        asked.elapsed()
    );
}
