//! A server on the loopback that speaks the `/rerank` of Cohere, Jina, Voyage and Text Embeddings Inference, and
//! answers as scripted; without a script it scores texts by the words they share with the query.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
    routing::post,
};
use serde_json::{Value, json};

use crate::{
    chat::{DIMENSIONS, Recorded, Reply, answer, hashed_vector, recorded},
    loopback::Loopback,
};

/// Texts that Text Embeddings Inference takes in one request when it is started without
/// `--max-client-batch-size`.
pub const TEI_LIMIT: usize = 32;

#[derive(Debug, Default)]
struct Script {
    replies: VecDeque<Reply>,
    requests: Vec<Recorded>,
}

/// The server. Dropping it, or [`ScriptedReranker::finish`], fails the test when a scripted reply was not used.
#[derive(Debug)]
pub struct ScriptedReranker {
    server: Loopback,
    script: Arc<Mutex<Script>>,
}

impl ScriptedReranker {
    /// Returns a server that answers with `replies`, one after the other, and then with real scores.
    #[must_use]
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Script { replies: replies.into_iter().collect(), requests: Vec::new() };
        let script = Arc::new(Mutex::new(script));
        let router = Router::new()
            .route("/v2/rerank", post(rerank))
            .route("/v1/rerank", post(rerank))
            .route("/rerank", post(rerank))
            .with_state(Arc::clone(&script));
        Self { server: Loopback::start(router), script }
    }

    /// Returns the address, without a version or a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Scripts one more reply.
    pub fn push(&self, reply: Reply) {
        lock(&self.script).replies.push_back(reply);
    }

    /// Stops the server, checks that its script was followed, and returns the requests.
    #[must_use]
    pub fn finish(mut self) -> Vec<Recorded> {
        self.server.stop();
        self.check();
        lock(&self.script).requests.clone()
    }

    fn check(&self) {
        assert!(lock(&self.script).replies.is_empty(), "scripted reranker replies were not used");
    }
}

impl Drop for ScriptedReranker {
    fn drop(&mut self) {
        if self.server.stop() && !thread::panicking() {
            self.check();
        }
    }
}

/// A panic elsewhere leaves the script readable.
fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn rerank(
    State(script): State<Arc<Mutex<Script>>>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut script = lock(&script);
    script.requests.push(recorded(&uri, &headers, &body));
    let reply = script.replies.pop_front().unwrap_or_else(|| scored(&body));
    answer(reply, &body)
}

/// Returns the scores of a request, best first as the APIs do, in the form of the API it is for.
fn scored(body: &Value) -> Reply {
    let is_tei = body.get("texts").is_some();
    let texts = body[if is_tei { "texts" } else { "documents" }].as_array().unwrap();
    let query = body["query"].as_str().unwrap();
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
    if query.is_empty() || texts.is_empty() || texts.contains(&"") {
        return Reply::status(400);
    }
    if is_tei && texts.len() > TEI_LIMIT {
        return Reply::status(422);
    }
    let query = hashed_vector(query, DIMENSIONS);
    let mut scores: Vec<(usize, f32)> =
        texts.iter().map(|text| similarity(&query, text)).enumerate().collect();
    scores.sort_by(|one, other| other.1.total_cmp(&one.1));
    let (list, field) = match body.get("top_k") {
        Some(_) => ("data", "relevance_score"),
        None if is_tei => ("", "score"),
        None => ("results", "relevance_score"),
    };
    let entries = scores.iter().map(|(index, score)| json!({"index": index, (field): score}));
    let entries = Value::from_iter(entries);
    Reply::Json(if is_tei { entries } else { json!({ (list): entries }) })
}

fn similarity(query: &[f32], text: &str) -> f32 {
    query.iter().zip(hashed_vector(text, DIMENSIONS)).map(|(left, right)| left * right).sum()
}
