//! What becomes of messages: functions that die, messages nobody understands, dependencies that are away.

use std::time::{Duration, Instant};

use lectern_testkit::{
    chat::ScriptedChat,
    lambda::{Driver, RestEvent},
};
use serde_json::{Value, json};

use super::{Stack, aws, send};
use crate::{BACKUP, HOLIDAYS, process::PATIENCE};

/// A little longer than a lease of the stack's functions.
const LEASE: Duration = Duration::from_millis(2_100);

async fn add(stack: &Stack, upload: &Driver, key: &str, name: &str, text: &str) -> String {
    let event = RestEvent::post("/v1/documents").query("name", name).bearer(key);
    let accepted = send(upload, event.bytes("text/markdown", text.as_bytes())).await;
    assert_eq!(accepted.status, 202, "{} {:#?}", accepted.text(), stack.moto.log());
    accepted.json()["id"].as_str().unwrap().to_owned()
}

async fn document(upload: &Driver, key: &str, id: &str) -> Value {
    let event = RestEvent::get(&format!("/v1/documents/{id}")).resource("/v1/documents/{id}");
    send(upload, event.bearer(key)).await.json()
}

/// Polls until a document has `state`. Messages come again after their visibility timeout and leases end, both 2 s.
async fn until(stack: &Stack, ingest: &Driver, upload: &Driver, key: &str, id: &str, state: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        stack.drain(ingest).await;
        let document = document(upload, key, id).await;
        if document["state"] == state {
            return;
        }
        assert!(Instant::now() < deadline, "{document} {:#?}", ingest.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn what_a_killed_function_had_comes_again_and_is_finished_once() {
    let stack = Stack::start().await;
    let key = stack.key("acme").await;
    let upload = stack.function("upload").await;
    let first = add(&stack, &upload, &key, "backup.md", BACKUP).await;
    let second = add(&stack, &upload, &key, "holidays.md", HOLIDAYS).await;

    // Killed at different moments of the batch; what was done stays done.
    for delay_ms in [0, 15, 40] {
        let messages = stack.aws.receive(&stack.queue).await;
        let ingest = stack.function("ingest").await;
        let mut pending = ingest.send(&aws::sqs_event(&messages));
        assert!(pending.taken().await);
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        ingest.kill().await;
        for message in &messages {
            stack.aws.release(&stack.queue, message).await;
        }
    }
    let ingest = stack.function("ingest").await;
    for id in [&first, &second] {
        until(&stack, &ingest, &upload, &key, id, "ready").await;
    }
    let query = stack.function("query").await;
    let body = json!({"question": "backups run days of holiday", "limit": 10});
    let found = send(&query, RestEvent::post("/v1/search").bearer(&key).json(&body)).await.json();
    let passages = found["passages"].as_array().unwrap();
    let mut names: Vec<&str> =
        passages.iter().map(|passage| passage["document_name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["backup.md", "holidays.md"], "each once: {found}");
    assert!(stack.aws.receive(&stack.dead_letters).await.is_empty());
}

#[tokio::test]
async fn a_message_nobody_understands_is_buried_with_the_reason_and_keeps_no_other() {
    let stack = Stack::start().await;
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    stack.aws.send(&stack.queue, "hello?").await;
    let id = add(&stack, &upload, &key, "backup.md", BACKUP).await;
    let reply = stack.poll(&ingest).await.unwrap();
    assert_eq!(reply["batchItemFailures"], json!([]), "{reply}");
    assert_eq!(document(&upload, &key, &id).await["state"], "ready");
    let buried = stack.aws.receive(&stack.dead_letters).await;
    assert_eq!((buried.len(), &buried[0]["Body"]), (1, &"hello?".into()));
    let cause = buried[0]["MessageAttributes"]["cause"]["StringValue"].as_str().unwrap();
    assert!(cause.starts_with("the message is not JSON"), "{cause}");
}

#[tokio::test]
async fn a_poisonous_document_is_buried_with_the_reason_and_retried_by_hand() {
    // An embedder that never answers keeps a function busy until it is killed.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let embeddings = ScriptedChat::start([]);
    let mut stack = Stack::start().await;
    stack.set("LECTERN_EMBEDDER", "openai:mine@64");
    stack.set("LECTERN_MODEL_URL", format!("http://{}", silent.local_addr().unwrap()));
    let key = stack.key("acme").await;
    let upload = stack.function("upload").await;
    let id = add(&stack, &upload, &key, "backup.md", BACKUP).await;
    for _ in 0..5 {
        let messages = stack.aws.receive(&stack.queue).await;
        assert_eq!(messages.len(), 1, "the message comes again");
        let ingest = stack.function("ingest").await;
        let mut pending = ingest.send(&aws::sqs_event(&messages));
        assert!(pending.taken().await);
        ingest.log_line("claimed a version").await;
        ingest.kill().await;
        stack.aws.remove(&stack.queue, &messages[0]).await;
        stack.aws.send(&stack.queue, messages[0]["Body"].as_str().unwrap()).await;
        // Its lease ends.
        tokio::time::sleep(LEASE).await;
    }
    stack.set("LECTERN_MODEL_URL", embeddings.base_url());
    let ingest = stack.function("ingest").await;
    until(&stack, &ingest, &upload, &key, &id, "failed").await;
    let failed = document(&upload, &key, &id).await;
    assert_eq!(failed["failure"]["code"], "too_many_attempts", "{failed}");
    let buried = stack.aws.receive(&stack.dead_letters).await;
    assert_eq!(buried.len(), 1, "{buried:?}");
    let cause = buried[0]["MessageAttributes"]["cause"]["StringValue"].as_str().unwrap();
    assert!(cause.contains("ingestion stopped 5 times"), "{cause}");

    let event = RestEvent::post(&format!("/v1/documents/{id}/retry"));
    let retried = send(&upload, event.resource("/v1/documents/{id}/retry").bearer(&key)).await;
    assert_eq!(retried.status, 202, "{}", retried.text());
    until(&stack, &ingest, &upload, &key, &id, "ready").await;
}

#[tokio::test]
async fn a_lost_ring_is_found_by_the_sweep() {
    let stack = Stack::start().await;
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let id = add(&stack, &upload, &key, "backup.md", BACKUP).await;
    let sweep = json!({ "task": "sweep" });
    // The queue still has the ring: nothing to do.
    assert_eq!(ingest.invoke(&sweep).await.json(), &json!({ "rung": 0 }));
    for message in stack.aws.receive(&stack.queue).await {
        stack.aws.remove(&stack.queue, &message).await;
    }
    assert_eq!(ingest.invoke(&sweep).await.json(), &json!({ "rung": 1 }));
    until(&stack, &ingest, &upload, &key, &id, "ready").await;
    assert_eq!(ingest.invoke(&sweep).await.json(), &json!({ "rung": 0 }));
}
