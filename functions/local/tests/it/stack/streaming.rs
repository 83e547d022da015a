//! Answers as they are made.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use lectern_testkit::{
    chat::{Reply, ScriptedChat},
    lambda::{Driver, RestEvent},
};
use serde_json::json;

use super::{Stack, send};
use crate::BACKUP;

fn tokens() -> Vec<String> {
    vec!["Backups run daily ".to_owned()]
}

async fn asking(server: &ScriptedChat) -> (Stack, Driver, String) {
    let mut stack = Stack::start().await;
    stack.set("LECTERN_CHAT", "openai:gpt-4o-mini");
    stack.set("LECTERN_MODEL_URL", server.base_url());
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
    send(&upload, event.bytes("text/markdown", BACKUP.as_bytes())).await;
    stack.drain(&ingest).await;
    let query = stack.function("query").await;
    (stack, query, key)
}

fn question(key: &str) -> RestEvent {
    let body = json!({"question": "When do backups run?", "stream": true});
    RestEvent::post("/v1/query").bearer(key).json(&body)
}

#[tokio::test]
async fn the_first_bytes_are_sent_while_the_model_still_writes() {
    // The model sends one token and is silent for good: whatever arrives was sent before it finished.
    let server = ScriptedChat::start([Reply::Stall(tokens())]);
    let (_stack, query, key) = asking(&server).await;
    let mut stream = query.invoke_streaming(&question(&key).build()).await.unwrap();
    assert_eq!(stream.status, 200);
    let mut text = String::new();
    while !text.contains("event: token") {
        let chunk =
            stream.next_chunk().await.unwrap_or_else(|| panic!("{text} {:#?}", query.log()));
        text.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
    assert!(text.starts_with("event: retrieval"), "{text}");
    assert!(text.contains("Backups run daily"), "{text}");
    assert!(!text.contains("event: done"), "{text}");
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_the_model_call() {
    let (held, let_go) = mpsc::channel();
    let server = ScriptedChat::start([Reply::Held(tokens(), held)]);
    let (_stack, query, key) = asking(&server).await;
    let mut stream = query.invoke_streaming(&question(&key).build()).await.unwrap();
    stream.next_chunk().await.unwrap();
    assert_eq!(let_go.try_recv(), Err(mpsc::TryRecvError::Empty), "the model is being asked");
    drop(stream);
    let stopped = let_go.recv_timeout(Duration::from_secs(8));
    // The model's own silence would end the call after 10 s.
    assert_eq!(stopped, Err(mpsc::RecvTimeoutError::Disconnected), "{:#?}", query.log());
    // And the next one is answered.
    let reply = send(
        &query,
        RestEvent::post("/v1/search").bearer(&key).json(&json!({"question": "backups"})),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_reply_that_breaks_off_ends_in_a_problem_and_not_in_a_broken_stream() {
    let overloaded = Reply::Error(tokens(), json!({"message": "overloaded"}));
    let server = ScriptedChat::start([overloaded]);
    let (_stack, query, key) = asking(&server).await;
    let reply = query.invoke(&question(&key).build()).await;
    let http = reply.http();
    // What broke off before anything was sent has a status of its own; later it is the last event.
    let is_told = match http.status {
        200 => http.text().contains("event: error"),
        503 => http.header("content-type") == Some("application/problem+json"),
        _ => false,
    };
    assert!(is_told, "{} {}", http.status, http.text());
    assert!(reply.streamed().trailer_error().is_none());
}

#[tokio::test]
async fn small_writes_leave_at_once() {
    let stack = Stack::start().await;
    let query = stack.function("query").await;
    let mut times = Vec::new();
    for _ in 0..30 {
        let started = Instant::now();
        let reply = send(&query, RestEvent::post("/v1/query").json(&json!({}))).await;
        times.push(started.elapsed());
        assert_eq!(reply.status, 401);
    }
    times.sort_unstable();
    // Nagle's algorithm and a delayed acknowledgement together hold every reply's second write back for 40 ms: half of
    // them being faster shows that they do not, on however busy a machine.
    assert!(times[times.len() / 2] < Duration::from_millis(36), "{times:?}");
}
