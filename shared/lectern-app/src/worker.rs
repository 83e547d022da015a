//! Runs jobs: those that were rung for, and those the sweep finds pending.
//!
//! A job is only a doorbell (docs/adr/005-the-queue-is-a-doorbell.md). The sweep over pending versions is
//! what makes ingestion survive a lost ring, a crash and a restart.

use std::collections::HashSet;

use futures::{StreamExt as _, stream};
use lectern_core::{
    document::{Job, Task},
    errors::{PortError, chain},
    time::Timestamp,
};
use lectern_tables::Tables;
use lectern_telemetry::instruments::INGESTION_RETRIES;
use tracing::{error, warn};

use crate::{
    clock::Clock,
    errors::FlowError,
    forget::Forget,
    ingest::{Ingest, IngestError, Outcome},
};

/// Jobs read from the table at once.
const SWEEP_PAGE: usize = 100;
/// Most jobs one sweep takes.
pub const MAX_SWEEP: usize = 10_000;

/// Does what jobs ask for.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The table.
    pub tables: Tables,
    /// Ingests.
    pub ingest: Ingest,
    /// Finishes deletions.
    pub forget: Forget,
    /// The time.
    pub clock: Clock,
    /// Jobs at the same time.
    pub concurrency: usize,
}

/// What became of a job.
#[derive(Debug)]
pub enum JobResult {
    /// Nothing is left to do.
    Done(Outcome),
    /// It stays pending; a later sweep tries again.
    Again(IngestError),
}

impl Worker {
    /// Runs one job. Running it again, late, or at the same time elsewhere changes nothing.
    pub async fn run(&self, job: &Job) -> JobResult {
        let result = self.try_once(job).await;
        if let JobResult::Again(error) = &result {
            INGESTION_RETRIES.add(1, &[("kind", error.kind())]);
        }
        result
    }

    async fn try_once(&self, job: &Job) -> JobResult {
        match &job.task {
            Task::Ingest(version) => {
                match self.ingest.ingest(&job.tenant, &job.document_id, *version).await {
                    Ok(outcome) => JobResult::Done(outcome),
                    Err(error) => {
                        warn!(document.id = %job.document_id, version, error = %chain(&error), "ingestion stopped; it will be tried again");
                        JobResult::Again(error)
                    }
                }
            }
            Task::Forget => match self.forget.finish(&job.tenant, &job.document_id).await {
                Ok(_) | Err(FlowError::NotFound(_)) => JobResult::Done(Outcome::Nothing),
                Err(FlowError::Port(error)) => JobResult::Again(error.into()),
                Err(other) => {
                    error!(document.id = %job.document_id, error = %chain(&other), "deletion stopped");
                    JobResult::Done(Outcome::Nothing)
                }
            },
        }
    }

    /// Runs every pending job once, `concurrency` at a time, calling `each` after every one.
    /// Returns how many are still pending.
    ///
    /// # Errors
    /// When the pending jobs cannot be listed.
    pub async fn sweep(
        &self,
        each: &(dyn Fn(&Job, &JobResult) + Sync),
    ) -> Result<usize, PortError> {
        let jobs = self.pending().await?;
        let runs = stream::iter(jobs).map(|job| async move {
            let result = self.run(&job).await;
            each(&job, &result);
            matches!(result, JobResult::Again(_) | JobResult::Done(Outcome::Held(_)))
        });
        let pending = runs.buffer_unordered(self.concurrency.max(1));
        Ok(pending.filter(|again| futures::future::ready(*again)).count().await)
    }

    /// Frees what a dead process left claimed. Only for a process that is the sole owner of the table, at
    /// its start.
    ///
    /// # Errors
    /// When the table fails.
    pub async fn take_over(&self) -> Result<usize, PortError> {
        let mut freed = 0;
        for job in self.pending_at(Timestamp::from_millis(u64::MAX)).await? {
            if let Task::Ingest(version) = job.task {
                let versions = self.tables.versions();
                let had = versions.take_over(&job.tenant, &job.document_id, version).await?;
                freed += usize::from(had);
            }
        }
        Ok(freed)
    }

    /// Returns the pending jobs nobody has, oldest first, at most [`MAX_SWEEP`].
    ///
    /// # Errors
    /// When the table fails.
    pub async fn pending(&self) -> Result<Vec<Job>, PortError> {
        self.pending_at(self.clock.now()).await
    }

    async fn pending_at(&self, now: Timestamp) -> Result<Vec<Job>, PortError> {
        let mut jobs = Vec::new();
        let mut seen = HashSet::new();
        let mut cursor = None;
        loop {
            let page = self.tables.versions().pending(now, SWEEP_PAGE, cursor.as_deref()).await?;
            jobs.extend(page.items.into_iter().filter(|job| seen.insert(job.clone())));
            cursor = page.next;
            if cursor.is_none() || jobs.len() >= MAX_SWEEP {
                return Ok(jobs);
            }
        }
    }
}
