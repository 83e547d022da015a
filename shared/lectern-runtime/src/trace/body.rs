//! The end of a response, which for a stream is long after its head.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use lectern_telemetry::{
    instruments::{HTTP_REQUEST, Held},
    labels, lines,
};
use tracing::{Span, info};

/// Routes by which somebody asks how the service is. They are asked every few seconds, and a 503 there tells of an outage and is
/// none: counted, they would be most of what the service level is made of.
const ABOUT_ITSELF: [&str; 3] = ["/health", "/metrics", "/ready"];

/// What is known of a request whose response is being sent.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) status: u16,
    pub(super) started: Instant,
    pub(super) span: Span,
    /// Counts it among those under way.
    pub(super) _active: Held,
    /// Whether the response was sent to its end.
    pub(super) is_complete: bool,
}

impl Drop for Seen {
    /// One log line and one measurement for each request, when its last byte is made or its client is gone.
    fn drop(&mut self) {
        let took = self.started.elapsed();
        {
            let _entered = self.span.enter();
            self.span.record("http.response.status_code", self.status);
            if self.status >= 500 {
                self.span.record("otel.status_code", "ERROR");
            }
            let duration_ms = took.as_secs_f64() * 1_000.0;
            let complete = self.is_complete;
            info!(status = self.status, duration_ms, complete, "answered a request");
        }
        if ABOUT_ITSELF.contains(&self.route) {
            return lines::write();
        }
        let labels = [
            ("http_request_method", self.method),
            ("http_route", self.route),
            ("http_response_status_code", labels::status(self.status)),
        ];
        HTTP_REQUEST.record(took.as_secs_f64(), &labels);
        lines::write();
    }
}

/// A body whose end is seen, and what makes it runs within the request's span.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) inner: Body,
    pub(super) seen: Seen,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = {
            let _entered = this.seen.span.enter();
            Pin::new(&mut this.inner).poll_frame(context)
        };
        let is_over = matches!(polled, Poll::Ready(None)) || this.inner.is_end_stream();
        this.seen.is_complete |= is_over;
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
