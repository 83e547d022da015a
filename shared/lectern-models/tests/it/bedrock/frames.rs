//! Event streams as Bedrock sends them.

use aws_sdk_bedrockruntime::primitives::event_stream::{Header, HeaderValue, Message};
use aws_smithy_eventstream::frame::write_message_to;
use axum::body::Bytes;
use serde_json::{Value, json};

use super::server::{Ending, Reply};

/// Returns a frame as Bedrock sends it: the padding against guesses from sizes is its own.
pub(super) fn event(kind: &str, mut payload: Value) -> Bytes {
    payload["p"] = json!("abcdefghij");
    frame(&[(":event-type", kind), (":message-type", "event")], &payload)
}

pub(super) fn exception(kind: &str, message: &str) -> Bytes {
    let headers = [(":exception-type", kind), (":message-type", "exception")];
    frame(&headers, &json!({ "message": message }))
}

pub(super) fn frame(headers: &[(&'static str, &str)], payload: &Value) -> Bytes {
    let mut message = Message::new(payload.to_string());
    for (name, value) in headers.iter().chain(&[(":content-type", "application/json")]) {
        let value = HeaderValue::String((*value).to_owned().into());
        message = message.add_header(Header::new(*name, value));
    }
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes.into()
}

/// Returns the frames of a reply up to its last token.
pub(super) fn tokens(tokens: &[&str]) -> Vec<Bytes> {
    let delta = |token| {
        event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": token}}))
    };
    let start = event("messageStart", json!({"role": "assistant"}));
    [start].into_iter().chain(tokens.iter().map(delta)).collect()
}

/// Returns a whole reply.
pub(super) fn complete(words: &[&str], reason: &str) -> Reply {
    let usage = json!({"inputTokens": 11, "outputTokens": words.len(), "totalTokens": 99});
    let mut frames = tokens(words);
    frames.push(event("contentBlockStop", json!({"contentBlockIndex": 0})));
    frames.push(event("messageStop", json!({ "stopReason": reason })));
    frames.push(event("metadata", json!({"usage": usage, "metrics": {"latencyMs": 7}})));
    Reply::Stream(frames, Ending::Closed)
}
