//! Stages of a flow: each is a span, and a debug line when it is over.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use pin_project_lite::pin_project;
use tracing::{Instrument as _, debug, debug_span, instrument::Instrumented, span::EnteredSpan};

/// What is done within a stage.
pub trait Staged: Future + Sized {
    /// Returns it as the stage `name`, `retrieve`.
    fn staged(self, name: &'static str) -> Stage<Self> {
        let ended = Ended { name, since: Instant::now() };
        Stage { inner: self.instrument(span(name)), ended }
    }
}

impl<F: Future> Staged for F {}

pin_project! {
    /// See [`Staged::staged`]. It holds the future once: what waits for it is no larger than it need be.
    #[derive(Debug)]
    pub struct Stage<F> {
        #[pin]
        inner: Instrumented<F>,
        ended: Ended,
    }
}

impl<F: Future> Future for Stage<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(context)
    }
}

/// Enters a stage of what waits for nothing, until what is returned is dropped.
#[must_use]
pub fn entered(name: &'static str) -> Entered {
    Entered { _span: span(name).entered(), _ended: Ended { name, since: Instant::now() } }
}

/// See [`entered`].
#[derive(Debug)]
pub struct Entered {
    _span: EnteredSpan,
    _ended: Ended,
}

fn span(name: &'static str) -> tracing::Span {
    debug_span!("stage", otel.name = name, stage = name)
}

#[derive(Debug)]
struct Ended {
    name: &'static str,
    since: Instant,
}

impl Drop for Ended {
    fn drop(&mut self) {
        let duration_ms = self.since.elapsed().as_secs_f64() * 1_000.0;
        debug!(stage = self.name, duration_ms, "a stage is over");
    }
}
