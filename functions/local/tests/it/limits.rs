//! Keys: what one may give to another, for how long, and from where.

use lectern_testkit::chat::{Reply, ScriptedChat, owned};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::{gate::create_key, process::Server};

async fn made(server: &Server, wanted: Value) -> (u16, Value) {
    let (status, made) = server.post("/v1/keys", &wanted).await;
    (status.as_u16(), made)
}

#[tokio::test]
async fn nobody_gives_away_what_they_have_not() {
    let data = tempfile::tempdir().unwrap();
    let narrow = create_key(
        data.path(),
        &["narrow", "--permission", "admin,query", "--collections", "manuals"],
    );
    let asks = create_key(data.path(), &["asks", "--permission", "query,upload,backup"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&narrow);
    let wanted = |permissions: &[&str], collections: Value| json!({ "name": "new", "permissions": permissions, "collections": collections });
    for (permissions, collections, expected) in [
        (&["query"][..], json!(["manuals"]), 201),
        (&["query", "upload"], json!(["manuals"]), 403),
        (&["query"], json!(["manuals", "default"]), 403),
        (&["query"], Value::Null, 403),
    ] {
        let (status, made) = made(&server, wanted(permissions, collections)).await;
        assert_eq!(status, expected, "{permissions:?} {made}");
    }
    let server = server.with_key(&asks);
    assert_eq!(made(&server, wanted(&["query"], Value::Null)).await.0, 403, "no administrator");
    for path in ["/v1/keys", "/v1/usage", "/v1/budget"] {
        assert_eq!(server.get(path).await.0, 403, "{path}");
    }
}

#[tokio::test]
async fn a_key_is_used_from_its_networks_rotated_and_revoked() {
    let data = tempfile::tempdir().unwrap();
    let admin = create_key(data.path(), &["admin", "--permission", "query,admin"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&admin);
    let wanted = |networks: Value| json!({ "name": "app", "permissions": ["query"], "allowed_ips": networks });
    let (_, far) = made(&server, wanted(json!(["192.0.2.0/24", "2001:db8::1"]))).await;
    let (_, near) = made(&server, wanted(json!(["127.0.0.0/8", "::1"]))).await;
    let text = |key: &Value| key["key"].as_str().unwrap().to_owned();
    assert_eq!(server.get_as(&text(&far), "/v1/documents").await.0, 403);
    assert_eq!(server.get_as(&text(&near), "/v1/documents").await.0, 200);

    let path = format!("/v1/keys/{}", near["id"].as_str().unwrap());
    let (status, rotated) =
        server.post(&format!("{path}/rotate"), &json!({ "overlap_seconds": 600 })).await;
    assert_eq!(status, 200, "{rotated}");
    assert_ne!(text(&rotated), text(&near));
    for key in [&near, &rotated] {
        assert_eq!(server.get_as(&text(key), "/v1/documents").await.0, 200, "both work");
    }
    let (_, again) = server.post(&format!("{path}/rotate"), &json!({ "overlap_seconds": 0 })).await;
    for (key, expected) in [(&near, 401), (&rotated, 401), (&again, 200)] {
        assert_eq!(server.get_as(&text(key), "/v1/documents").await.0, expected);
    }
    assert_eq!(server.delete(&path).await.0, 204);
    assert_eq!(server.get_as(&text(&again), "/v1/documents").await.0, 401, "at once");
    let (_, shown) = server.get(&path).await;
    assert!(shown["revoked_at"].is_string() && shown.get("key").is_none(), "{shown}");
    assert!(!shown.to_string().contains("hmac"), "{shown}");
}

#[tokio::test]
async fn reports_and_overlaps_are_bounded() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    for (from, to, expected) in [
        ("2025-11-21", "2026-11-22", 200),
        ("2025-11-20", "2026-11-22", 422),
        ("2026-11-22", "2026-11-21", 422),
    ] {
        let (status, answer) = server.get(&format!("/v1/usage?from={from}&to={to}")).await;
        assert_eq!(status, expected, "{from} {to} {answer}");
    }
    let (_, key) = made(&server, json!({ "name": "app", "permissions": ["query"] })).await;
    let path = format!("/v1/keys/{}/rotate", key["id"].as_str().unwrap());
    for (seconds, expected) in [(2_592_000, 200), (2_592_001, 422)] {
        let (status, answer) = server.post(&path, &json!({ "overlap_seconds": seconds })).await;
        assert_eq!(status, expected, "{seconds} {answer}");
    }
}

#[tokio::test]
async fn wrong_fields_of_a_key_are_named() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let key = |field: &str, value: Value| {
        let mut key = json!({ "name": "app", "permissions": ["query"] });
        key[field] = value;
        key
    };
    let listed = |count: usize| json!(vec!["x"; count]);
    for (field, value, pointer) in [
        ("name", json!(""), Some("/name")),
        ("name", json!("n".repeat(128)), None),
        ("name", json!("n".repeat(129)), Some("/name")),
        ("permissions", json!([]), Some("/permissions")),
        ("permissions", json!(vec!["query"; 8]), None),
        ("permissions", json!(vec!["query"; 9]), Some("/permissions")),
        ("permissions", json!(["rule"]), Some("/permissions/0")),
        ("rate_per_minute", json!(0), Some("/rate_per_minute")),
        ("rate_per_minute", json!(60_000), None),
        ("rate_per_minute", json!(60_001), Some("/rate_per_minute")),
        ("principals", listed(100), None),
        ("principals", listed(101), Some("/principals")),
        ("principals", json!(["p".repeat(257)]), Some("/principals")),
        ("collections", json!(["a", "B!"]), Some("/collections/1")),
        ("collections", listed(101), Some("/collections")),
        ("allowed_ips", json!(["10.0.0.0/33"]), Some("/allowed_ips/0")),
        ("expires_at", json!("2020-01-01T00:00:00Z"), Some("/expires_at")),
        ("expires_at", json!("soon"), Some("/expires_at")),
        ("budget", json!({ "usd_per_day": -1 }), Some("/budget/usd_per_day")),
        ("budget", json!({ "usd_per_day": 1_000_000_000_u64 }), None),
        ("colour", json!("red"), Some("/colour")),
    ] {
        let (status, answer) = made(&server, key(field, value.clone())).await;
        assert_eq!(status, if pointer.is_some() { 422 } else { 201 }, "{field} {value} {answer}");
        assert_eq!(answer["errors"][0]["pointer"].as_str(), pointer, "{field} {answer}");
    }
}

#[tokio::test]
async fn a_key_holds_so_many_answers_at_once() {
    let data = tempfile::tempdir().unwrap();
    let stalls = || Reply::Stall(owned(&["Backups run "]));
    let chat = ScriptedChat::start([stalls()]);
    let url = chat.base_url();
    let variables = [
        ("LECTERN_CHAT", "openai:scripted"),
        ("LECTERN_MODEL_URL", url.as_str()),
        ("LECTERN_KEY_CONCURRENCY", "1"),
    ];
    let one = create_key(data.path(), &["one", "--permission", "query,upload", "--rate", "6000"]);
    let other = create_key(data.path(), &["other", "--permission", "query"]);
    let server = Server::start(data.path(), &[], &variables).with_key(&one);
    server.ready("backup.md", "# Backups\n\nBackups run daily at 03:00 UTC.").await;

    let body = json!({ "question": "When do backups run?", "stream": true });
    let streamed = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
    assert_eq!(streamed.status(), 200);
    let refused = server.request("GET", "/v1/documents").send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &HeaderValue::from_static("1"))
    );
    assert_eq!(server.get_as(&other, "/v1/documents").await.0, 200, "another key is not meant");

    // Nobody reads it any more: its place is free as soon as the server has seen that.
    drop(streamed);
    while server.get("/v1/documents").await.0 != 200 {}
}
