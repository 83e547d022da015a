//! Events of SQS, S3 and EventBridge.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{ACCOUNT, REGION};

/// What S3 encodes in the keys of its notifications; blanks become `+`.
const IN_KEYS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');
const SENT_MS: &str = "1795253400000";

/// A message of a queue.
#[derive(Clone, Debug)]
pub struct SqsMessage {
    /// Its id, which a partial batch failure names.
    pub id: String,
    /// Its body.
    pub body: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// More attributes, `MessageGroupId`, or other values of the usual ones.
    pub attributes: BTreeMap<String, String>,
}

impl SqsMessage {
    /// Returns a message received for the first time.
    #[must_use]
    pub fn new(id: &str, body: impl Into<String>) -> Self {
        let (id, body) = (id.to_owned(), body.into());
        Self { id, body, receive_count: 1, attributes: BTreeMap::new() }
    }

    /// Sets how often it was received.
    #[must_use]
    pub fn received(mut self, count: u32) -> Self {
        self.receive_count = count;
        self
    }

    /// Sets an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// Returns the batch that Lambda makes of messages of the queue `queue`. The checksums of the bodies are not
/// theirs: nobody but an SDK's receiver looks at them.
#[must_use]
pub fn sqs_event(queue: &str, messages: &[SqsMessage]) -> Value {
    let record = |message: &SqsMessage| {
        let mut attributes = json!({
            "ApproximateReceiveCount": message.receive_count.to_string(),
            "SentTimestamp": SENT_MS,
            "SenderId": "AROAEXAMPLEEXAMPLEEXA:lectern-upload",
            "ApproximateFirstReceiveTimestamp": SENT_MS,
        });
        for (name, value) in &message.attributes {
            attributes[name] = value.as_str().into();
        }
        json!({
            "messageId": message.id,
            "receiptHandle": format!("AQEBexample{}==", message.id),
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
            "awsRegion": REGION,
        })
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}

/// Returns S3's notification of a new object; it is the body of a message. The key is given as it is, and
/// encoded here as S3 does it.
#[must_use]
pub fn s3_event(bucket: &str, key: &str, size_bytes: u64) -> Value {
    let key = utf8_percent_encode(key, IN_KEYS).to_string().replace("%20", "+");
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": "2026-11-21T09:30:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLEEXAMPLEEXA:lectern-upload"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": {
                "key": key,
                "size": size_bytes,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    }]})
}

/// Returns what S3 sends once, when notifications are set up.
#[must_use]
pub fn s3_test_event(bucket: &str) -> Value {
    json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-21T09:30:00.000Z",
        "Bucket": bucket,
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
    })
}

/// Returns what a schedule sends: EventBridge passes a rule's `Input` on as the whole event.
#[must_use]
pub fn schedule_event(task: &str) -> Value {
    json!({ "task": task })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_s3_does_it() {
        let event = s3_event("documents", "uploads/a b/ä+(1).pdf", 7);
        let object = &event["Records"][0]["s3"]["object"];
        assert_eq!(object["key"], "uploads/a+b/%C3%A4%2B%281%29.pdf");
    }

    #[test]
    fn attributes_are_strings() {
        let message = SqsMessage::new("m1", "{}").received(3).attribute("MessageGroupId", "acme");
        let event = sqs_event("jobs", &[message]);
        let attributes = &event["Records"][0]["attributes"];
        assert_eq!(attributes["ApproximateReceiveCount"], "3");
        assert_eq!(attributes["MessageGroupId"], "acme");
        assert_eq!(
            event["Records"][0]["eventSourceARN"],
            "arn:aws:sqs:eu-central-1:123456789012:jobs"
        );
    }
}
