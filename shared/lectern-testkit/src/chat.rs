//! A server on the loopback that speaks OpenAI's chat-completions and embeddings format and answers as scripted:
//! well, slowly, cut, or wrong.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    thread,
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};

use crate::loopback::Loopback;

/// Numbers per vector of the embeddings endpoint when the request names none.
pub const DIMENSIONS: usize = 64;
/// Prompt tokens that every reply claims to have counted.
pub const PROMPT_TOKENS: u32 = 11;

/// How the server answers one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Streams the tokens, usage where asked for, and `[DONE]`; one JSON object to a request without `stream`.
    Tokens(Vec<String>),
    /// As [`Reply::Tokens`], ended with `finish_reason: length`.
    Truncated(Vec<String>),
    /// Answers 200 with this JSON, whatever was asked.
    Json(Value),
    /// Answers with a status, headers and a JSON body.
    Status(u16, Vec<(&'static str, String)>, Value),
    /// Streams the tokens, then nothing, and keeps the connection open.
    Stall(Vec<String>),
    /// As [`Reply::Stall`], and holds the sender until the caller hangs up.
    Held(Vec<String>, Sender<()>),
    /// Streams the tokens, then closes the connection in the middle of the body.
    Cut(Vec<String>),
    /// Streams the tokens, then an event that is no JSON.
    Malformed(Vec<String>),
    /// Streams the tokens, then an `error` object.
    Error(Vec<String>, Value),
    /// Streams one line without end.
    EndlessLine,
}

impl Reply {
    /// Returns a good reply of these tokens.
    #[must_use]
    pub fn tokens(tokens: &[&str]) -> Self {
        Self::Tokens(owned(tokens))
    }

    /// Returns a 429 that asks to wait `retry_after` (the header's value).
    #[must_use]
    pub fn rate_limited(retry_after: &str) -> Self {
        let headers = vec![("retry-after", retry_after.to_owned())];
        Self::Status(429, headers, json!({"error": {"code": "rate_limit_exceeded"}}))
    }

    /// Returns a status with an error body and no particular headers.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), json!({"error": {"message": "scripted failure"}}))
    }

    /// Returns OpenAI's refusal of a prompt over the context length.
    #[must_use]
    pub fn context_length_exceeded() -> Self {
        let error = json!({"error": {"code": "context_length_exceeded"}});
        Self::Status(400, Vec::new(), error)
    }
}

/// Returns owned tokens.
#[must_use]
pub fn owned(tokens: &[&str]) -> Vec<String> {
    tokens.iter().map(|token| (*token).to_owned()).collect()
}

/// A request the server got.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its path, `/v1/chat/completions`.
    pub path: String,
    /// Its `Authorization` header.
    pub authorization: Option<String>,
    /// Its body.
    pub body: Value,
}

#[derive(Default)]
struct Script {
    chat: VecDeque<Reply>,
    embeddings: VecDeque<Reply>,
    requests: Vec<Recorded>,
    unscripted: usize,
    refuses_keys: bool,
    standing: Option<Standing>,
}

/// What is replied when the script is at its end, and how late.
type Standing = (Arc<dyn Fn() -> Reply + Send + Sync>, Duration);

/// The server. Dropping it, or [`ScriptedChat::finish`], fails the test when a scripted reply was not used or a
/// chat came that none was scripted for. Embeddings without a script get [`hashed_vector`]s.
#[derive(Debug)]
pub struct ScriptedChat {
    server: Loopback,
    script: Arc<Mutex<Script>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} replies left", self.chat.len() + self.embeddings.len())
    }
}

impl ScriptedChat {
    /// Returns a server that answers chats with `replies`, one after the other.
    #[must_use]
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Script { chat: replies.into_iter().collect(), ..Script::default() };
        let script = Arc::new(Mutex::new(script));
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/embeddings", post(embeddings))
            .route("/v1/models", get(models))
            .with_state(Arc::clone(&script));
        Self { server: Loopback::start(router), script }
    }

    /// Returns the base URL, ending in `/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.server.base_url())
    }

    /// Scripts one more chat reply.
    pub fn push(&self, reply: Reply) {
        lock(&self.script).chat.push_back(reply);
    }

    /// Answers every chat that no reply is scripted for in this way from now on, after `delay`.
    pub fn always(&self, reply: impl Fn() -> Reply + Send + Sync + 'static, delay: Duration) {
        lock(&self.script).standing = Some((Arc::new(reply), delay));
    }

    /// Takes back the chat replies that were not used.
    pub fn forget_rest(&self) {
        lock(&self.script).chat.clear();
    }

    /// Scripts the next reply of the embeddings endpoint.
    pub fn push_embeddings(&self, reply: Reply) {
        lock(&self.script).embeddings.push_back(reply);
    }

    /// Refuses every key that asks for the list of models from now on.
    pub fn refuse_keys(&self) {
        lock(&self.script).refuses_keys = true;
    }

    /// Returns the requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.script).requests.clone()
    }

    /// Stops the server, checks that its script was followed, and returns the requests.
    #[must_use]
    pub fn finish(mut self) -> Vec<Recorded> {
        self.server.stop();
        self.check();
        self.requests()
    }

    fn check(&self) {
        let script = lock(&self.script);
        let left = script.chat.len() + script.embeddings.len();
        assert_eq!(left, 0, "scripted model replies were not used");
        assert_eq!(script.unscripted, 0, "chats came that no reply was scripted for");
    }
}

impl Drop for ScriptedChat {
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

/// Returns what is kept of a request.
pub(crate) fn recorded(uri: &Uri, headers: &HeaderMap, body: &Value) -> Recorded {
    let authorization =
        headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    Recorded { path: uri.path().to_owned(), authorization, body: body.clone() }
}

async fn chat(
    State(script): State<Arc<Mutex<Script>>>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let standing = {
        let mut script = lock(&script);
        script.requests.push(recorded(&uri, &headers, &body));
        match (script.chat.pop_front(), script.standing.clone()) {
            (Some(reply), _) => return answer(reply, &body),
            (None, Some(standing)) => standing,
            (None, None) => {
                script.unscripted += 1;
                return (StatusCode::NOT_IMPLEMENTED, "no reply was scripted").into_response();
            }
        }
    };
    let (reply, delay) = standing;
    tokio::time::sleep(delay).await;
    answer(reply(), &body)
}

async fn models(State(script): State<Arc<Mutex<Script>>>) -> Response {
    if lock(&script).refuses_keys {
        return (StatusCode::UNAUTHORIZED, "no such key").into_response();
    }
    Json(json!({"object": "list", "data": []})).into_response()
}

async fn embeddings(
    State(script): State<Arc<Mutex<Script>>>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut script = lock(&script);
    script.requests.push(recorded(&uri, &headers, &body));
    if let Some(reply) = script.embeddings.pop_front() {
        return answer(reply, &body);
    }
    let dimensions = body["dimensions"].as_u64().and_then(|number| usize::try_from(number).ok());
    let texts = body["input"].as_array().into_iter().flatten().map(|text| text.as_str().unwrap());
    if texts.clone().any(str::is_empty) {
        return answer(Reply::status(400), &body);
    }
    let vector = |(index, text)| {
        let embedding = hashed_vector(text, dimensions.unwrap_or(DIMENSIONS));
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    // Backwards: the order of the list is not the order of the texts, only `index` is.
    let mut data: Vec<_> = texts.enumerate().map(vector).collect();
    data.reverse();
    Json(json!({"object": "list", "data": data, "usage": {"prompt_tokens": 1}})).into_response()
}

/// Returns a vector of norm 1 that depends on the words of `text` alone: texts that share words are near.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "24 random bits fit a float")]
pub fn hashed_vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    let lower = text.to_lowercase();
    let words = lower.split(|character: char| !character.is_alphanumeric());
    // The empty word counts once, so that no text is without direction.
    for word in words.filter(|word| !word.is_empty()).chain([""]) {
        // FNV-1a, then SplitMix64 (Steele et al., 2014) per number.
        let mut state = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        for value in &mut vector {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *value += ((mixed ^ (mixed >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0;
        }
    }
    let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter().map(|value| value / norm).collect()
}

type Piece = Result<Bytes, io::Error>;

pub(crate) fn answer(reply: Reply, request: &Value) -> Response {
    let streams = request["stream"] == json!(true);
    let usage = request["stream_options"]["include_usage"] == json!(true);
    match reply {
        Reply::Tokens(tokens) if streams => {
            events(complete(&tokens, "stop", usage), stream::empty())
        }
        Reply::Truncated(tokens) if streams => {
            events(complete(&tokens, "length", usage), stream::empty())
        }
        Reply::Tokens(tokens) => Json(whole(&tokens, "stop")).into_response(),
        Reply::Truncated(tokens) => Json(whole(&tokens, "length")).into_response(),
        Reply::Json(body) => Json(body).into_response(),
        Reply::Status(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Reply::Stall(tokens) => events(deltas(&tokens), stream::pending()),
        Reply::Held(tokens, held) => {
            let forever = stream::once(async move {
                let _held = held;
                std::future::pending().await
            });
            events(deltas(&tokens), forever)
        }
        Reply::Cut(tokens) => {
            // A body that is not ready for a moment lets hyper flush what came before the cut.
            let cut = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::other("scripted cut"))
            });
            events(deltas(&tokens), cut)
        }
        Reply::Malformed(tokens) => {
            let broken = Bytes::from_static(b"data: {\"choices\": [oops\n\n");
            events(deltas(&tokens), stream::iter([Ok(broken)]))
        }
        Reply::Error(tokens, error) => {
            let error = event(&json!({ "error": error }));
            events(deltas(&tokens), stream::iter([Ok(error)]))
        }
        Reply::EndlessLine => {
            let start = vec![Bytes::from_static(b"data: ")];
            events(start, stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 4_096]))))
        }
    }
}

/// Gives the server a chance to send each piece before the next one, or the cut, comes.
fn events(pieces: Vec<Bytes>, ending: impl Stream<Item = Piece> + Send + 'static) -> Response {
    let pieces = stream::iter(pieces.into_iter().map(Ok)).chain(ending).then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    let body = Body::from_stream(pieces);
    ([("content-type", "text/event-stream")], body).into_response()
}

fn event(body: &Value) -> Bytes {
    Bytes::from(format!("data: {body}\n\n"))
}

fn deltas(tokens: &[String]) -> Vec<Bytes> {
    let delta = |token| json!({"choices": [{"index": 0, "delta": {"content": token}}]});
    tokens.iter().map(|token| event(&delta(token))).collect()
}

fn counted(tokens: &[String]) -> Value {
    json!({"prompt_tokens": PROMPT_TOKENS, "completion_tokens": tokens.len()})
}

fn complete(tokens: &[String], reason: &str, usage: bool) -> Vec<Bytes> {
    let mut pieces = deltas(tokens);
    pieces.push(event(&json!({"choices": [{"delta": {}, "finish_reason": reason}]})));
    if usage {
        pieces.push(event(&json!({"choices": [], "usage": counted(tokens)})));
    }
    pieces.push(Bytes::from_static(b"data: [DONE]\n\n"));
    pieces
}

fn whole(tokens: &[String], reason: &str) -> Value {
    let message = json!({"role": "assistant", "content": tokens.concat()});
    json!({"choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": counted(tokens)})
}
