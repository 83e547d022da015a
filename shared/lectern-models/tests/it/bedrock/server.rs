//! The server: answers as scripted, and embeds without a script.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::{StreamExt, stream, stream::BoxStream};
use lectern_testkit::chat::hashed_vector;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Barrier, oneshot},
    task::{self, JoinHandle},
};

/// How the server answers one request.
pub(super) enum Reply {
    /// 200 with JSON.
    Json(Value),
    /// An exception: status, name, message and further headers.
    Exception(u16, &'static str, String, Vec<(&'static str, &'static str)>),
    /// 200 with an event stream: its frames, and how it goes on.
    Stream(Vec<Bytes>, Ending),
}

/// How a stream goes on after its frames.
pub(super) enum Ending {
    Closed,
    /// The connection breaks.
    Cut,
    /// Nothing comes; the sender is dropped when the client is gone.
    Stall(oneshot::Sender<()>),
    /// The frame comes again and again.
    Repeated(Bytes),
}

/// A request the server got.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) path: String,
    pub(super) model: String,
    pub(super) authorization: String,
    pub(super) body: Value,
}

#[derive(Default)]
struct Script {
    replies: VecDeque<Reply>,
    requests: Vec<Recorded>,
    /// Holds requests until so many are there.
    gate: Option<Arc<Barrier>>,
    here: usize,
    most_at_once: usize,
}

type Shared = Arc<Mutex<Script>>;

pub(super) struct Server {
    address: SocketAddr,
    script: Shared,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Script { replies: replies.into_iter().collect(), ..Script::default() };
        let script: Shared = Arc::new(Mutex::new(script));
        let router = Router::new()
            .route("/model/{id}/converse-stream", post(answer))
            .route("/model/{id}/invoke", post(answer))
            .with_state(Arc::clone(&script));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = task::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { address, script, task }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn push(&self, reply: Reply) {
        self.script.lock().unwrap().replies.push_back(reply);
    }

    /// Answers nobody before `number` requests are there at once.
    pub(super) fn hold(&self, number: usize) {
        self.script.lock().unwrap().gate = Some(Arc::new(Barrier::new(number)));
    }

    /// Returns how many requests were there at once.
    pub(super) fn most_at_once(&self) -> usize {
        self.script.lock().unwrap().most_at_once
    }

    /// Returns the requests so far, in order.
    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.script.lock().unwrap().requests.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(script): State<Shared>,
    Path(model): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (scripted, gate) = {
        let mut script = script.lock().unwrap();
        script.here += 1;
        script.most_at_once = script.most_at_once.max(script.here);
        let authorization = headers["authorization"].to_str().unwrap().to_owned();
        let path = uri.path().to_owned();
        let recorded = Recorded { path, model: model.clone(), authorization, body: body.clone() };
        script.requests.push(recorded);
        (script.replies.pop_front(), script.gate.clone())
    };
    if let Some(gate) = gate {
        gate.wait().await;
    }
    script.lock().unwrap().here -= 1;
    match scripted.unwrap_or_else(|| embed(&model, &body)) {
        Reply::Json(reply) => Json(reply).into_response(),
        Reply::Exception(status, name, message, headers) => {
            let status = StatusCode::from_u16(status).unwrap();
            let mut response = (status, Json(json!({ "message": message }))).into_response();
            let name = ("x-amzn-errortype", name);
            for (name, value) in headers.into_iter().chain([name]) {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Reply::Stream(frames, ending) => {
            // Gives the server a chance to send each frame before the next one, or the cut, comes.
            let pieces = stream::iter(frames.into_iter().map(Ok)).chain(pieces(ending));
            let pieces = pieces.then(|piece| async {
                task::yield_now().await;
                piece
            });
            let media_type = [("content-type", "application/vnd.amazon.eventstream")];
            (media_type, Body::from_stream(pieces)).into_response()
        }
    }
}

fn pieces(ending: Ending) -> BoxStream<'static, io::Result<Bytes>> {
    match ending {
        Ending::Closed => stream::empty().boxed(),
        Ending::Cut => stream::iter([Err(io::Error::other("scripted cut"))]).boxed(),
        Ending::Repeated(frame) => stream::repeat_with(move || Ok(frame.clone())).boxed(),
        Ending::Stall(gone) => stream::once(async move {
            let _gone = gone;
            std::future::pending().await
        })
        .boxed(),
    }
}

/// Returns the vectors of a request, or the refusal of one that breaks the model's limits.
fn embed(model: &str, body: &Value) -> Reply {
    if model.contains("titan") {
        let text = body["inputText"].as_str().unwrap();
        // The tokeniser that makes the most tokens: one per byte, with one at each end.
        if text.is_empty() || text.chars().count() > 50_000 || text.len() + 2 > 8_192 {
            return invalid("Malformed input request: expected maxLength: 50000");
        }
        let dimensions = body["dimensions"].as_u64().unwrap();
        return Reply::Json(json!({
            "embedding": vector(text, usize::try_from(dimensions).unwrap()),
            "inputTextTokenCount": 3,
        }));
    }
    let texts: Vec<_> =
        body["texts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    if texts.len() > 96 || texts.iter().any(|text| text.chars().count() > 2_048) {
        return invalid("Malformed input request: expected maxLength: 2048");
    }
    assert_eq!(
        (&body["input_type"], &body["truncate"]),
        (&json!("search_document"), &json!("END"))
    );
    let vectors: Vec<_> = texts.iter().map(|text| vector(text, 1_024)).collect();
    Reply::Json(json!({"id": "1", "response_type": "embeddings_floats", "embeddings": vectors}))
}

/// Returns a vector that is not of length 1.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    hashed_vector(text, dimensions).into_iter().map(|number| number * 3.0).collect()
}

pub(super) fn invalid(message: &str) -> Reply {
    Reply::Exception(400, "ValidationException", message.to_owned(), Vec::new())
}
