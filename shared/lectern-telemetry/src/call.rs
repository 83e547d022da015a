//! One call of a dependency: how long it took and how it ended, as a metric and as a span.

use std::time::Instant;

use lectern_core::errors::{ErrorKind, PortError};
use tracing::{Instrument as _, Span, debug_span, field::Empty};

use crate::instruments::DEPENDENCY;

/// What Lectern depends on, besides models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// The files.
    Blobs,
    /// The passages.
    Index,
    /// The rings for the ingestion worker.
    Queue,
    /// The records.
    Table,
}

impl Dependency {
    /// Returns the word of labels, spans and health checks.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blobs => "blobs",
            Self::Index => "index",
            Self::Queue => "queue",
            Self::Table => "table",
        }
    }
}

/// What stands for a call that went well.
pub const OK: &str = "ok";
/// What stands for a call nobody waited for to its end: its time was over, or its asker gone.
pub const CANCELLED: &str = "cancelled";

/// Returns the word that labels and spans have for a kind of error.
#[must_use]
pub fn word_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::RateLimited { .. } => "rate_limited",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Internal => "internal",
    }
}

/// Returns what `call` returns, and notes how long it took and how it ended; also when it is dropped before.
pub async fn call<T>(
    dependency: Dependency,
    operation: &'static str,
    call: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    call_for(dependency, operation, operation, call).await
}

/// As [`call`]; the span says in the words `purpose` what it is made for.
pub async fn call_for<T>(
    dependency: Dependency,
    operation: &'static str,
    purpose: &'static str,
    call: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let span = debug_span!(
        "dependency",
        otel.name = format_args!("{} {purpose}", dependency.as_str()),
        otel.kind = "client",
        dependency = dependency.as_str(),
        operation,
        outcome = Empty,
    );
    let mut seen = Seen::new(dependency, operation, span.clone());
    let result = call.instrument(span).await;
    seen.outcome = result.as_ref().map_or_else(|error| word_of(error.kind), |_| OK);
    result
}

/// Notes a call when it is dropped.
struct Seen {
    dependency: Dependency,
    operation: &'static str,
    outcome: &'static str,
    span: Span,
    since: Instant,
}

impl Seen {
    fn new(dependency: Dependency, operation: &'static str, span: Span) -> Self {
        Self { dependency, operation, outcome: CANCELLED, span, since: Instant::now() }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
        let labels = [
            ("dependency", self.dependency.as_str()),
            ("operation", self.operation),
            ("outcome", self.outcome),
        ];
        DEPENDENCY.record(self.since.elapsed().as_secs_f64(), &labels);
    }
}

#[cfg(test)]
mod tests {
    use metrics_util::debugging::DebuggingRecorder;

    use super::*;

    /// Returns what was recorded of calls that `run` makes.
    fn recorded(run: impl FnOnce(&tokio::runtime::Runtime)) -> Vec<String> {
        let recorder = DebuggingRecorder::new();
        let snapshots = recorder.snapshotter();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        metrics::with_local_recorder(&recorder, || run(&runtime));
        let found = snapshots.snapshot().into_vec().into_iter();
        found.map(|(key, ..)| key.key().to_string()).collect()
    }

    #[test]
    fn a_call_is_noted_however_it_ends() {
        let found = recorded(|runtime| {
            let refused = PortError::bare(ErrorKind::Timeout, "get item");
            let ended = call(Dependency::Table, "get item", async { Err::<(), _>(refused) });
            assert_eq!(runtime.block_on(ended).unwrap_err().kind, ErrorKind::Timeout);
        });
        let key = |outcome| {
            format!(
                "Key(rag_dependency_duration_seconds, [dependency = table, operation = get item, outcome = {outcome}])"
            )
        };
        assert_eq!(found, [key("timeout")]);
        let found = recorded(|runtime| {
            let never = std::future::pending::<Result<(), PortError>>();
            runtime.block_on(async {
                let mut waiting = Box::pin(call(Dependency::Table, "get item", never));
                assert!(futures::poll!(&mut waiting).is_pending());
            });
        });
        assert_eq!(found, [key("cancelled")]);
    }
}
