//! The embedder against a scripted API.

use lectern_core::{errors::ErrorKind, ports::Embedder};
use lectern_models::{
    openai::{EmbeddingLimits, Endpoint, OpenAiEmbedder, ReplyLimits},
    retrying::{RetryPolicy, Retrying},
};
use lectern_testkit::{
    chat::{DIMENSIONS, Reply, ScriptedChat},
    embedder_contract,
};
use serde_json::json;

fn embedder(server: &ScriptedChat, limits: EmbeddingLimits) -> OpenAiEmbedder {
    let key = Some("sk-test".into());
    let endpoint = Endpoint::new(&server.base_url(), key, ReplyLimits::default()).unwrap();
    OpenAiEmbedder::new(endpoint, "mine", DIMENSIONS, limits)
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text {number}")).collect()
}

#[tokio::test]
async fn keeps_the_embedder_s_contract() {
    let server = ScriptedChat::start([]);
    embedder_contract::holds_for(&embedder(&server, EmbeddingLimits::default())).await;
}

#[tokio::test]
async fn sends_batches_with_the_key() {
    let server = ScriptedChat::start([]);
    let limits = EmbeddingLimits { batch_texts: 2, ..EmbeddingLimits::default() };
    let vectors = embedder(&server, limits).embed(&texts(5)).await.unwrap();
    assert_eq!(vectors.len(), 5);
    let requests = server.finish();
    let sizes: Vec<_> =
        requests.iter().map(|request| request.body["input"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(requests[0].path, "/v1/embeddings");
    assert_eq!(requests[0].authorization.as_deref(), Some("Bearer sk-test"));
    assert_eq!(requests[0].body["model"], "mine");
    assert!(requests[0].body.get("dimensions").is_none());
}

#[tokio::test]
async fn tokens_are_what_the_server_counted_else_an_estimate_of_what_it_reads() {
    let server = ScriptedChat::start([]);
    let limits = EmbeddingLimits { batch_texts: 2, ..EmbeddingLimits::default() };
    let embedder = embedder(&server, limits);
    let policy = RetryPolicy { first_pause: std::time::Duration::ZERO, ..RetryPolicy::default() };
    let retrying = Retrying::new(embedder, policy);
    let tokens = async || retrying.embed_counted(&texts(5)).await.unwrap().tokens;
    assert_eq!(tokens().await, 3, "the server says one for each of three requests");
    server.push_embeddings(Reply::rate_limited("0"));
    assert_eq!(tokens().await, 3, "what was refused is not billed");
    let vector = |index: usize| json!({"index": index, "embedding": vec![1.0; DIMENSIONS]});
    server.push_embeddings(Reply::Json(json!({ "data": [vector(0), vector(1)] })));
    let said = tokens().await;
    assert_eq!(said, 2 + retrying.estimate(&texts(2)), "one request was not counted");
    let (long, longer) = (["x ".repeat(5_000)], ["x ".repeat(9_000)]);
    assert_eq!(retrying.estimate(&long), retrying.estimate(&longer), "the rest is cut");
}

#[tokio::test]
async fn a_call_beyond_the_bound_is_refused_without_a_request() {
    let server = ScriptedChat::start([]);
    let limits = EmbeddingLimits { texts: 3, ..EmbeddingLimits::default() };
    let error = embedder(&server, limits).embed(&texts(4)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(server.finish().is_empty());
}

#[tokio::test]
async fn unusable_vectors_are_refused() {
    let server = ScriptedChat::start([]);
    for data in [
        json!([{"index": 0, "embedding": [1.0, 0.0]}]),
        json!([{"index": 0, "embedding": vec![0.0; DIMENSIONS]}]),
        json!([]),
        json!("not a list"),
    ] {
        server.push_embeddings(Reply::Json(json!({ "data": data })));
        let result = embedder(&server, EmbeddingLimits::default()).embed(&texts(1)).await;
        assert_eq!(result.unwrap_err().kind, ErrorKind::Internal);
    }
}

#[tokio::test]
async fn a_refusal_is_told_by_its_remedy_and_a_rate_limit_is_waited_out() {
    let server = ScriptedChat::start([]);
    server.push_embeddings(Reply::status(401));
    let embedder = embedder(&server, EmbeddingLimits::default());
    let error = embedder.embed(&texts(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    server.push_embeddings(Reply::rate_limited("0"));
    let policy = RetryPolicy { first_pause: std::time::Duration::ZERO, ..RetryPolicy::default() };
    let retrying = Retrying::new(embedder, policy);
    assert_eq!(retrying.embed(&texts(1)).await.unwrap().len(), 1);
    assert_eq!(server.finish().len(), 3);
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let server = ScriptedChat::start([]);
    server.push_embeddings(Reply::Stall(Vec::new()));
    let limits = EmbeddingLimits {
        timeout: std::time::Duration::from_millis(200),
        ..EmbeddingLimits::default()
    };
    let error = embedder(&server, limits).embed(&texts(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
}
