//! The chat model against a scripted API.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatMessage, ChatModel, ChatRequest, Role, TokenCount},
    secret::{LiveSecret, SecretSource},
};
use lectern_models::{
    openai::{Endpoint, OpenAiChat, ReplyLimits},
    retrying::{RetryPolicy, Retrying},
};
use lectern_testkit::chat::{PROMPT_TOKENS, Reply, ScriptedChat, owned};
use secrecy::SecretString;
use serde_json::json;

/// Short enough for a test to wait, far longer than the loopback takes.
const SILENCE: Duration = Duration::from_millis(400);

fn model(server: &ScriptedChat) -> OpenAiChat {
    let limits = ReplyLimits { stall: SILENCE, ..ReplyLimits::default() };
    let endpoint = Endpoint::new(&server.base_url(), Some("sk-test".into()), limits).unwrap();
    OpenAiChat::new(endpoint, "mine")
}

fn request() -> ChatRequest {
    let message = |role, content: &str| ChatMessage { role, content: content.to_owned() };
    ChatRequest {
        messages: vec![message(Role::System, "be brief"), message(Role::User, "hello")],
        max_tokens: 77,
        temperature: 0.5,
        timeout: Duration::from_secs(20),
    }
}

/// Returns the tokens and how the reply ended; fails when something follows the end.
async fn ask(model: &dyn ChatModel) -> (String, Result<ChatEvent, PortError>) {
    let mut reply = match model.stream(request()).await {
        Ok(reply) => reply,
        Err(error) => return (String::new(), Err(error)),
    };
    let mut text = String::new();
    while let Some(event) = reply.next().await {
        match event {
            Ok(ChatEvent::Token(token)) => text.push_str(&token),
            end => {
                assert!(reply.next().await.is_none(), "something followed {end:?}");
                return (text, end);
            }
        }
    }
    panic!("the reply ended without `Done` and without an error");
}

async fn ask_scripted(reply: Reply) -> (String, Result<ChatEvent, PortError>) {
    let server = ScriptedChat::start([reply]);
    ask(&model(&server)).await
}

fn done(completion: u32, truncated: bool) -> ChatEvent {
    ChatEvent::Done { usage: Some(TokenCount { prompt: PROMPT_TOKENS, completion }), truncated }
}

#[tokio::test]
async fn streams_tokens_and_usage_and_sends_what_was_asked() {
    let server = ScriptedChat::start([Reply::tokens(&["Hel", "lo", "!"])]);
    let (text, end) = ask(&model(&server)).await;
    assert_eq!((text.as_str(), end.unwrap()), ("Hello!", done(3, false)));
    let requests = server.finish();
    assert_eq!(requests[0].authorization.as_deref(), Some("Bearer sk-test"));
    assert_eq!(
        requests[0].body,
        json!({
            "model": "mine",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "hello"},
            ],
            "max_tokens": 77,
            "temperature": 0.5,
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
}

#[tokio::test]
async fn a_truncated_reply_and_one_json_object_are_replies() {
    let (text, end) = ask_scripted(Reply::Truncated(owned(&["a", "b"]))).await;
    assert_eq!((text.as_str(), end.unwrap()), ("ab", done(2, true)));
    let body = json!({
        "choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": 1},
    });
    let (text, end) = ask_scripted(Reply::Json(body)).await;
    assert_eq!((text.as_str(), end.unwrap()), ("whole", done(1, false)));
}

#[tokio::test]
async fn refusals_are_told_by_their_remedy() {
    let wait = Some(Duration::from_secs(7));
    for (reply, kind) in [
        (Reply::rate_limited("7"), ErrorKind::RateLimited { retry_after: wait }),
        (Reply::context_length_exceeded(), ErrorKind::TooLarge),
        (Reply::status(400), ErrorKind::Invalid),
        (Reply::status(403), ErrorKind::Unauthenticated),
        (Reply::status(404), ErrorKind::NotFound),
        (Reply::status(500), ErrorKind::Unavailable),
        (Reply::status(307), ErrorKind::Internal),
    ] {
        let (_, end) = ask_scripted(reply).await;
        assert_eq!(end.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_cut_a_stall_and_a_defect_after_tokens_end_the_reply() {
    let tokens = owned(&["a", "b"]);
    let error = json!({"code": 503, "message": "overloaded"});
    for (reply, kind) in [
        (Reply::Cut(tokens.clone()), ErrorKind::Unavailable),
        (Reply::Stall(tokens.clone()), ErrorKind::Timeout),
        (Reply::Malformed(tokens.clone()), ErrorKind::Internal),
        (Reply::Error(tokens, error), ErrorKind::Unavailable),
    ] {
        let (text, end) = ask_scripted(reply).await;
        assert_eq!((text.as_str(), end.unwrap_err().kind), ("ab", kind));
    }
}

#[tokio::test]
async fn a_failure_before_the_first_token_is_the_outer_error() {
    for (reply, kind) in [
        (Reply::Cut(Vec::new()), ErrorKind::Unavailable),
        (Reply::Stall(Vec::new()), ErrorKind::Timeout),
        (Reply::Malformed(Vec::new()), ErrorKind::Internal),
        (Reply::EndlessLine, ErrorKind::Internal),
    ] {
        let server = ScriptedChat::start([reply]);
        let error = model(&server).stream(request()).await.err().unwrap();
        assert_eq!(error.kind, kind);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let server = ScriptedChat::start([]);
    let model = model(&server);
    assert!(server.finish().is_empty());
    let error = model.stream(request()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn the_request_s_own_time_bounds_the_wait_for_the_first_token() {
    let server = ScriptedChat::start([Reply::Stall(Vec::new())]);
    let request = ChatRequest { timeout: Duration::from_millis(100), ..request() };
    let error = model(&server).stream(request).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn retries_pass_over_an_outage_and_stop_after_the_first_token() {
    let replies = [Reply::status(503), Reply::Cut(Vec::new()), Reply::Cut(owned(&["a"]))];
    let server = ScriptedChat::start(replies);
    let policy = RetryPolicy { first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    let (text, end) = ask(&Retrying::new(model(&server), policy)).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("a", ErrorKind::Unavailable));
    assert_eq!(server.finish().len(), 3);
}

/// A source whose secret was rotated after it was first read, or was revoked and not replaced.
#[derive(Debug)]
struct Source {
    after: &'static str,
}

#[async_trait]
impl SecretSource for Source {
    async fn fetch(&self, refused: Option<&SecretString>) -> Result<SecretString, PortError> {
        Ok(if refused.is_some() { self.after } else { "sk-old" }.into())
    }
}

fn model_with_key(server: &ScriptedChat, after: &'static str) -> OpenAiChat {
    let key = LiveSecret::from_source(Arc::new(Source { after }));
    let endpoint = Endpoint::new(&server.base_url(), Some(key), ReplyLimits::default()).unwrap();
    OpenAiChat::new(endpoint, "mine")
}

#[tokio::test]
async fn a_rotated_key_is_taken_up_without_a_failed_call() {
    let server = ScriptedChat::start([Reply::status(401), Reply::tokens(&["fine"])]);
    let (text, _) = ask(&model_with_key(&server, "sk-new")).await;
    assert_eq!(text, "fine");
    let keys: Vec<_> = server.finish().into_iter().map(|request| request.authorization).collect();
    assert_eq!(keys, [Some("Bearer sk-old".to_owned()), Some("Bearer sk-new".to_owned())]);
}

#[tokio::test]
async fn a_revoked_key_is_refused_once() {
    let server = ScriptedChat::start([Reply::status(403)]);
    let (_, end) = ask(&model_with_key(&server, "sk-old")).await;
    assert_eq!(end.unwrap_err().kind, ErrorKind::Unauthenticated);
    assert_eq!(server.finish().len(), 1, "the same key is not tried twice");
}
