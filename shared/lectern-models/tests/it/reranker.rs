//! The rerankers against scripted APIs.

use std::time::Duration;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::Reranker,
};
use lectern_models::{
    config::{ApiConfig, RerankerConfig},
    http::{Endpoint, ReplyLimits},
    rerank::{HostedReranker, MAX_PASSAGES, MAX_REPLY_BYTES, MAX_TEXT_BYTES, TeiReranker, Vendor},
    retrying::RetryPolicy,
};
use lectern_testkit::{
    chat::{Recorded, Reply},
    rerank::ScriptedReranker,
    reranker_contract,
};
use serde_json::{Value, json};

/// Long enough for the loopback.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The adapters, and the version in the path of their API.
const KINDS: [(Option<Vendor>, &str); 4] = [
    (Some(Vendor::Cohere), "/v2"),
    (Some(Vendor::Jina), "/v1"),
    (Some(Vendor::Voyage), "/v1"),
    (None, ""),
];

fn reranker(
    server: &ScriptedReranker,
    (vendor, version): (Option<Vendor>, &str),
) -> Box<dyn Reranker> {
    let limits = ReplyLimits { body_bytes: MAX_REPLY_BYTES, ..ReplyLimits::default() };
    let base_url = format!("{}{version}", server.base_url());
    let endpoint = Endpoint::new(&base_url, Some("key-1".into()), limits).unwrap();
    match vendor {
        Some(vendor) => Box::new(HostedReranker::new(endpoint, vendor, "mine")),
        None => Box::new(TeiReranker::new(endpoint)),
    }
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text {number}")).collect()
}

/// Returns a reply with these entries, in the form of each API.
fn reply(vendor: Option<Vendor>, entries: &[(usize, Value)]) -> Reply {
    let field = if vendor.is_some() { "relevance_score" } else { "score" };
    let entries: Value =
        entries.iter().map(|(index, score)| json!({"index": index, (field): score})).collect();
    Reply::Json(match vendor {
        Some(Vendor::Voyage) => json!({"object": "list", "data": entries, "model": "mine"}),
        Some(Vendor::Cohere) => json!({"id": "x", "results": entries, "meta": {}}),
        Some(Vendor::Jina) => json!({"model": "mine", "results": entries, "usage": {}}),
        None => entries,
    })
}

async fn rerank(reranker: &dyn Reranker, count: usize) -> Result<Vec<f32>, PortError> {
    reranker.rerank("asked", &texts(count), TIMEOUT).await
}

#[tokio::test]
async fn every_adapter_keeps_the_contract() {
    for kind in KINDS {
        let server = ScriptedReranker::start([]);
        reranker_contract::holds_for(reranker(&server, kind).as_ref()).await;
    }
}

async fn sent(kind: (Option<Vendor>, &str)) -> Recorded {
    let server = ScriptedReranker::start([]);
    let passages = ["first".to_owned(), String::new()];
    reranker(&server, kind).rerank("asked", &passages, TIMEOUT).await.unwrap();
    let requests = server.finish();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].authorization.as_deref(), Some("Bearer key-1"));
    requests[0].clone()
}

#[tokio::test]
async fn cohere_is_sent_its_fields() {
    let request = sent(KINDS[0]).await;
    assert_eq!(request.path, "/v2/rerank");
    let expected =
        json!({"model": "mine", "query": "asked", "documents": ["first", " "], "top_n": 2});
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn jina_is_sent_its_fields() {
    let request = sent(KINDS[1]).await;
    assert_eq!(request.path, "/v1/rerank");
    let expected = json!({"model": "mine", "query": "asked", "documents": ["first", " "],
        "top_n": 2, "return_documents": false});
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn voyage_is_sent_its_fields() {
    let request = sent(KINDS[2]).await;
    assert_eq!(request.path, "/v1/rerank");
    let expected = json!({"model": "mine", "query": "asked", "documents": ["first", " "],
        "top_k": 2, "return_documents": false, "truncation": true});
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn tei_is_sent_its_fields_in_batches() {
    let request = sent(KINDS[3]).await;
    assert_eq!(request.path, "/rerank");
    let expected =
        json!({"query": "asked", "texts": ["first", " "], "raw_scores": true, "truncate": true});
    assert_eq!(request.body, expected);

    let server = ScriptedReranker::start([]);
    rerank(reranker(&server, KINDS[3]).as_ref(), 65).await.unwrap();
    let sizes: Vec<usize> = server
        .finish()
        .iter()
        .map(|request| request.body["texts"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [32, 32, 1]);
}

#[tokio::test]
async fn scores_are_put_in_the_order_of_the_passages() {
    for kind in KINDS {
        let entries = [(2, json!(7)), (0, json!(0.5)), (1, json!(-3.25))];
        let server = ScriptedReranker::start([reply(kind.0, &entries)]);
        let scores = rerank(reranker(&server, kind).as_ref(), 3).await.unwrap();
        assert_eq!(scores, [0.5, -3.25, 7.0]);
    }
}

#[tokio::test]
async fn a_reply_that_does_not_score_each_passage_once_is_an_internal_error() {
    for kind in KINDS {
        for entries in [
            vec![(0, json!(0.5))],
            vec![(0, json!(0.5)), (2, json!(0.5))],
            vec![(0, json!(0.5)), (0, json!(0.5))],
            vec![(0, json!(0.5)), (1, json!(0.5)), (1, json!(0.5))],
            // How servers written in Python and in Rust say NaN; and a number beyond f32.
            vec![(0, json!(0.5)), (1, json!("NaN"))],
            vec![(0, json!(0.5)), (1, Value::Null)],
            vec![(0, json!(0.5)), (1, json!(1e300))],
        ] {
            let server = ScriptedReranker::start([reply(kind.0, &entries)]);
            let error = rerank(reranker(&server, kind).as_ref(), 2).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Internal, "{kind:?} {entries:?}");
        }
        for body in [json!({}), json!([[]]), json!("no"), json!({"results": [{"index": 0}]})] {
            let server = ScriptedReranker::start([Reply::Json(body)]);
            let error = rerank(reranker(&server, kind).as_ref(), 1).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Internal, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn refusals_are_told_by_their_remedy() {
    let wait = Some(Duration::from_secs(7));
    for kind in KINDS {
        for (reply, expected) in [
            (Reply::rate_limited("7"), ErrorKind::RateLimited { retry_after: wait }),
            (Reply::status(401), ErrorKind::Unauthenticated),
            (Reply::status(404), ErrorKind::NotFound),
            (Reply::status(413), ErrorKind::TooLarge),
            (Reply::status(422), ErrorKind::Invalid),
            (Reply::status(503), ErrorKind::Unavailable),
            (Reply::status(307), ErrorKind::Internal),
            (Reply::EndlessLine, ErrorKind::Internal),
            (Reply::Cut(Vec::new()), ErrorKind::Unavailable),
        ] {
            let server = ScriptedReranker::start([reply]);
            let error = rerank(reranker(&server, kind).as_ref(), 1).await.unwrap_err();
            assert_eq!(error.kind, expected, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn no_passage_and_too_many_cost_no_request() {
    for kind in KINDS {
        let server = ScriptedReranker::start([]);
        let reranker = reranker(&server, kind);
        assert!(rerank(reranker.as_ref(), 0).await.unwrap().is_empty());
        let error = rerank(reranker.as_ref(), MAX_PASSAGES + 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooLarge);
        assert!(server.finish().is_empty());
        let server = ScriptedReranker::start([]);
        let scores = rerank(self::reranker(&server, kind).as_ref(), MAX_PASSAGES).await;
        assert_eq!(scores.unwrap().len(), MAX_PASSAGES);
    }
}

#[tokio::test]
async fn long_texts_are_cut_before_they_are_sent() {
    for kind in KINDS {
        let server = ScriptedReranker::start([]);
        let long = "ü".repeat(MAX_TEXT_BYTES);
        let passages = [format!("a{long}")];
        reranker(&server, kind).rerank(&long, &passages, TIMEOUT).await.unwrap();
        let body = &server.finish()[0].body;
        let list = if kind.0.is_some() { "documents" } else { "texts" };
        assert_eq!(body["query"].as_str().unwrap().len(), MAX_TEXT_BYTES);
        assert_eq!(body[list][0].as_str().unwrap().len(), MAX_TEXT_BYTES - 1);
    }
}

#[tokio::test]
async fn a_server_that_stalls_or_is_not_there_costs_no_more_than_the_time_allowed() {
    let limit = Duration::from_millis(150);
    for kind in KINDS {
        let server = ScriptedReranker::start([Reply::Stall(Vec::new())]);
        let reranker = reranker(&server, kind);
        let error = reranker.rerank("asked", &texts(1), limit).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout);
        assert_eq!(server.finish().len(), 1);
        let error = rerank(reranker.as_ref(), 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn a_configured_reranker_passes_over_an_outage_within_its_time() {
    let server = ScriptedReranker::start([Reply::status(503), Reply::rate_limited("0")]);
    let api = ApiConfig { base_url: Some(format!("{}/v2", server.base_url())), key: None };
    let policy = RetryPolicy { first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    let config = RerankerConfig::parse("cohere:mine").unwrap();
    let reranker = config.open(&api, policy).unwrap().unwrap();
    assert_eq!(rerank(reranker.as_ref(), 2).await.unwrap().len(), 2);
    // A wait longer than the time that is left is not begun.
    server.push(Reply::rate_limited("9"));
    let limit = Duration::from_secs(2);
    let error = reranker.rerank("asked", &texts(1), limit).await.unwrap_err();
    let retry_after = Some(Duration::from_secs(9));
    assert_eq!(error.kind, ErrorKind::RateLimited { retry_after });
    let requests = server.finish();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.authorization.is_none()));
}
