//! Amazon SQS: rings for the ingestion worker, and letters that nobody could read.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{MessageAttributeValue, QueueAttributeName},
};
use lectern_core::{
    document::Job,
    errors::{ErrorKind, PortError},
    ports::JobQueue,
};
use lectern_telemetry::{
    call::Dependency,
    circuit::Circuit,
    trace::{TRACEPARENT, traceparent},
};

use crate::{client, errors::failed};

/// Name of the attribute in which a dead letter says why it is one.
pub const CAUSE: &str = "cause";
/// Longest cause in bytes.
const MAX_CAUSE_BYTES: usize = 1_024;
/// Longest a message can be postponed (API reference of `ChangeMessageVisibility`).
const MAX_POSTPONE: Duration = Duration::from_secs(12 * 60 * 60);

/// One queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
    circuit: Circuit,
}

impl Queue {
    /// Returns the queue at `url`, as SQS calls it. Opens no connection.
    pub async fn connect(url: &str) -> Self {
        let client = Client::new(&client::config().await);
        Self { client, url: url.to_owned(), circuit: Circuit::to(Dependency::Queue) }
    }

    /// Returns another queue over the same connections.
    #[must_use]
    pub fn beside(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// Sends a message as it came, with the reason why it is a dead letter. A person reads it.
    ///
    /// # Errors
    /// When the queue cannot be reached or refuses.
    pub async fn bury(&self, body: &str, cause: &str) -> Result<(), PortError> {
        const OPERATION: &str = "sqs bury";
        let cut = cause.floor_char_boundary(MAX_CAUSE_BYTES);
        let cause = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(&cause[..cut])
            .build()
            .map_err(|error| PortError::new(ErrorKind::Internal, OPERATION, error))?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(body);
        let call = Box::pin(async {
            let sent = sent.message_attributes(CAUSE, cause).send().await;
            sent.map(|_| ()).map_err(failed(OPERATION))
        });
        self.circuit.call("bury", call).await
    }

    /// Lets a message that was received come again after `wait` and not when its visibility timeout ends.
    ///
    /// # Errors
    /// When the queue cannot be reached, refuses, or has given the message to somebody else.
    pub async fn postpone(&self, receipt: &str, wait: Duration) -> Result<(), PortError> {
        let seconds = i32::try_from(wait.min(MAX_POSTPONE).as_secs()).unwrap_or(0);
        let change = self.client.change_message_visibility().queue_url(&self.url);
        let call = Box::pin(async {
            let changed = change.receipt_handle(receipt).visibility_timeout(seconds).send().await;
            changed.map(|_| ()).map_err(failed("sqs postpone"))
        });
        self.circuit.call("postpone", call).await
    }

    /// Returns how many messages wait, are being worked on or come later, which SQS knows approximately.
    ///
    /// # Errors
    /// When the queue cannot be reached or refuses.
    pub async fn unfinished(&self) -> Result<u64, PortError> {
        self.circuit.call("count", Box::pin(self.count())).await
    }

    async fn count(&self) -> Result<u64, PortError> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        const OPERATION: &str = "sqs unfinished";
        let asked = self.client.get_queue_attributes().queue_url(&self.url);
        let asked = asked.set_attribute_names(Some(vec![Waiting, InFlight, Delayed]));
        let known = asked.send().await.map_err(failed(OPERATION))?.attributes.unwrap_or_default();
        let count = |name| -> Option<u64> { known.get(&name)?.parse().ok() };
        let sum = [Waiting, InFlight, Delayed].into_iter().map(count).sum::<Option<u64>>();
        sum.ok_or_else(|| PortError::bare(ErrorKind::Internal, OPERATION))
    }
}

#[async_trait]
impl JobQueue for Queue {
    async fn enqueue(&self, job: &Job) -> Result<(), PortError> {
        const OPERATION: &str = "sqs enqueue";
        let body = serde_json::to_string(job)
            .map_err(|error| PortError::new(ErrorKind::Internal, OPERATION, error))?;
        let mut sent = self.client.send_message().queue_url(&self.url).message_body(body);
        if let Some(traceparent) = traceparent() {
            let attribute = MessageAttributeValue::builder().data_type("String");
            let attribute = attribute.string_value(traceparent).build();
            sent = sent.set_message_attributes(
                attribute.ok().map(|trace| HashMap::from([(TRACEPARENT.to_owned(), trace)])),
            );
        }
        let call = Box::pin(async { sent.send().await.map(|_| ()).map_err(failed(OPERATION)) });
        self.circuit.call("enqueue", call).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.circuit.probe(Box::pin(self.count())).await.map(|_| ())
    }
}
