//! Embeddings by `InvokeModel`.

use std::time::Duration;

use lectern_core::{errors::ErrorKind, ports::Embedder};
use lectern_models::{
    bedrock::{BedrockEmbedder, EmbeddingLimits, Limits},
    retrying::RetryPolicy,
};
use lectern_testkit::embedder_contract;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    PROMPT, assert_discreet, bedrock,
    server::{Ending, Reply, Server, invalid},
};

const TITAN: &str = "amazon.titan-embed-text-v2:0";
const COHERE: &str = "cohere.embed-multilingual-v3";
const ONCE: RetryPolicy = RetryPolicy {
    max_attempts: 1,
    first_pause: Duration::ZERO,
    max_pause: Duration::ZERO,
    max_retry_after: Duration::ZERO,
    embedding_budget: Duration::from_secs(30),
};

fn embedder(server: &Server, model: &str, policy: RetryPolicy) -> BedrockEmbedder {
    let limits = EmbeddingLimits { timeout: Duration::from_secs(5), ..EmbeddingLimits::default() };
    let bedrock = bedrock(server, Limits::default());
    BedrockEmbedder::new(bedrock, model, None, limits, policy).unwrap()
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text {number}")).collect()
}

#[tokio::test]
async fn titan_keeps_the_embedder_s_contract() {
    let server = Server::start([]).await;
    embedder_contract::holds_for(&embedder(&server, TITAN, ONCE)).await;
    let bedrock = bedrock(&server, Limits::default());
    let limits = EmbeddingLimits::default();
    let short = BedrockEmbedder::new(bedrock, TITAN, Some(256), limits, ONCE).unwrap();
    embedder_contract::holds_for(&short).await;
    assert_eq!(short.model().id, "bedrock:amazon.titan-embed-text-v2:0@256");
}

#[tokio::test]
async fn cohere_keeps_the_embedder_s_contract() {
    let server = Server::start([]).await;
    embedder_contract::holds_for(&embedder(&server, COHERE, ONCE)).await;
}

#[tokio::test]
async fn titan_takes_one_text_per_request_and_cohere_96() {
    let server = Server::start([]).await;
    embedder(&server, TITAN, ONCE).embed(&texts(3)).await.unwrap();
    let mut asked: Vec<_> = server.requests().iter().map(|it| it.body.clone()).collect();
    asked.sort_by_key(Value::to_string);
    let body = |text: &str| json!({"inputText": text, "dimensions": 1_024, "normalize": true});
    assert_eq!(asked, [body("text 0"), body("text 1"), body("text 2")]);
    let asked = &server.requests()[0];
    assert_eq!((asked.model.as_str(), asked.path.ends_with("/invoke")), (TITAN, true));

    let server = Server::start([]).await;
    embedder(&server, COHERE, ONCE).embed(&texts(200)).await.unwrap();
    let asked = server.requests();
    let mut sizes: Vec<_> =
        asked.iter().map(|it| it.body["texts"].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [8, 96, 96]);
}

#[tokio::test]
async fn eight_requests_are_under_way_at_once_and_no_more() {
    let server = Server::start([]).await;
    server.hold(8);
    let vectors = embedder(&server, TITAN, ONCE).embed(&texts(40)).await.unwrap();
    assert_eq!((vectors.len(), server.most_at_once()), (40, 8));
}

#[tokio::test]
async fn a_call_beyond_the_bound_is_refused_without_a_request() {
    let server = Server::start([]).await;
    let error = embedder(&server, TITAN, ONCE).embed(&texts(513)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn unusable_vectors_are_refused() {
    let unit = |length: usize| (0..length).map(|index| u8::from(index == 0)).collect::<Vec<_>>();
    for (model, reply) in [
        (TITAN, json!({"embedding": unit(1_023)})),
        (TITAN, json!({"embedding": vec![0; 1_024]})),
        (TITAN, json!({"embedding": vec![1e300; 1_024]})),
        (TITAN, json!({"message": PROMPT})),
        (COHERE, json!({"embeddings": []})),
        (COHERE, json!({"embeddings": [unit(1_024), unit(1_024)]})),
        (COHERE, json!({"embeddings": PROMPT})),
    ] {
        let server = Server::start([Reply::Json(reply)]).await;
        let error = embedder(&server, model, ONCE).embed(&texts(1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert_discreet(&error);
    }
}

#[tokio::test]
async fn a_reply_past_the_bound_is_not_read() {
    let server = Server::start([Reply::Json(json!({"embedding": vec![1; 9_000]}))]).await;
    let bedrock = bedrock(&server, Limits { body_bytes: 16_000, ..Limits::default() });
    let limits = EmbeddingLimits::default();
    let embedder = BedrockEmbedder::new(bedrock, TITAN, None, limits, ONCE).unwrap();
    let error = embedder.embed(&texts(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    let printed = lectern_core::errors::chain(&error);
    assert!(printed.contains("larger than 16000 bytes"), "{printed}");
}

#[tokio::test]
async fn refusals_are_told_by_their_remedy_without_the_text() {
    for (reply, kind) in [
        (
            Reply::Exception(429, "ThrottlingException", PROMPT.to_owned(), vec![]),
            ErrorKind::RateLimited { retry_after: None },
        ),
        (
            Reply::Exception(403, "AccessDeniedException", PROMPT.to_owned(), vec![]),
            ErrorKind::Unauthenticated,
        ),
        (invalid(PROMPT), ErrorKind::Invalid),
        (invalid("Too many input tokens. Max input tokens: 8192"), ErrorKind::TooLarge),
    ] {
        let server = Server::start([reply]).await;
        let error = embedder(&server, TITAN, ONCE).embed(&[PROMPT.to_owned()]).await.unwrap_err();
        assert_eq!(error.kind, kind);
        assert_discreet(&error);
        assert_eq!(server.requests().len(), 1, "the SDK tried again");
    }
}

#[tokio::test]
async fn what_is_throttled_is_asked_again_and_nothing_else() {
    let throttled = || Reply::Exception(429, "ThrottlingException", String::new(), vec![]);
    let server = Server::start([throttled(), throttled()]).await;
    let policy = RetryPolicy { max_attempts: 3, ..ONCE };
    let vectors = embedder(&server, TITAN, policy).embed(&texts(20)).await.unwrap();
    let again = embedder(&server, TITAN, ONCE).embed(&texts(20)).await.unwrap();
    assert_eq!(vectors, again, "the order is kept");
    assert_eq!(server.requests().len(), 22 + 20);
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let server = Server::start([]).await;
    server.push(Reply::Stream(vec![], Ending::Stall(oneshot::channel().0)));
    let limits = EmbeddingLimits { timeout: Duration::from_millis(200), ..Default::default() };
    let bedrock = bedrock(&server, Limits::default());
    let embedder = BedrockEmbedder::new(bedrock, TITAN, None, limits, ONCE).unwrap();
    let error = embedder.embed(&texts(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
}
