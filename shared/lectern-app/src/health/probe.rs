//! One probe. It goes on when whoever asked has gone, and what it finds then is told to the next who asks: a dependency that
//! takes a second is slow, not down.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lectern_core::errors::{ErrorKind, PortError, chain};
use tokio::task::JoinHandle;
use tracing::{Instrument as _, warn};

use super::{Check, Status, Told};
use crate::search::millis;

/// How long a probe may take, whoever waits.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer that nobody waited for counts.
const REMEMBERED: Duration = Duration::from_secs(15);

/// A call that says whether something answers.
pub(super) type Call = Pin<Box<dyn Future<Output = Result<(), PortError>> + Send>>;
type Asking = Pin<Box<dyn Future<Output = Result<Told, PortError>> + Send>>;
type Ask = Arc<dyn Fn() -> Asking + Send + Sync>;

pub(super) struct Probe {
    name: &'static str,
    /// What it means when there is no answer.
    severity: Status,
    ask: Option<Ask>,
    /// What is to be said where there is nothing to ask.
    absent: Option<&'static str>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The last that was answered.
    answered: Option<(Instant, Check)>,
    /// What was asked and nobody heard the answer of, and when.
    running: Option<(Instant, JoinHandle<Check>)>,
}

impl Probe {
    pub(super) fn new(
        name: &'static str,
        severity: Status,
        ask: impl Fn() -> Asking + Send + Sync + 'static,
    ) -> Self {
        Self { name, severity, ask: Some(Arc::new(ask)), absent: None, state: Arc::default() }
    }

    pub(super) fn ping(
        name: &'static str,
        severity: Status,
        call: impl Fn() -> Call + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, severity, move || {
            let call = call();
            Box::pin(async move { call.await.map(|()| Told::default()) })
        })
    }

    pub(super) fn absent(name: &'static str, detail: &'static str) -> Self {
        let (severity, state) = (Status::Ok, Arc::default());
        Self { name, severity, ask: None, absent: Some(detail), state }
    }

    /// Returns how it is, at `until` at the latest.
    pub(super) async fn check(&self, until: tokio::time::Instant) -> Check {
        let Some(ask) = &self.ask else {
            return self.found(Status::Ok, Duration::ZERO, self.absent);
        };
        let started = Instant::now();
        // What ended long ago says how it was.
        let is_news = |(begun, running): &(Instant, JoinHandle<Check>)| {
            !running.is_finished() || begun.elapsed() < REMEMBERED
        };
        let running = locked(&self.state).running.take().filter(is_news);
        let (begun, mut running) = running.unwrap_or_else(|| (started, self.begin(ask)));
        match tokio::time::timeout_at(until, &mut running).await {
            Ok(Ok(check)) => check,
            // It panicked, which is a defect of ours.
            Ok(Err(_)) => self.found(self.severity, started.elapsed(), Some("cannot be asked")),
            Err(_) => {
                let mut state = locked(&self.state);
                state.running = Some((begun, running));
                let known = state.answered.as_ref().filter(|(at, _)| at.elapsed() < REMEMBERED);
                known.map(|(_, check)| check.clone()).unwrap_or_else(|| {
                    self.found(self.severity, started.elapsed(), Some("does not answer in time"))
                })
            }
        }
    }

    /// Lets nobody hear what is asked now.
    pub(super) fn forget(&self) {
        *locked(&self.state) = State::default();
    }

    fn begin(&self, ask: &Ask) -> JoinHandle<Check> {
        let (name, severity, state) = (self.name, self.severity, Arc::clone(&self.state));
        let asking = ask();
        let probe = async move {
            let started = Instant::now();
            let outcome = tokio::time::timeout(TIMEOUT, asking).await;
            let is_answered = matches!(outcome, Ok(Ok(_)));
            let check = check(name, severity, started.elapsed(), outcome.ok());
            if is_answered {
                locked(&state).answered = Some((Instant::now(), check.clone()));
            }
            check
        };
        tokio::spawn(probe.in_current_span())
    }

    fn found(&self, status: Status, took: Duration, detail: Option<&'static str>) -> Check {
        let latency_ms = millis(took);
        Check { name: self.name, status, latency_ms, age_seconds: None, quota_left: None, detail }
    }
}

fn check(
    name: &'static str,
    severity: Status,
    took: Duration,
    outcome: Option<Result<Told, PortError>>,
) -> Check {
    let mut told = Told::default();
    let (status, detail) = match outcome {
        Some(Ok(answered)) => {
            told = answered;
            (if told.is_bad { severity } else { Status::Ok }, told.detail)
        }
        Some(Err(error)) => {
            warn!(dependency = name, error = %chain(&error), "a dependency is unwell");
            let detail = match error.kind {
                ErrorKind::Unauthenticated => "refuses the credentials: renew them",
                ErrorKind::RateLimited { .. } => {
                    "has no quota left: wait, or ask its provider for more"
                }
                _ => "answers with an error",
            };
            (severity, Some(detail))
        }
        None => (severity, Some("does not answer in time")),
    };
    let age_seconds = told.age.map(|age| age.as_secs());
    let quota_left = told.quota.map(|quota| (quota.share() * 1_000.0).round() / 1_000.0);
    Check { name, status, latency_ms: millis(took), age_seconds, quota_left, detail }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const WAIT: Duration = Duration::from_millis(250);

    /// A probe whose answers take that long, or never come.
    fn probe(takes: &'static [Option<u64>]) -> Probe {
        let asked = AtomicUsize::new(0);
        Probe::ping("index", Status::Down, move || {
            let takes = takes.get(asked.fetch_add(1, Ordering::Relaxed)).copied().flatten();
            Box::pin(async move {
                match takes {
                    Some(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
                    None => std::future::pending().await,
                }
                Ok(())
            })
        })
    }

    async fn status(probe: &Probe) -> (Status, Duration) {
        let begun = tokio::time::Instant::now();
        let check = probe.check(begun + WAIT).await;
        (check.status, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_asked_for() {
        let dead = probe(&[]);
        assert_eq!(status(&dead).await, (Status::Down, WAIT));
        assert_eq!(status(&dead).await, (Status::Down, WAIT), "and again");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_slow_is_not_down() {
        let slow = probe(&[Some(400), Some(400), Some(400)]);
        assert_eq!(status(&slow).await.0, Status::Down, "nothing is known of it yet");
        // What was asked first is answered meanwhile.
        assert_eq!(status(&slow).await, (Status::Ok, Duration::from_millis(150)));
        assert_eq!(status(&slow).await, (Status::Ok, WAIT), "it answered a moment ago");
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_and_a_missing_quota_are_told_apart() {
        for (kind, told) in [
            (ErrorKind::Unavailable, "answers with an error"),
            (ErrorKind::Unauthenticated, "refuses the credentials: renew them"),
            (
                ErrorKind::RateLimited { retry_after: None },
                "has no quota left: wait, or ask its provider for more",
            ),
        ] {
            let failing = Probe::ping("chat", Status::Down, move || {
                Box::pin(async move { Err(PortError::bare(kind, "ping")) })
            });
            let check = failing.check(tokio::time::Instant::now() + WAIT).await;
            assert_eq!((check.status, check.detail), (Status::Down, Some(told)));
        }
    }
}
