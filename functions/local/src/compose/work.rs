//! What runs beside the server: ingestion, and looking after the data directory.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream::FuturesUnordered};
use lectern_app::{expire::Expire, worker::JobResult};
use lectern_core::{
    document::Job,
    errors::{PortError, chain},
};
use lectern_telemetry::trace;
use tracing::{Instrument as _, info, warn};

use super::Local;
use crate::doorbell::Ring;

/// How often pending jobs are looked for when nobody rings.
const SWEEP_INTERVAL: Duration = Duration::from_secs(20);
/// How often the index is flushed and, when it pays, optimised.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);
/// How often expired items (cached values, conversations) are removed from the table, as DynamoDB does by itself.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How long looking for documents that are kept no longer may keep the index waiting.
const EXPIRY_TIME: Duration = Duration::from_secs(5);

impl Local {
    /// Runs the ingestion worker and the index's maintenance until `future` is done.
    pub(crate) async fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        tokio::select! {
            done = future => done,
            never = self.work() => match never {},
            never = self.maintain() => match never {},
        }
    }

    /// Runs jobs that ring, and sweeps for those whose ring was lost.
    async fn work(&self) -> std::convert::Infallible {
        let mut rings = self.rings.lock().await;
        let mut running = FuturesUnordered::new();
        let mut sweeps = tokio::time::interval(SWEEP_INTERVAL);
        let mut found: std::collections::VecDeque<Job> = std::collections::VecDeque::new();
        loop {
            while running.len() < self.worker.concurrency {
                let Some(job) = found.pop_front() else { break };
                running.push(self.run((job, None)));
            }
            let is_free = running.len() < self.worker.concurrency;
            tokio::select! {
                Some(()) = running.next(), if !running.is_empty() => {}
                Some(ring) = rings.recv(), if is_free => running.push(self.run(ring)),
                _ = sweeps.tick(), if found.is_empty() => match self.worker.pending().await {
                    Ok(jobs) => found.extend(jobs),
                    Err(error) => warn!(error = %chain(&error), "failed to look for pending documents"),
                },
            }
        }
    }

    async fn run(&self, (job, asked_by): Ring) {
        let span = trace::job("document", job.document_id.as_str(), asked_by.as_deref());
        if let JobResult::Again(error) = self.worker.run(&job).instrument(span).await {
            warn!(document.id = %job.document_id, error = %chain(&error), "a job stays pending");
        }
    }

    async fn maintain(&self) -> std::convert::Infallible {
        if let Some(backfill) = &self.backfill {
            match backfill.run(&self.tenant).await {
                Ok(0) => {}
                Ok(passages) => info!(passages, "embedded passages that had no vector"),
                Err(error) => {
                    warn!(error = %chain(&error), "failed to embed passages that have no vector")
                }
            }
        }
        let mut ticks = tokio::time::interval(MAINTENANCE_INTERVAL);
        let first = tokio::time::Instant::now() + EXPIRY_INTERVAL;
        let mut expiries = tokio::time::interval_at(first, EXPIRY_INTERVAL);
        loop {
            let maintained = tokio::select! {
                _ = ticks.tick() => {
                    self.measured.tidy();
                    self.edge.maintain().await.map(|_| ())
                }
                _ = expiries.tick() => self.expire().await,
            };
            if let Err(error) = maintained {
                warn!(error = %chain(&error), "failed to maintain the data directory");
            }
        }
    }

    /// Removes expired items, and documents that their collections keep no longer.
    async fn expire(&self) -> Result<(), PortError> {
        let (tables, forget) = (self.ask.tables.clone(), self.worker.forget.clone());
        tables.sweep_expired().await?;
        let until = Instant::now() + EXPIRY_TIME;
        Expire { tables, forget }.sweep(self.worker.clock.now(), until).await.map(|_| ())
    }
}
