//! A batch of messages: each is done, comes again, or is buried with the reason.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use lectern_app::{
    canary,
    expire::Expire,
    ingest::Outcome,
    uploads::Uploads,
    worker::{JobResult, Worker},
};
use lectern_aws::sqs::Queue;
use lectern_core::{
    document::Job,
    errors::chain,
    ids::{TenantId, UploadId},
    ports::JobQueue as _,
};
use lectern_runtime::{deadline::Deadline, lambda, log_levels::LogLevels};
use lectern_telemetry::trace;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::{Instrument as _, error, info, warn};

use crate::message::{Message, parse};

/// Messages at the same time. Parsing has the processor; embedding waits for a network.
pub(crate) const CONCURRENCY: usize = 2;
/// How often a message is received before it is buried; the queue's own `maxReceiveCount`, which is for functions that died.
pub(crate) const MAX_RECEIVES: u32 = 5;
/// Time a message needs at least: with less left it comes again at once.
const MIN_TIME: Duration = Duration::from_secs(5);
/// Time kept back from the invocation for its reply.
const MARGIN: Duration = Duration::from_secs(2);
/// Wait before a message comes for the second time; doubled for each further time.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// How long a sweep deletes documents that are kept no longer.
const EXPIRY_TIME: Duration = Duration::from_secs(60);
const MAX_WAIT: Duration = Duration::from_secs(300);

/// Works batches off.
#[derive(Debug)]
pub(crate) struct Batches {
    /// Which log lines are wanted.
    pub(crate) levels: LogLevels,
    /// Runs jobs.
    pub(crate) worker: Worker,
    /// Makes arrived files documents.
    pub(crate) uploads: Uploads,
    /// The queue the messages are from.
    pub(crate) jobs: Queue,
    /// Where messages end that nobody can do.
    pub(crate) dead_letters: Queue,
    /// Whether the sweep plants the canary's document.
    pub(crate) has_canary: bool,
}

/// The part of an SQS event that is read ("Using Lambda with Amazon SQS", AWS Lambda Developer Guide).
#[derive(Debug, Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    receipt_handle: String,
    body: String,
    attributes: Attributes,
    #[serde(default)]
    message_attributes: MessageAttributes,
}

/// What the sender said besides.
#[derive(Debug, Default, Deserialize)]
struct MessageAttributes {
    traceparent: Option<MessageAttribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageAttribute {
    string_value: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount")]
    receive_count: String,
}

impl Record {
    /// Whether this is the last time the message comes.
    fn is_last(&self) -> bool {
        self.attributes.receive_count.parse().unwrap_or(1_u32) >= MAX_RECEIVES
    }

    fn wait(&self) -> Duration {
        let times = self.attributes.receive_count.parse().unwrap_or(1_u32).saturating_sub(1);
        FIRST_WAIT.saturating_mul(1 << times.min(10)).min(MAX_WAIT)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// What becomes of a message.
enum Fate {
    /// The queue forgets it.
    Done,
    /// It comes again, later or after that wait.
    Again(Option<Duration>),
}

impl Batches {
    /// Handles an event: a batch of messages, or the schedule's `{"task": "sweep"}`.
    ///
    /// # Errors
    /// When the event is neither, or the sweep fails.
    pub(crate) async fn handle(
        &self,
        event: Value,
        deadline: Deadline,
    ) -> Result<Value, lambda::Error> {
        if event.get("task").and_then(Value::as_str) == Some("sweep") {
            self.expire(deadline).await;
            self.plant_canary().await;
            return Ok(json!({ "rung": self.sweep().await? }));
        }
        let batch: Batch = serde_json::from_value(event)
            .map_err(|error| format!("the event is neither a batch nor a sweep: {error}"))?;
        let messages = batch.records.len();
        let fates = stream::iter(batch.records).map(|record| self.settle(record, deadline));
        let failures: Vec<Failure> =
            fates.buffer_unordered(CONCURRENCY).filter_map(std::future::ready).collect().await;
        info!(messages, again = failures.len(), "worked a batch off");
        Ok(json!({ "batchItemFailures": failures }))
    }

    async fn settle(&self, record: Record, deadline: Deadline) -> Option<Failure> {
        let asked_by = record.message_attributes.traceparent.as_ref();
        let asked_by = asked_by.and_then(|given| given.string_value.as_deref());
        let span = trace::job("message", &record.message_id, asked_by);
        self.settled(&record, deadline).instrument(span).await
    }

    async fn settled(&self, record: &Record, deadline: Deadline) -> Option<Failure> {
        match self.one(record, deadline).await {
            Fate::Done => None,
            Fate::Again(wait) => {
                self.postpone(record, wait).await;
                Some(Failure { item_identifier: record.message_id.clone() })
            }
        }
    }

    async fn one(&self, record: &Record, deadline: Deadline) -> Fate {
        let left = deadline.0.saturating_duration_since(Instant::now()).saturating_sub(MARGIN);
        if left < MIN_TIME {
            return Fate::Again(Some(Duration::ZERO));
        }
        let message = match parse(&record.body) {
            Ok(message) => message,
            Err(cause) => return self.bury(record, &cause).await,
        };
        let work = async {
            match message {
                Message::Test => Fate::Done,
                Message::Job(job) => self.job(record, &job).await,
                Message::Arrived(uploads) => self.arrived(record, &uploads).await,
            }
        };
        match tokio::time::timeout(left, work).await {
            Ok(fate) => fate,
            // The lease ends by itself; whoever gets the message then goes on.
            Err(_) => {
                warn!(message.id = record.message_id, "no time left for a message");
                Fate::Again(Some(self.worker.ingest.lease))
            }
        }
    }

    async fn job(&self, record: &Record, job: &Job) -> Fate {
        match self.worker.run(job).await {
            JobResult::Done(Outcome::Failed(failure)) if failure.is_poison() => {
                self.bury(record, &failure.detail).await
            }
            // Somebody else has it; it comes again in case they die.
            JobResult::Done(Outcome::Held(_)) => Fate::Again(Some(self.worker.ingest.lease)),
            JobResult::Done(_) => Fate::Done,
            JobResult::Again(error) if record.is_last() => self.bury(record, &chain(&error)).await,
            JobResult::Again(_) => Fate::Again(Some(record.wait())),
        }
    }

    async fn arrived(&self, record: &Record, uploads: &[(TenantId, UploadId)]) -> Fate {
        for (tenant, id) in uploads {
            match self.uploads.complete(tenant, id).await {
                Ok(()) => {}
                Err(error) if record.is_last() => return self.bury(record, &chain(&error)).await,
                Err(error) => {
                    warn!(upload.id = %id, error = %chain(&error), "an upload comes again");
                    return Fate::Again(Some(record.wait()));
                }
            }
        }
        Fate::Done
    }

    /// Buries a message with the reason. Where that fails it comes again, in the end to SQS's own burial.
    async fn bury(&self, record: &Record, cause: &str) -> Fate {
        error!(message.id = record.message_id, cause, "buried a message");
        match self.dead_letters.bury(&record.body, cause).await {
            Ok(()) => Fate::Done,
            Err(error) => {
                warn!(error = %chain(&error), "failed to bury a message");
                Fate::Again(None)
            }
        }
    }

    /// Without it a message that failed would come when its visibility timeout ends, which has to be long.
    async fn postpone(&self, record: &Record, wait: Option<Duration>) {
        let Some(wait) = wait else { return };
        if let Err(error) = self.jobs.postpone(&record.receipt_handle, wait).await {
            warn!(error = %chain(&error), "a message comes later than it could");
        }
    }

    /// Deletes documents that their collections keep no longer. What fails waits for the next sweep.
    async fn expire(&self, deadline: Deadline) {
        let (tables, forget) = (self.worker.tables.clone(), self.worker.forget.clone());
        let latest = deadline.0.checked_sub(MARGIN).unwrap_or(deadline.0);
        let until = (Instant::now() + EXPIRY_TIME).min(latest);
        let swept = Expire { tables, forget }.sweep(self.worker.clock.now(), until).await;
        if let Err(error) = swept {
            warn!(error = %chain(&error), "failed to look for documents that are kept no longer");
        }
    }

    /// Sees to it that the canary's document is there, where there is a canary.
    async fn plant_canary(&self) {
        if !self.has_canary {
            return;
        }
        if let Err(error) = canary::plant(&self.uploads.upload).await {
            warn!(error = %chain(&error), "failed to plant the canary's document");
        }
    }

    /// Rings for what is pending and nobody has, when nobody is working: for jobs whose ring was lost.
    async fn sweep(&self) -> Result<usize, lambda::Error> {
        if self.jobs.unfinished().await? > 0 {
            return Ok(0);
        }
        let pending = self.worker.pending().await?;
        for job in &pending {
            self.jobs.enqueue(job).await?;
        }
        if !pending.is_empty() {
            warn!(rung = pending.len(), "rang for documents whose ring was lost");
        }
        Ok(pending.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(times: u32) -> Record {
        Record {
            message_id: "m".into(),
            receipt_handle: "r".into(),
            body: String::new(),
            attributes: Attributes { receive_count: times.to_string() },
            message_attributes: MessageAttributes::default(),
        }
    }

    #[test]
    fn waits_double_and_end() {
        let seconds = |times| received(times).wait().as_secs();
        assert_eq!([1, 2, 3, 4, 5].map(seconds), [10, 20, 40, 80, 160]);
        assert_eq!(seconds(1_000), 300);
        assert!(!received(4).is_last() && received(5).is_last());
    }
}
