//! The doorbell of the local ingestion worker: a bounded channel. A ring that finds it full is dropped;
//! the sweep finds the job (docs/adr/005-the-queue-is-a-doorbell.md).

use async_trait::async_trait;
use lectern_core::{document::Job, errors::PortError, ports::JobQueue};
use lectern_telemetry::trace;
use tokio::sync::mpsc;

/// Rings that may wait.
const WAITING: usize = 1_024;

/// A job, and the trace of what asked for it.
pub(crate) type Ring = (Job, Option<String>);

/// Rings for the worker of this process.
#[derive(Clone, Debug)]
pub(crate) struct Doorbell {
    sender: mpsc::Sender<Ring>,
}

impl Doorbell {
    /// Returns a doorbell and the end the worker listens at.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Ring>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender }, receiver)
    }
}

#[async_trait]
impl JobQueue for Doorbell {
    async fn enqueue(&self, job: &Job) -> Result<(), PortError> {
        if self.sender.try_send((job.clone(), trace::traceparent())).is_err() {
            tracing::debug!("the doorbell is full; the sweep will find the job");
        }
        Ok(())
    }
}
