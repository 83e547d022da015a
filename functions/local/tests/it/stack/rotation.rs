//! A secret is rotated while functions run, or revoked.

use lectern_testkit::{
    chat::{Reply, ScriptedChat},
    lambda::RestEvent,
};
use serde_json::{Value, json};

use super::{Stack, send};
use crate::BACKUP;

fn with_model(stack: &mut Stack, url: String) {
    stack.set("LECTERN_CHAT", "openai:gpt-4o-mini");
    stack.set("LECTERN_MODEL_URL", url);
    stack.set("LECTERN_MODEL_API_KEY", "secretsmanager:model#api_key");
}

async fn ready(stack: &Stack, key: &str) {
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(key);
    send(&upload, event.bytes("text/markdown", BACKUP.as_bytes())).await;
    stack.drain(&ingest).await;
}

fn question(key: &str) -> RestEvent {
    let body = json!({"question": "When do backups run?", "cache": false});
    RestEvent::post("/v1/query").bearer(key).json(&body)
}

fn chat_of(readiness: &Value) -> Value {
    let checks = readiness["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == "chat").unwrap().clone()
}

#[tokio::test]
async fn a_rotated_secret_takes_effect_without_a_restart() {
    let server = ScriptedChat::start([
        Reply::tokens(&["Backups run daily at 03:00 UTC [1]."]),
        Reply::status(401),
        Reply::tokens(&["Backups run daily at 03:00 UTC [1]."]),
    ]);
    let mut stack = Stack::start().await;
    stack.aws.create_secret("model", json!({ "api_key": "sk-old" })).await;
    with_model(&mut stack, server.base_url());
    let key = stack.key("acme").await;
    ready(&stack, &key).await;
    let query = stack.function("query").await;
    assert_eq!(send(&query, question(&key)).await.status, 200);
    stack.aws.rotate_secret("model", json!({ "api_key": "sk-new" })).await;
    let after = send(&query, question(&key)).await;
    assert_eq!(after.status, 200, "{} {:#?}", after.text(), query.log());
    let keys: Vec<String> =
        server.finish().into_iter().filter_map(|request| request.authorization).collect();
    assert_eq!(keys, ["Bearer sk-old", "Bearer sk-old", "Bearer sk-new"]);
}

#[tokio::test]
async fn a_revoked_secret_is_a_503_and_a_clear_report() {
    let server = ScriptedChat::start([Reply::status(401)]);
    server.refuse_keys();
    let mut stack = Stack::start().await;
    stack.aws.create_secret("model", json!({ "api_key": "sk-revoked" })).await;
    with_model(&mut stack, server.base_url());
    let key = stack.key("acme").await;
    ready(&stack, &key).await;
    let (query, health) = tokio::join!(stack.function("query"), stack.function("health"));
    let refused = send(&query, question(&key)).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["type"], "urn:lectern:problem:upstream-credentials");
    assert!(!refused.text().contains("sk-revoked"));
    assert!(query.is_alive());

    let unready = send(&health, RestEvent::get("/ready")).await;
    assert_eq!(unready.status, 503, "{}", unready.text());
    let chat = chat_of(&unready.json());
    assert_eq!(chat["detail"], "refuses the credentials: renew them", "{chat}");
    for line in query.log().iter().chain(&health.log()) {
        assert!(!line.contains("sk-revoked"), "{line}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_stops_no_function_from_starting() {
    let mut stack = Stack::start().await;
    stack.set("LECTERN_INDEX_API_KEY", "secretsmanager:nowhere#api_key");
    let (query, health) = tokio::join!(stack.function("query"), stack.function("health"));
    let alive = send(&health, RestEvent::get("/health")).await;
    assert_eq!(alive.status, 200);
    let unready = send(&health, RestEvent::get("/ready")).await;
    assert_eq!((unready.status, &unready.json()["status"]), (503, &"down".into()));
    assert!(query.is_alive());
}
