//! Chats by `ConverseStream`.

use std::time::Duration;

use futures::StreamExt;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatMessage, ChatModel, ChatRequest, Role, TokenCount},
};
use lectern_models::{
    bedrock::{BedrockChat, Limits},
    retrying::{RetryPolicy, Retrying},
};
use serde_json::json;
use tokio::sync::oneshot;

use super::{
    PROMPT, assert_discreet, bedrock,
    frames::{complete, tokens},
    server::{Ending, Reply, Server},
};

/// Short enough for a test to wait, far longer than the loopback takes.
pub(super) const SILENCE: Duration = Duration::from_millis(400);
pub(super) const MODEL: &str = "us.anthropic.claude-sonnet-4-20250514-v1:0";

pub(super) fn model(server: &Server) -> BedrockChat {
    let limits = Limits { stall: SILENCE, body_bytes: 64 * 1_024, ..Limits::default() };
    BedrockChat::new(bedrock(server, limits), MODEL)
}

pub(super) fn request() -> ChatRequest {
    let message = |role, content: &str| ChatMessage { role, content: content.to_owned() };
    ChatRequest {
        messages: vec![
            message(Role::System, "be brief"),
            message(Role::User, "first"),
            message(Role::User, PROMPT),
        ],
        max_tokens: 77,
        temperature: 0.5,
        timeout: Duration::from_secs(20),
    }
}

/// Returns the tokens and how the reply ended; fails when something follows the end.
pub(super) async fn ask(model: &dyn ChatModel) -> (String, Result<ChatEvent, PortError>) {
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

pub(super) async fn ask_scripted(reply: Reply) -> (String, Result<ChatEvent, PortError>) {
    let server = Server::start([reply]).await;
    let answer = ask(&model(&server)).await;
    assert_eq!(server.requests().len(), 1, "the SDK tried again");
    if let Err(error) = &answer.1 {
        assert_discreet(error);
    }
    answer
}

fn done(completion: u32, truncated: bool) -> ChatEvent {
    ChatEvent::Done { usage: Some(TokenCount { prompt: 11, completion }), truncated }
}

#[tokio::test]
async fn streams_tokens_and_usage_and_sends_what_was_asked() {
    let server = Server::start([complete(&["Hel", "lo", "!"], "end_turn")]).await;
    let model = model(&server);
    let (text, end) = ask(&model).await;
    assert_eq!((text.as_str(), end.unwrap()), ("Hello!", done(3, false)));
    assert_eq!(model.model(), MODEL);
    let asked = &server.requests()[0];
    assert_eq!(asked.model, MODEL);
    assert!(asked.path.ends_with("/converse-stream"), "{}", asked.path);
    let scope = "/eu-central-1/bedrock/aws4_request";
    assert!(asked.authorization.contains(scope), "{}", asked.authorization);
    let expected = json!({
        "system": [{"text": "be brief"}],
        "messages": [{"role": "user", "content": [{"text": "first"}, {"text": PROMPT}]}],
        "inferenceConfig": {"maxTokens": 77, "temperature": 0.5},
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn reasons_to_stop_are_told_apart() {
    let (text, end) = ask_scripted(complete(&["a", "b"], "max_tokens")).await;
    assert_eq!((text.as_str(), end.unwrap()), ("ab", done(2, true)));
    let (text, end) = ask_scripted(complete(&[], "stop_sequence")).await;
    assert_eq!((text.as_str(), end.unwrap()), ("", done(0, false)));
    let (text, end) = ask_scripted(complete(&["a"], "content_filtered")).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("a", ErrorKind::Invalid));
    for tokens in [vec!["a"], vec![]] {
        let (text, end) = ask_scripted(complete(&tokens, "guardrail_intervened")).await;
        let completion = u32::try_from(tokens.len()).unwrap();
        let usage = Some(TokenCount { prompt: 11, completion });
        assert_eq!((text, end.unwrap()), (tokens.concat(), ChatEvent::Withheld { usage }));
    }
}

#[tokio::test]
async fn a_guardrail_goes_with_every_request_and_looks_before_it_lets_through() {
    let server = Server::start([complete(&["a"], "end_turn"), complete(&["a"], "end_turn")]).await;
    ask(&model(&server)).await.1.unwrap();
    ask(&model(&server).guarded("gr4il:7".parse().unwrap())).await.1.unwrap();
    let asked: Vec<_> =
        server.requests().iter().map(|it| it.body.get("guardrailConfig").cloned()).collect();
    let guardrail = asked[1].as_ref().unwrap();
    assert!(asked[0].is_none());
    assert_eq!(guardrail["guardrailIdentifier"], "gr4il");
    assert_eq!(guardrail["guardrailVersion"], "7");
    assert_eq!(guardrail["streamProcessingMode"], "sync");
}

#[tokio::test]
async fn dropping_the_reply_closes_the_connection() {
    let (gone, mut is_gone) = oneshot::channel();
    let server = Server::start([Reply::Stream(tokens(&["a"]), Ending::Stall(gone))]).await;
    let mut reply = model(&server).stream(request()).await.unwrap();
    assert_eq!(reply.next().await.unwrap().unwrap(), ChatEvent::Token("a".to_owned()));
    assert!(is_gone.try_recv() == Err(oneshot::error::TryRecvError::Empty), "it is still there");
    drop(reply);
    // Dropped by the server, without a word, when it sees that the client is gone.
    is_gone.await.unwrap_err();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let server = Server::start([]).await;
    let model = model(&server);
    let address = server.base_url();
    drop(server);
    // The port is free once the task that held it is gone.
    while tokio::net::TcpStream::connect(address.trim_start_matches("http://")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let error = model.stream(request()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_discreet(&error);
}

#[tokio::test]
async fn the_request_s_own_time_bounds_the_wait_for_the_first_token() {
    let stall = Ending::Stall(oneshot::channel().0);
    let server = Server::start([Reply::Stream(tokens(&[]), stall)]).await;
    let request = ChatRequest { timeout: Duration::from_millis(100), ..request() };
    let error = model(&server).stream(request).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn retries_pass_over_an_outage_and_stop_after_the_first_token() {
    let outage = Reply::Exception(503, "ServiceUnavailableException", String::new(), vec![]);
    let before = Reply::Stream(tokens(&[]), Ending::Cut);
    let after = Reply::Stream(tokens(&["a"]), Ending::Cut);
    let server = Server::start([outage, before, after]).await;
    let policy = RetryPolicy { first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    let (text, end) = ask(&Retrying::new(model(&server), policy)).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("a", ErrorKind::Unavailable));
    assert_eq!(server.requests().len(), 3);
}
