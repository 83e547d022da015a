//! The way to a dependency: each call of it is noted, as a metric and as a span, and none is made while it cannot succeed
//! ([`lectern_core::breaker`]).

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use lectern_core::{
    breaker::{Breaker, Ending, Turn},
    errors::{ErrorKind, PortError},
};
use tracing::{Instrument as _, Span, debug, debug_span, field::Empty, info, warn};

use crate::{
    call::{CANCELLED, Dependency, OK, word_of},
    instruments::{CIRCUIT, DEPENDENCY},
};

/// After how long a call that nobody waits for any longer counts as failed. Less than a question waits for its vector.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is between this process and a dependency. Clones are the same.
#[derive(Clone)]
pub struct Circuit {
    dependency: Dependency,
    breaker: Arc<Mutex<Breaker>>,
    /// Says how long it is since some moment.
    clock: Clock,
}

type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

impl fmt::Debug for Circuit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Circuit").field("dependency", &self.dependency).finish()
    }
}

impl Circuit {
    /// Returns the way to a dependency of which nothing is known yet.
    #[must_use]
    pub fn to(dependency: Dependency) -> Self {
        let since = Instant::now();
        Self::timed(dependency, Arc::new(move || since.elapsed()))
    }

    /// Returns the same by another clock.
    pub(crate) fn timed(dependency: Dependency, clock: Clock) -> Self {
        Self { dependency, breaker: Arc::default(), clock }
    }

    /// Returns what `call` returns, and notes how long it took and how it ended; also when it is dropped before.
    ///
    /// # Errors
    /// Those of `call`; `Unavailable`, at once, when the last calls failed.
    pub async fn call<T>(
        &self,
        operation: &'static str,
        call: BoxFuture<'_, Result<T, PortError>>,
    ) -> Result<T, PortError> {
        self.call_for(operation, operation, call).await
    }

    /// As [`Self::call`]; the span says in the words `purpose` what it is made for. The call is a box because it is large: what
    /// waits for it holds it, and whatever waits for that.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_for<T>(
        &self,
        operation: &'static str,
        purpose: &'static str,
        call: BoxFuture<'_, Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let mut noted = Noted::new(self.dependency, operation, purpose);
        let result = match self.admit(operation) {
            Ok(mut admitted) => {
                let result = call.instrument(noted.span.clone()).await;
                admitted.ended(&result);
                result
            }
            Err(open) => Err(open),
        };
        noted.outcome = result.as_ref().map_or_else(|error| word_of(error.kind), |_| OK);
        result
    }

    /// As [`Self::call`], whatever the last calls were: how it is now is what is asked.
    ///
    /// # Errors
    /// Those of `call`.
    pub async fn probe<T>(
        &self,
        call: BoxFuture<'_, Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let mut noted = Noted::new(self.dependency, "ping", "ping");
        let mut admitted = self.admitted();
        let result = call.instrument(noted.span.clone()).await;
        admitted.ended(&result);
        noted.outcome = result.as_ref().map_or_else(|error| word_of(error.kind), |_| OK);
        result
    }

    /// Lets a call through whose end is to be told to what is returned.
    ///
    /// # Errors
    /// `Unavailable` when the last calls failed.
    pub fn admit(&self, operation: &'static str) -> Result<Admitted, PortError> {
        match self.locked().admit((self.clock)()) {
            Ok(()) => Ok(self.admitted()),
            Err(wait) => {
                self.count("refused");
                let reason = format!(
                    "the last calls of this dependency failed; it is tried again within {:.1} s",
                    wait.as_secs_f64()
                );
                Err(PortError::new(ErrorKind::Unavailable, operation, reason))
            }
        }
    }

    /// Refuses while calls are refused. For a probe that is none of the calls: a model's list of models says nothing of its
    /// answers.
    ///
    /// # Errors
    /// `Unavailable` when the last calls failed.
    pub fn check(&self, operation: &'static str) -> Result<(), PortError> {
        if self.locked().refuses((self.clock)()) {
            let reason = "the last calls of this dependency failed";
            return Err(PortError::new(ErrorKind::Unavailable, operation, reason));
        }
        Ok(())
    }

    fn admitted(&self) -> Admitted {
        Admitted { circuit: self.clone(), since: (self.clock)(), ending: Ending::Unknown }
    }

    fn ended(&self, ending: Ending) {
        let turn = self.locked().ended(ending, (self.clock)(), fastrand::f64());
        let dependency = self.dependency.as_str();
        match turn {
            Some(Turn::Opened(pause)) => {
                self.count("opened");
                warn!(
                    dependency,
                    pause_seconds = pause.as_secs_f64(),
                    "a dependency fails again and again: it is not called for a while"
                );
            }
            Some(Turn::Closed) => {
                self.count("closed");
                info!(dependency, "a dependency answers again");
            }
            None => {}
        }
    }

    fn count(&self, event: &'static str) {
        CIRCUIT.add(1, &[("dependency", self.dependency.as_str()), ("event", event)]);
    }

    fn locked(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that was let through. Dropped without a word it tells nothing of the dependency, unless it took long.
#[derive(Debug)]
pub struct Admitted {
    circuit: Circuit,
    since: Duration,
    ending: Ending,
}

impl Admitted {
    fn took(&self) -> Duration {
        (self.circuit.clock)().saturating_sub(self.since)
    }

    /// Notes that an answer has begun: whoever leaves now leaves something that works.
    pub fn began(&mut self) {
        self.ending = Ending::Answered;
    }

    /// Notes how it ended.
    pub fn ended<T>(&mut self, result: &Result<T, PortError>) {
        self.ending =
            result.as_ref().map_or_else(|error| Ending::of(error.kind), |_| Ending::Answered);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let ending = match self.ending {
            Ending::Unknown if self.took() >= PATIENCE => Ending::Failed(Duration::ZERO),
            ending => ending,
        };
        self.circuit.ended(ending);
    }
}

/// Notes a call when it is dropped.
struct Noted {
    dependency: Dependency,
    operation: &'static str,
    purpose: &'static str,
    outcome: &'static str,
    span: Span,
    since: Instant,
}

impl Noted {
    fn new(dependency: Dependency, operation: &'static str, purpose: &'static str) -> Self {
        let span = debug_span!(
            "dependency",
            otel.name = format_args!("{} {purpose}", dependency.as_str()),
            otel.kind = "client",
            dependency = dependency.as_str(),
            operation,
            outcome = Empty,
        );
        Self { dependency, operation, purpose, outcome: CANCELLED, span, since: Instant::now() }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let (dependency, took) = (self.dependency.as_str(), self.since.elapsed().as_secs_f64());
        let Self { operation, purpose, outcome, .. } = *self;
        self.span.record("outcome", outcome);
        let duration_ms = took * 1_000.0;
        debug!(dependency, operation, purpose, outcome, duration_ms, "called a dependency");
        let labels = [("dependency", dependency), ("operation", operation), ("outcome", outcome)];
        DEPENDENCY.record(took, &labels);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use lectern_core::breaker::{FAILURES, FIRST_PAUSE};
    use metrics_util::debugging::DebuggingRecorder;

    use super::*;

    /// A circuit whose clock stands until it is advanced.
    pub(crate) fn stopped(dependency: Dependency) -> Circuit {
        let since = tokio::time::Instant::now();
        Circuit::timed(dependency, Arc::new(move || since.elapsed()))
    }

    /// Returns the keys of what was recorded while `run` ran.
    async fn recorded(run: impl Future<Output = ()>) -> Vec<String> {
        let recorder = DebuggingRecorder::new();
        let snapshots = recorder.snapshotter();
        let guard = metrics::set_default_local_recorder(&recorder);
        run.await;
        drop(guard);
        let found = snapshots.snapshot().into_vec().into_iter();
        found.map(|(key, ..)| key.key().to_string()).collect()
    }

    async fn failing(circuit: &Circuit, kind: ErrorKind) -> ErrorKind {
        let error = PortError::bare(kind, "get item");
        let ended = circuit.call("get item", Box::pin(async { Err::<(), _>(error) }));
        ended.await.unwrap_err().kind
    }

    async fn answered(circuit: &Circuit) -> bool {
        circuit.call("get item", Box::pin(async { Ok(()) })).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_noted_however_it_ends() {
        let key = |outcome| {
            format!(
                "Key(rag_dependency_duration_seconds, [dependency = table, operation = get item, outcome = {outcome}])"
            )
        };
        let found = recorded(async {
            let table = stopped(Dependency::Table);
            assert_eq!(failing(&table, ErrorKind::Timeout).await, ErrorKind::Timeout);
        });
        assert_eq!(found.await, [key("timeout")]);
        let found = recorded(async {
            let table = stopped(Dependency::Table);
            let never = Box::pin(std::future::pending::<Result<(), PortError>>());
            let mut waiting = Box::pin(table.call("get item", never));
            assert!(futures::poll!(&mut waiting).is_pending());
        });
        assert_eq!(found.await, [key("cancelled")]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_again_and_again_is_not_called_for_a_while() {
        let circuit = stopped(Dependency::Index);
        let found = recorded(async {
            for _ in 0..FAILURES {
                assert!(answered(&circuit).await);
                failing(&circuit, ErrorKind::Internal).await;
            }
            for _ in 0..FAILURES {
                assert_eq!(failing(&circuit, ErrorKind::Timeout).await, ErrorKind::Timeout);
            }
            assert!(!answered(&circuit).await, "it is not asked");
            tokio::time::advance(FIRST_PAUSE).await;
            assert!(answered(&circuit).await && answered(&circuit).await);
        });
        let found = found.await;
        for event in ["opened", "refused", "closed"] {
            let key = format!("Key(rag_circuit_total, [dependency = index, event = {event}])");
            assert!(found.contains(&key), "{event}: {found:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_is_made_all_the_same_and_what_it_finds_counts() {
        let circuit = stopped(Dependency::Chat);
        for _ in 0..FAILURES {
            failing(&circuit, ErrorKind::Unavailable).await;
        }
        assert!(!answered(&circuit).await);
        circuit.probe(Box::pin(async { Ok(()) })).await.unwrap();
        assert!(answered(&circuit).await, "it is well again");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_long_for_nothing_was_failed_and_who_left_at_once_was_not() {
        let never = || Box::pin(std::future::pending::<Result<(), PortError>>());
        let circuit = stopped(Dependency::Chat);
        for _ in 0..2 * FAILURES {
            let short = circuit.call("chat", never());
            assert!(tokio::time::timeout(Duration::from_secs(1), short).await.is_err());
        }
        assert!(answered(&circuit).await);
        for _ in 0..FAILURES {
            let long = circuit.call("chat", never());
            assert!(tokio::time::timeout(Duration::from_secs(6), long).await.is_err());
        }
        assert!(!answered(&circuit).await);
    }
}
