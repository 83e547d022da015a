//! What became of an event.

use std::{
    process::ExitStatus,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{sync::mpsc, time::timeout_at};

use super::{
    PATIENCE,
    environment::Environment,
    runtime_api::Signal,
    streaming::{Chunk, Ended, Head, Streamed},
};

/// An event that was sent, and what became of it.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Its id.
    pub request_id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// From the moment the function took it to the end of the answer; zero when it never did.
    pub duration: Duration,
}

impl Invocation {
    /// Returns the buffered answer.
    ///
    /// # Panics
    /// When something else became of the event.
    #[must_use]
    pub fn json(&self) -> &Value {
        match &self.outcome {
            Outcome::Buffered(answer) => answer,
            other => panic!("the function gave no buffered answer: {other:?}"),
        }
    }

    /// Returns the streamed answer.
    ///
    /// # Panics
    /// When something else became of the event.
    #[must_use]
    pub fn streamed(&self) -> &Streamed {
        match &self.outcome {
            Outcome::Streaming(answer) => answer,
            other => panic!("the function streamed no answer: {other:?}"),
        }
    }
}

/// What became of an event.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The function answered at once.
    Buffered(Value),
    /// The function streamed its answer.
    Streaming(Streamed),
    /// The function reported an error, as it does for a panic, or its answer was too large.
    Error(FunctionError),
    /// The function reported that it cannot start.
    InitError(FunctionError),
    /// The process ended without an answer.
    Exited(ExitStatus),
    /// The function took longer than its timeout and was killed.
    TimedOut,
    /// The answer was none: no JSON, no prelude.
    Malformed(String),
}

/// What a function says of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// `errorType`.
    pub error_type: String,
    /// `errorMessage`.
    pub message: String,
}

/// An event on its way. Dropping it does not recall the event.
#[derive(Debug)]
pub struct Pending {
    request_id: String,
    signals: mpsc::UnboundedReceiver<Signal>,
    severed: Arc<AtomicBool>,
    environment: Arc<Environment>,
    timeout: Duration,
    sent: Instant,
    taken: Option<Instant>,
}

/// What comes next of an event.
enum Next {
    Signal(Signal),
    TimedOut,
    /// Nothing more: the function is no more.
    Gone,
}

impl Pending {
    pub(super) fn new(
        request_id: String,
        signals: mpsc::UnboundedReceiver<Signal>,
        severed: Arc<AtomicBool>,
        environment: Arc<Environment>,
        timeout: Duration,
    ) -> Self {
        let sent = Instant::now();
        Self { request_id, signals, severed, environment, timeout, sent, taken: None }
    }

    /// Waits until the function has taken the event; returns false when the function ended before.
    pub async fn taken(&mut self) -> bool {
        if self.taken.is_none() {
            // Nothing comes before it, and nothing is lost by taking it out.
            let _ = self.next_or_taken().await;
        }
        self.taken.is_some()
    }

    /// Waits for the end of the answer.
    pub async fn outcome(self) -> Invocation {
        match self.stream().await {
            Ok(streaming) => streaming.finish().await,
            Err(invocation) => *invocation,
        }
    }

    /// Waits for a streamed answer to begin, or for whatever else becomes of the event.
    ///
    /// # Errors
    /// When the answer is not a stream.
    pub async fn stream(mut self) -> Result<Streaming, Box<Invocation>> {
        let outcome = match self.next().await {
            Next::Signal(Signal::Head(head)) => return Ok(Streaming::new(self, head)),
            Next::Signal(Signal::Buffered(answer)) => match serde_json::from_slice(&answer) {
                Ok(answer) => Outcome::Buffered(answer),
                Err(error) => Outcome::Malformed(format!("the answer is no JSON: {error}")),
            },
            Next::Signal(Signal::Failed(error)) => Outcome::Error(error),
            Next::Signal(Signal::Malformed(reason)) => Outcome::Malformed(reason),
            Next::Signal(signal) => unreachable!("{signal:?} before the head of a stream"),
            Next::TimedOut => Outcome::TimedOut,
            Next::Gone => self.gone().await,
        };
        Err(Box::new(self.into_invocation(outcome)))
    }

    fn into_invocation(self, outcome: Outcome) -> Invocation {
        let duration = self.taken.map(|taken| taken.elapsed()).unwrap_or_default();
        Invocation { request_id: self.request_id, outcome, duration }
    }

    async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.next_or_taken().await {
                return next;
            }
        }
    }

    /// Returns nothing for the signal that the event was taken.
    async fn next_or_taken(&mut self) -> Option<Next> {
        let limit = match self.taken {
            Some(taken) => taken + self.timeout.min(PATIENCE),
            None => self.sent + PATIENCE,
        };
        match timeout_at(limit.into(), self.signals.recv()).await {
            Ok(Some(Signal::Taken(at))) => {
                self.taken = Some(at);
                None
            }
            Ok(Some(signal)) => Some(Next::Signal(signal)),
            Ok(None) => Some(Next::Gone),
            Err(_) if self.taken.is_some() && self.timeout <= PATIENCE => {
                self.environment.kill().await;
                Some(Next::TimedOut)
            }
            Err(_) => {
                let log = self.environment.log.lines().join("\n");
                panic!("event {} has no answer after {PATIENCE:?}:\n{log}", self.request_id)
            }
        }
    }

    /// Returns why the function is no more.
    async fn gone(&self) -> Outcome {
        let init_error = self.environment.api.init_error.borrow().clone();
        match init_error {
            Some(error) => Outcome::InitError(error),
            None => match self.environment.exit().await {
                Some(status) => Outcome::Exited(status),
                None => panic!("event {} was dropped by a function that lives", self.request_id),
            },
        }
    }
}

/// A streamed answer that is read as it comes. Reading on, or [`Streaming::finish`], is what Lambda does for a
/// client that hung up: the function never learns of it. Dropping it closes the stream under the function: the
/// Runtime API answers 410 and closes the connection.
#[derive(Debug)]
pub struct Streaming {
    /// The status of the prelude.
    pub status: u16,
    /// Its headers, in lower case, cookies among them.
    pub headers: Vec<(String, String)>,
    pending: Pending,
    ended: Option<Ended>,
}

impl Streaming {
    fn new(pending: Pending, head: Head) -> Self {
        Self { status: head.status, headers: head.headers, pending, ended: None }
    }

    /// Returns the next piece, nothing at the end.
    pub async fn next_chunk(&mut self) -> Option<Chunk> {
        if self.ended.is_some() {
            return None;
        }
        let ended = match self.pending.next().await {
            Next::Signal(Signal::Chunk(chunk)) => return Some(chunk),
            Next::Signal(Signal::Ended(ended)) => ended,
            Next::Signal(signal) => unreachable!("{signal:?} in the middle of a stream"),
            Next::TimedOut => Ended::TimedOut,
            Next::Gone => Ended::Cut,
        };
        self.ended = Some(ended);
        None
    }

    /// Reads to the end. The chunks are those that were not read before.
    pub async fn finish(mut self) -> Invocation {
        let mut chunks = Vec::new();
        while let Some(chunk) = self.next_chunk().await {
            chunks.push(chunk);
        }
        let ended = self.ended.unwrap_or(Ended::Cut);
        let streamed = Streamed { status: self.status, headers: self.headers, chunks, ended };
        self.pending.into_invocation(Outcome::Streaming(streamed))
    }

    /// Cuts the connection without an answer, as when the Runtime API itself fails.
    pub fn sever(self) {
        self.pending.severed.store(true, Ordering::Release);
    }
}
