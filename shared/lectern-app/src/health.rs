//! Can a question be answered now? Every dependency is probed at the same time, each with its own deadline.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    ports::{ChatModel, Embedder, JobQueue, PassageReader},
};
use lectern_tables::Tables;
use serde::Serialize;
use tracing::warn;

use crate::{blobs::Blobs, search::millis};

/// How long a probe may take.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// How a dependency, or all of them, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    /// Which dependency: `table`, `index`, `blobs`, `queue`, `embedder`, `chat`.
    pub name: &'static str,
    /// How it is.
    pub status: Status,
    /// How long the probe took.
    pub latency_ms: f64,
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

/// Probes dependencies.
#[derive(Clone, Debug)]
pub struct Health {
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
}

impl Health {
    /// Probes every dependency.
    pub async fn ready(&self) -> Readiness {
        let (table, index, blobs, queue, embedder, chat) = tokio::join!(
            probe("table", Status::Down, self.tables.ping()),
            probe("index", Status::Down, self.passages.ping()),
            probe("blobs", Status::Degraded, self.blobs.ping()),
            probe("queue", Status::Degraded, self.jobs.ping()),
            self.embedder(),
            self.chat(),
        );
        let checks = vec![table, index, blobs, queue, embedder, chat];
        let status = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
        Readiness { status, checks }
    }

    /// Without an answering embedder questions are answered by BM25.
    async fn embedder(&self) -> Check {
        match &self.embedder {
            Some(embedder) => probe("embedder", Status::Degraded, embedder.ping()).await,
            None => absent("embedder", "none configured: retrieval is by BM25 only"),
        }
    }

    async fn chat(&self) -> Check {
        match &self.chat {
            Some(chat) => probe("chat", Status::Down, chat.ping()).await,
            None => absent("chat", "none configured: answers are extractive"),
        }
    }
}

fn absent(name: &'static str, detail: &'static str) -> Check {
    Check { name, status: Status::Ok, latency_ms: 0.0, detail: Some(detail) }
}

async fn probe(
    name: &'static str,
    severity: Status,
    call: impl Future<Output = Result<(), PortError>>,
) -> Check {
    let started = Instant::now();
    let outcome = tokio::time::timeout(PROBE_TIMEOUT, call).await;
    let latency_ms = millis(started.elapsed());
    let detail = match outcome {
        Ok(Ok(())) => return Check { name, status: Status::Ok, latency_ms, detail: None },
        Ok(Err(error)) => {
            warn!(dependency = name, error = %chain(&error), "a dependency is unwell");
            match error.kind {
                ErrorKind::Unauthenticated => "refuses the credentials: renew them",
                _ => "answers with an error",
            }
        }
        Err(_) => "does not answer in time",
    };
    Check { name, status: severity, latency_ms, detail: Some(detail) }
}
