//! Can a question be answered now? Every dependency is probed at the same time, and nobody waits for the slowest.

mod probe;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    errors::PortError,
    ports::{ChatModel, Embedder, JobQueue, PassageReader, Quota},
    secret::LiveSecret,
    time::Timestamp,
};
use lectern_tables::Tables;
use lectern_telemetry::instruments::QUEUE_AGE;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use self::probe::Probe;
use crate::{back_up::standing::Standing, blobs::Blobs, clock::Clock};

/// How long whoever asks waits for the probes together.
pub const WAIT: Duration = Duration::from_millis(250);
/// How long what was found holds: probes cost money where dependencies do.
pub const HOLDS: Duration = Duration::from_secs(2);
/// How long the oldest document may wait to be worked on; the service level of ingestion.
pub const MAX_QUEUE_AGE: Duration = Duration::from_secs(5 * 60);
/// How old the newest backup may be: a day, and the time one takes.
pub const MAX_BACKUP_AGE: Duration = Duration::from_secs(26 * 60 * 60);
/// How long ago a restoration drill may have succeeded.
pub const MAX_DRILL_AGE: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// Share of a provider's quota below which an operator is told.
pub const LITTLE_QUOTA: f64 = 0.1;

/// How a dependency, or all of them, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Works.
    Ok,
    /// Does not work, and questions are answered all the same.
    Degraded,
    /// Does not work, and no question can be answered.
    Down,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Which dependency: `table`, `index`, `blobs`, `queue`, `secrets`, `embedder`, `chat`, `ingestion`, `backups`.
    pub name: &'static str,
    /// How it is.
    pub status: Status,
    /// How long the probe took.
    pub latency_ms: f64,
    /// How old what it is about is: the oldest waiting document, the newest backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// What is left of a provider's quota of requests or tokens, 0 to 1, where it said so within a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_left: Option<f64>,
    /// What an operator should know, without internals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
}

/// What all probes found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Readiness {
    /// The worst of the checks.
    pub status: Status,
    /// Each dependency.
    pub checks: Vec<Check>,
}

/// What is probed.
#[derive(Clone, Debug)]
pub struct Dependencies {
    /// The table.
    pub tables: Tables,
    /// The files.
    pub blobs: Blobs,
    /// The index.
    pub passages: Arc<dyn PassageReader>,
    /// Rings for the ingestion worker.
    pub jobs: Arc<dyn JobQueue>,
    /// Embeds questions; without one retrieval is by BM25 only.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Writes answers; without one they are extractive.
    pub chat: Option<Arc<dyn ChatModel>>,
    /// The secrets that are kept somewhere else.
    pub secrets: Vec<LiveSecret>,
    /// The time.
    pub clock: Clock,
}

/// Probes dependencies. Clones share what was found.
#[derive(Clone)]
pub struct Health {
    probes: Arc<[Probe]>,
    found: Arc<Mutex<Option<(Instant, Readiness)>>>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Health").field("probes", &self.probes.len()).finish()
    }
}

impl Health {
    /// Returns what probes these.
    #[must_use]
    pub fn of(dependencies: Dependencies) -> Self {
        let Dependencies { tables, blobs, passages, jobs, embedder, chat, secrets, clock } =
            dependencies;
        let records = tables.clone();
        let mut probes = vec![
            Probe::ping("table", Status::Down, move || {
                let tables = tables.clone();
                Box::pin(async move { tables.ping().await })
            }),
            Probe::ping("index", Status::Down, move || {
                let passages = Arc::clone(&passages);
                Box::pin(async move { passages.ping().await })
            }),
            Probe::ping("blobs", Status::Degraded, move || {
                let blobs = blobs.clone();
                Box::pin(async move { blobs.ping().await })
            }),
            Probe::ping("queue", Status::Degraded, move || {
                let jobs = Arc::clone(&jobs);
                Box::pin(async move { jobs.ping().await })
            }),
        ];
        if !secrets.is_empty() {
            probes.push(Probe::ping("secrets", Status::Down, move || {
                let secrets = secrets.clone();
                Box::pin(async move {
                    for secret in secrets {
                        secret.get().await?;
                    }
                    Ok(())
                })
            }));
        }
        // Without an answering embedder questions are answered by BM25.
        probes.push(match embedder {
            Some(embedder) => Probe::new("embedder", Status::Degraded, move || {
                let embedder = Arc::clone(&embedder);
                Box::pin(
                    async move { embedder.ping().await.map(|()| Told::of_model(embedder.quota())) },
                )
            }),
            None => Probe::absent("embedder", "none configured: retrieval is by BM25 only"),
        });
        probes.push(match chat {
            Some(chat) => Probe::new("chat", Status::Down, move || {
                let chat = Arc::clone(&chat);
                Box::pin(async move { chat.ping().await.map(|()| Told::of_model(chat.quota())) })
            }),
            None => Probe::absent("chat", "none configured: answers are extractive"),
        });
        let (pending, now) = (records.clone(), clock.clone());
        probes.push(Probe::new("ingestion", Status::Degraded, move || {
            let (tables, now) = (pending.clone(), now.now());
            Box::pin(async move { ingestion(&tables, now).await })
        }));
        probes.push(Probe::new("backups", Status::Degraded, move || {
            let (tables, now) = (records.clone(), clock.now());
            Box::pin(async move { backups(&tables, now).await })
        }));
        Self { probes: probes.into(), found: Arc::default() }
    }

    /// Returns how every dependency is, as of at most [`HOLDS`] ago and after at most [`WAIT`].
    pub async fn ready(&self) -> Readiness {
        // Whoever comes while others wait gets what they get.
        let mut found = self.found.lock().await;
        if let Some((at, readiness)) = &*found
            && at.elapsed() < HOLDS
        {
            return readiness.clone();
        }
        let until = tokio::time::Instant::now() + WAIT;
        let checks = self.probes.iter().map(|probe| probe.check(until));
        let checks: Vec<Check> = futures::future::join_all(checks).await;
        let status = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
        let readiness = Readiness { status, checks };
        *found = Some((Instant::now(), readiness.clone()));
        readiness
    }

    /// Opens the connections, so that the first who asks does not wait for them.
    pub async fn warm_up(&self, longest: Duration) {
        let until = tokio::time::Instant::now() + longest;
        futures::future::join_all(self.probes.iter().map(|probe| probe.check(until))).await;
        // Who asks may come much later.
        self.probes.iter().for_each(Probe::forget);
    }
}

/// What a probe tells besides that it was answered.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    age: Option<Duration>,
    quota: Option<Quota>,
    detail: Option<&'static str>,
    is_bad: bool,
}

impl Told {
    /// Of a model that answers. One with little quota left answers still: that is for a person to know.
    fn of_model(quota: Option<Quota>) -> Self {
        let is_scarce = quota.is_some_and(|quota| quota.share() < LITTLE_QUOTA);
        let detail =
            is_scarce.then_some("has little quota left: calls will be refused before long");
        Self { quota, detail, ..Self::default() }
    }
}

/// How long the oldest document waits.
async fn ingestion(tables: &Tables, now: Timestamp) -> Result<Told, PortError> {
    let oldest = tables.versions().oldest_pending().await?;
    let age = oldest.map(|since| now.since(since)).unwrap_or_default();
    QUEUE_AGE.set(age.as_secs_f64(), &[]);
    let is_bad = age > MAX_QUEUE_AGE;
    let detail = is_bad.then_some("documents wait too long: see whether ingestion runs");
    Ok(Told { age: oldest.map(|_| age), detail, is_bad, ..Told::default() })
}

/// How old the newest backup of the tenant is that was backed up longest ago, and the drill.
async fn backups(tables: &Tables, now: Timestamp) -> Result<Told, PortError> {
    let standing = Standing::read(tables).await?;
    standing.measure(now);
    let Standing { backup, drill } = standing;
    let (backup, drill) = (backup.map(|at| now.since(at)), drill.map(|at| now.since(at)));
    let (detail, is_bad) = match (backup, drill) {
        (None, _) => (Some("none was made yet"), false),
        (Some(age), _) if age > MAX_BACKUP_AGE => (Some("the newest is older than 26 hours"), true),
        (_, Some(age)) if age > MAX_DRILL_AGE => {
            (Some("none was restored for a drill within 8 days"), true)
        }
        _ => (None, false),
    };
    Ok(Told { age: backup, detail, is_bad, ..Told::default() })
}
