//! The Runtime API as a custom runtime sees it: one event at a time, each answered once.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, watch};

use super::{
    ACCOUNT, FunctionError, MAX_RESPONSE_BYTES, REGION,
    environment::lock,
    streaming::{Chunk, Ended, Head, HungUp, pump},
};

/// The media type of streams that begin with API Gateway's prelude.
const INTEGRATION_RESPONSE: &str = "application/vnd.awslambda.http-integration-response";

/// What happens to an event, in order.
#[derive(Debug)]
pub(super) enum Signal {
    /// The function took it.
    Taken(Instant),
    /// The whole answer.
    Buffered(Bytes),
    /// The function reported an error, or its answer was refused.
    Failed(FunctionError),
    /// The answer is none.
    Malformed(String),
    /// A streamed answer begins.
    Head(Head),
    /// A piece of it.
    Chunk(Chunk),
    /// It is over.
    Ended(Ended),
}

/// Where the signals of one event go. Dropped when no more will come.
#[derive(Debug)]
pub(super) struct Signals {
    sender: mpsc::UnboundedSender<Signal>,
    /// Whether a listener that is gone wants the connection cut without an answer.
    severed: Arc<AtomicBool>,
}

impl Signals {
    /// Returns both ends.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Signal>, Arc<AtomicBool>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let severed = Arc::new(AtomicBool::new(false));
        (Self { sender, severed: Arc::clone(&severed) }, receiver, severed)
    }

    /// Sends one, if somebody listens.
    pub(super) fn send(&self, signal: Signal) {
        let _ = self.sender.send(signal);
    }

    /// Waits until nobody listens.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// An event on its way to the function.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    pub(super) event: Bytes,
    pub(super) signals: Signals,
}

/// The event that the function holds.
#[derive(Debug)]
struct Current {
    request_id: String,
    taken: Instant,
    /// Gone once the function has begun to answer.
    signals: Option<Signals>,
}

#[derive(Debug, Default)]
struct Queue {
    deliveries: VecDeque<Delivery>,
    closed: bool,
}

/// The state behind the routes.
#[derive(Debug)]
pub(super) struct Api {
    arn: String,
    timeout: Duration,
    started: Instant,
    queue: Mutex<Queue>,
    arrived: Notify,
    current: Mutex<Option<Current>>,
    /// How long the function took to ask for its first event.
    pub(super) first_poll: watch::Sender<Option<Duration>>,
    /// Why the function could not start.
    pub(super) init_error: watch::Sender<Option<FunctionError>>,
}

impl Api {
    /// Returns an API without events for a function that is started now.
    pub(super) fn new(function_name: &str, timeout: Duration, started: Instant) -> Self {
        Self {
            arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"),
            timeout,
            started,
            queue: Mutex::default(),
            arrived: Notify::new(),
            current: Mutex::default(),
            first_poll: watch::Sender::default(),
            init_error: watch::Sender::default(),
        }
    }

    /// Returns the routes.
    pub(super) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(self)
    }

    /// Queues an event; drops it, and with it its signals, when the function is no more.
    pub(super) fn submit(&self, delivery: Delivery) {
        let mut queue = lock(&self.queue);
        if !queue.closed {
            queue.deliveries.push_back(delivery);
            self.arrived.notify_one();
        }
    }

    /// Drops every event that was not answered, and every one to come.
    pub(super) fn close(&self) {
        let mut queue = lock(&self.queue);
        queue.closed = true;
        queue.deliveries.clear();
        lock(&self.current).take();
    }

    /// Waits for an event. One that is not taken stays in the queue.
    async fn delivery(&self) -> Delivery {
        loop {
            let arrived = self.arrived.notified();
            if let Some(delivery) = lock(&self.queue).deliveries.pop_front() {
                return delivery;
            }
            arrived.await;
        }
    }

    /// Remembers the event the function holds, unless it ended meanwhile.
    fn hand_over(&self, event: Current) {
        let queue = lock(&self.queue);
        if !queue.closed {
            *lock(&self.current) = Some(event);
        }
    }

    /// Returns the signals of the event the function holds, once.
    fn answering(&self, request_id: &str) -> Option<(Instant, Signals)> {
        let mut current = lock(&self.current);
        let current = current.as_mut().filter(|current| current.request_id == request_id)?;
        Some((current.taken, current.signals.take()?))
    }
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    api.first_poll.send_if_modified(|first| {
        let is_first = first.is_none();
        first.get_or_insert_with(|| api.started.elapsed());
        is_first
    });
    let unanswered = lock(&api.current).take().and_then(|current| current.signals);
    if let Some(signals) = unanswered {
        let asked = "the function asked for the next event without answering this one";
        signals.send(Signal::Malformed(asked.to_owned()));
    }
    let Delivery { request_id, event, signals } = api.delivery().await;
    let taken = Instant::now();
    signals.send(Signal::Taken(taken));
    let deadline = SystemTime::now() + api.timeout;
    let deadline_ms = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", request_id.clone()),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", api.arn.clone()),
        (
            "lambda-runtime-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0".to_owned(),
        ),
    ];
    api.hand_over(Current { request_id, taken, signals: Some(signals) });
    (headers, event).into_response()
}

async fn response(
    State(api): State<Arc<Api>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some((taken, signals)) = api.answering(&request_id) else { return unknown_request() };
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    if header("lambda-runtime-function-response-mode").eq_ignore_ascii_case("streaming") {
        let content_type = header("content-type");
        let plain = (content_type != INTEGRATION_RESPONSE).then(|| content_type.to_owned());
        let pumped = pump(body, plain, taken, &signals).await;
        return match pumped {
            Ok(()) => accepted(),
            Err(HungUp) if signals.severed.load(Ordering::Acquire) => sever(),
            Err(HungUp) => refused(StatusCode::GONE, "StreamClosed"),
        };
    }
    // A connection that breaks drops the signals: whoever waits learns it from the end of the process.
    let Ok(body) = to_bytes(body, usize::MAX).await else { return sever() };
    if body.len() > MAX_RESPONSE_BYTES {
        signals.send(Signal::Failed(FunctionError {
            error_type: "Function.ResponseSizeTooLarge".to_owned(),
            message: format!(
                "Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            ),
        }));
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge");
    }
    signals.send(Signal::Buffered(body));
    accepted()
}

async fn error(
    State(api): State<Arc<Api>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((_, signals)) = api.answering(&request_id) else { return unknown_request() };
    signals.send(Signal::Failed(reported(&headers, &body)));
    accepted()
}

async fn init_error(State(api): State<Arc<Api>>, headers: HeaderMap, body: Bytes) -> Response {
    api.init_error.send_replace(Some(reported(&headers, &body)));
    api.close();
    accepted()
}

/// Returns what a function reports, from its body or, where that is no JSON, from the header.
fn reported(headers: &HeaderMap, body: &[u8]) -> FunctionError {
    let header = headers.get("lambda-runtime-function-error-type");
    let header = header.and_then(|value| value.to_str().ok()).unwrap_or("Unknown");
    let body_text = String::from_utf8_lossy(body);
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str, default: &str| body[name].as_str().unwrap_or(default).to_owned();
    FunctionError {
        error_type: text("errorType", header),
        message: text("errorMessage", &body_text),
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn unknown_request() -> Response {
    refused(StatusCode::BAD_REQUEST, "InvalidRequestID")
}

fn refused(status: StatusCode, error_type: &str) -> Response {
    let body = json!({"errorMessage": error_type, "errorType": error_type});
    (status, Json(body)).into_response()
}

/// Ends the connection without an answer: hyper drops it with the task that served it. No panic hook runs.
fn sever() -> Response {
    std::panic::resume_unwind(Box::new("the connection is cut on purpose"))
}
