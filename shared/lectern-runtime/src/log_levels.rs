//! Log levels of a deployment that runs: an operator says for how long more is wanted, and every process takes it up within a
//! minute, without a deployment or a start that would end what is looked at. What is wanted stands in the table.
//!
//! Reading it is done beside requests, once a minute, and delays none for longer than [`WAIT`].

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
};
use lectern_app::{clock::Clock, errors::FlowError};
use lectern_core::{errors::chain, time::Timestamp};
use lectern_tables::{Tables, log_levels::WantedLevels};
use tracing::{info, warn};

use crate::telemetry;

/// How often a process looks what is wanted.
pub const INTERVAL: Duration = Duration::from_secs(60);
/// How long looking may take: less than `/ready` does.
pub const WAIT: Duration = Duration::from_millis(200);
/// How long more may be wanted: what nobody ends, ends.
pub const MAX_LASTING: Duration = Duration::from_secs(24 * 60 * 60);

/// How lines of other levels are asked for.
type Apply = fn(&str) -> Result<(), &'static str>;

/// Log levels that are wanted for a while. Clones share what was read.
#[derive(Clone)]
pub struct LogLevels {
    tables: Tables,
    clock: Clock,
    /// What is written when nothing is wanted.
    standing: Arc<str>,
    apply: Apply,
    followed: Arc<Mutex<Followed>>,
}

#[derive(Debug, Default)]
struct Followed {
    read_at: Option<Timestamp>,
    wanted: Option<WantedLevels>,
}

impl fmt::Debug for LogLevels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogLevels").field("standing", &self.standing).finish()
    }
}

impl LogLevels {
    /// Returns what follows the table in this process. When nothing is wanted, levels are as they were at its start.
    #[must_use]
    pub fn of(tables: Tables, clock: Clock) -> Self {
        let standing = telemetry::levels().into();
        Self { tables, clock, standing, apply: telemetry::set_levels, followed: Arc::default() }
    }

    /// Asks every process of the deployment for more lines, `lectern=debug`, and says until when.
    ///
    /// # Errors
    /// `Invalid` for levels that cannot be read or ask for debug lines of other crates, and for a time of zero or beyond
    /// [`MAX_LASTING`].
    pub async fn want(&self, levels: &str, lasting: Duration) -> Result<WantedLevels, FlowError> {
        telemetry::check_wanted(levels).map_err(|reason| FlowError::field("/levels", reason))?;
        if lasting.is_zero() || lasting > MAX_LASTING {
            return Err(FlowError::field("/minutes", "must be from 1 to 1440"));
        }
        let until = self.clock.now() + lasting;
        let wanted = WantedLevels { levels: levels.to_owned(), until };
        self.tables.log_levels().put(&wanted).await?;
        warn!(levels, until = %until, "an operator wants other log lines of every function");
        Ok(wanted)
    }

    /// Returns `routes`; beside their requests this process looks what is wanted. `/health` asks nothing, and waits for nothing.
    pub fn around(&self, routes: Router) -> Router {
        let follow = async |State(levels): State<Self>, request: Request, next: Next| {
            if request.uri().path().ends_with("/health") {
                return next.run(request).await;
            }
            levels.beside(next.run(request)).await
        };
        routes.layer(middleware::from_fn_with_state(self.clone(), follow))
    }

    /// Does `work`; beside it this process looks what is wanted.
    pub async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let (done, ()) = tokio::join!(work, self.follow());
        done
    }

    async fn follow(&self) {
        let now = self.clock.now();
        if !self.is_due(now) {
            return;
        }
        match tokio::time::timeout(WAIT, self.tables.log_levels().get(now)).await {
            Ok(Ok(wanted)) => self.take_up(wanted),
            // The levels stay as they are, until the next look or the end of their time.
            Ok(Err(error)) => warn!(error = %chain(&error), "failed to look for log levels"),
            Err(_) => warn!("looking for log levels took too long"),
        }
    }

    /// Whether it is time to look again; whoever is told so looks. What is over ends here, whether or not the table answers.
    fn is_due(&self, now: Timestamp) -> bool {
        let (is_due, is_over) = {
            let mut followed = self.locked();
            let is_due = followed.read_at.is_none_or(|at| now.since(at) >= INTERVAL || at > now);
            if is_due {
                followed.read_at = Some(now);
            }
            (is_due, followed.wanted.as_ref().is_some_and(|wanted| wanted.until <= now))
        };
        if is_over {
            self.take_up(None);
        }
        is_due
    }

    /// Writes lines of these levels. Who writes the table may not have been asked what an operator is.
    fn take_up(&self, wanted: Option<WantedLevels>) {
        let wanted = wanted.filter(|wanted| telemetry::check_wanted(&wanted.levels).is_ok());
        let mut followed = self.locked();
        if followed.wanted == wanted {
            return;
        }
        // The more particular of two directives holds, and of equal ones the last.
        let levels = wanted.as_ref().map(|wanted| format!("{},{}", self.standing, wanted.levels));
        let levels = levels.as_deref().unwrap_or(&self.standing);
        match (self.apply)(levels) {
            Ok(()) => {
                info!(levels, "log levels were changed");
                followed.wanted = wanted;
            }
            Err(reason) => warn!(reason, "log levels stay as they are"),
        }
    }

    fn locked(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use axum::{body::Body, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    thread_local! {
        /// What was applied: each test has a thread.
        static APPLIED: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
    }

    struct World {
        now: Arc<AtomicU64>,
        tables: Tables,
        levels: LogLevels,
    }

    impl World {
        async fn new() -> Self {
            let tables = Tables::connect("embedded::memory:").await.unwrap();
            tables.ensure().await.unwrap();
            let now = Arc::new(AtomicU64::new(1_790_000_000_000));
            let levels = Self::process(&tables, &now);
            Self { now, tables, levels }
        }

        fn process(tables: &Tables, now: &Arc<AtomicU64>) -> LogLevels {
            let now = Arc::clone(now);
            let clock = Clock::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
            let apply = |levels: &str| {
                APPLIED.with_borrow_mut(|applied| applied.push(levels.to_owned()));
                Ok(())
            };
            LogLevels { apply, standing: "info".into(), ..LogLevels::of(tables.clone(), clock) }
        }

        fn advance(&self, by: Duration) {
            let millis = u64::try_from(by.as_millis()).unwrap();
            self.now.fetch_add(millis, Ordering::Relaxed);
        }

        /// Works once and returns what was applied since the last time.
        async fn applied(&self) -> Vec<String> {
            assert_eq!(self.levels.beside(async { 7 }).await, 7);
            APPLIED.take()
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn every_process_takes_up_what_is_wanted_within_a_minute_and_leaves_it_when_its_time_is_over()
     {
        let world = World::new().await;
        assert!(world.applied().await.is_empty(), "nothing is wanted");
        let operator = World::process(&world.tables, &world.now);
        let wanted = operator.want("lectern=debug", 5 * MINUTE).await.unwrap();
        assert_eq!(wanted.until, world.levels.clock.now() + 5 * MINUTE);
        assert!(world.applied().await.is_empty(), "it looked a moment ago");
        world.advance(MINUTE);
        assert_eq!(world.applied().await, ["info,lectern=debug"]);
        world.advance(MINUTE);
        assert!(world.applied().await.is_empty(), "it is so already");
        operator.want("lectern_app=trace", 5 * MINUTE).await.unwrap();
        world.advance(MINUTE);
        assert_eq!(world.applied().await, ["info,lectern_app=trace"]);
        world.advance(5 * MINUTE);
        assert_eq!(world.applied().await, ["info"]);
    }

    #[tokio::test]
    async fn what_is_over_ends_also_when_nobody_looks() {
        let world = World::new().await;
        world.levels.want("lectern=debug", MINUTE + MINUTE / 2).await.unwrap();
        assert_eq!(world.applied().await, ["info,lectern=debug"]);
        world.advance(MINUTE);
        assert!(world.applied().await.is_empty());
        world.advance(MINUTE / 2);
        assert_eq!(world.applied().await, ["info"], "half a minute after the last look");
    }

    #[tokio::test]
    async fn what_stands_in_the_table_is_not_believed() {
        let world = World::new().await;
        let until = world.levels.clock.now() + MINUTE;
        let wanted = WantedLevels { levels: "aws_smithy_runtime=".into(), until };
        world.tables.log_levels().put(&wanted).await.unwrap();
        assert!(world.applied().await.is_empty());
    }

    #[tokio::test]
    async fn what_others_write_is_not_asked_for_nor_anything_for_ever() {
        let world = World::new().await;
        let refused = async |levels: &str, lasting| {
            matches!(world.levels.want(levels, lasting).await, Err(FlowError::Invalid(_)))
        };
        let long = "lectern=debug,".repeat(20) + "info";
        for levels in [
            "",
            "debug",
            "off",
            "warn",
            "hyper=debug",
            "hyper=",
            "hyper",
            "lectern",
            "lectern=",
            "lectern=loud",
            "lectern=off",
            "lecterns=debug",
            "querying=debug",
            "[request]=debug",
            "lectern[request]=debug",
            "aws=trace,lectern=debug",
            "lectern=debug,hyper=",
            "lectern=debug, query=debug",
            "\u{3000}lectern=debug",
            "lectern=debug,",
            &long,
        ] {
            assert!(refused(levels, MINUTE).await, "{levels}");
        }
        for levels in ["lectern=debug", "info", "info,query=debug,lectern_app::search=trace"] {
            assert!(!refused(levels, MINUTE).await, "{levels}");
        }
        assert!(refused("info", Duration::ZERO).await);
        assert!(refused("info", MAX_LASTING + MINUTE).await && !refused("info", MAX_LASTING).await);
    }

    #[tokio::test]
    async fn a_request_has_its_answer_and_the_levels_are_looked_for() {
        let world = World::new().await;
        world.levels.want("lectern=debug", MINUTE).await.unwrap();
        let routes = world.levels.around(Router::new().route("/", get(async || "answer")));
        let response = routes.oneshot(Request::new(Body::empty())).await.unwrap();
        assert!(response.status().is_success());
        assert_eq!(APPLIED.take(), ["info,lectern=debug"]);
    }
}
