//! The doorbell of the local ingestion worker: a bounded channel. A ring that finds it full is dropped;
//! the sweep finds the job (docs/adr/005-the-queue-is-a-doorbell.md).

use async_trait::async_trait;
use lectern_core::{document::Job, errors::PortError, ports::JobQueue};
use tokio::sync::mpsc;

/// Rings that may wait.
const WAITING: usize = 1_024;

/// Rings for the worker of this process.
#[derive(Clone, Debug)]
pub(crate) struct Doorbell {
    sender: mpsc::Sender<Job>,
}

impl Doorbell {
    /// Returns a doorbell and the end the worker listens at.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender }, receiver)
    }
}

#[async_trait]
impl JobQueue for Doorbell {
    async fn enqueue(&self, job: &Job) -> Result<(), PortError> {
        if self.sender.try_send(job.clone()).is_err() {
            tracing::debug!("the doorbell is full; the sweep will find the job");
        }
        Ok(())
    }
}
