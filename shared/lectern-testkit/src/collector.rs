//! A collector of spans on the loopback: what an exporter sends by OTLP over HTTP is kept, and told as a tree.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::Span as Sent,
};
use prost::Message as _;

use crate::loopback::Loopback;

/// Largest request that is taken.
const MAX_BYTES: usize = 16 << 20;

/// A span as it came.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its trace, 32 digits.
    pub trace_id: String,
    /// Its id, 16 digits.
    pub id: String,
    /// The span it is in; empty for the first of a trace.
    pub parent_id: String,
    /// Its name.
    pub name: String,
    /// What is noted of it, as text.
    pub attributes: BTreeMap<String, String>,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
}

impl From<Sent> for Span {
    fn from(sent: Sent) -> Self {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
        };
        let attributes =
            sent.attributes.into_iter().map(|KeyValue { key, value, .. }| (key, text(value)));
        Self {
            trace_id: hex(&sent.trace_id),
            id: hex(&sent.span_id),
            parent_id: hex(&sent.parent_span_id),
            name: sent.name,
            attributes: attributes.collect(),
            began: sent.start_time_unix_nano,
            ended: sent.end_time_unix_nano,
        }
    }
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(is_so)) => is_so.to_string(),
        other => format!("{other:?}"),
    }
}

#[derive(Debug, Default)]
struct Kept {
    spans: Mutex<Vec<Span>>,
    came: Condvar,
}

/// A running collector.
#[derive(Debug)]
pub struct Collector {
    server: Loopback,
    kept: Arc<Kept>,
}

impl Collector {
    /// Starts one on a free port.
    #[must_use]
    pub fn start() -> Self {
        let kept = Arc::<Kept>::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .layer(axum::extract::DefaultBodyLimit::max(MAX_BYTES))
            .with_state(Arc::clone(&kept));
        Self { server: Loopback::start(router), kept }
    }

    /// Returns where it is, as a setting names it.
    #[must_use]
    pub fn setting(&self) -> String {
        format!("otlp:{}", self.server.base_url())
    }

    /// Stops listening. Whoever sends is refused from then on.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Returns the spans of a trace when `are_enough`, or what there is after `patience`.
    #[must_use]
    pub fn wait(
        &self,
        trace_id: &str,
        patience: Duration,
        are_enough: impl Fn(&[Span]) -> bool,
    ) -> Vec<Span> {
        let until = Instant::now() + patience;
        let mut spans = self.kept.spans.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let found: Vec<Span> =
                spans.iter().filter(|span| span.trace_id == trace_id).cloned().collect();
            let left = until.saturating_duration_since(Instant::now());
            if are_enough(&found) || left.is_zero() {
                return found;
            }
            spans = self.kept.came.wait_timeout(spans, left).unwrap().0;
        }
    }

    /// Returns all spans that came.
    #[must_use]
    pub fn all(&self) -> Vec<Span> {
        self.kept.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(kept): State<Arc<Kept>>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans).map(Span::from);
    kept.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
    kept.came.notify_all();
    StatusCode::OK
}

/// Returns spans of one trace as a tree, each with when it began after the first and how long it took, in milliseconds.
#[must_use]
pub fn tree(spans: &[Span]) -> String {
    let mut sorted: Vec<&Span> = spans.iter().collect();
    sorted.sort_by_key(|span| span.began);
    let Some(begin) = sorted.first().map(|span| span.began) else { return String::new() };
    let is_here = |id: &str| sorted.iter().any(|span| span.id == id);
    let mut text = String::new();
    for root in sorted.iter().filter(|span| !is_here(&span.parent_id)) {
        branch(&sorted, root, begin, 0, &mut text);
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "spans of tests are short")]
fn branch(spans: &[&Span], span: &Span, begin: u64, depth: usize, text: &mut String) {
    let millis = |nanos: u64| nanos as f64 / 1_000_000.0;
    let name = format!("{}{}", "  ".repeat(depth), span.name);
    let (after, took) = (millis(span.began - begin), millis(span.ended.saturating_sub(span.began)));
    let _ = writeln!(text, "{after:>9.2} {took:>9.2}  {name}");
    for child in spans.iter().filter(|child| child.parent_id == span.id) {
        branch(spans, child, begin, depth + 1, text);
    }
}
