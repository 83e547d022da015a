//! What a message of the queue may say.

use lectern_app::blobs::BlobName;
use lectern_core::{
    document::Job,
    ids::{TenantId, UploadId},
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

/// A message that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Something to do with a document.
    Job(Job),
    /// Files that arrived.
    Arrived(Vec<(TenantId, UploadId)>),
    /// What S3 sends when it is told of the queue.
    Test,
}

/// The part of an S3 event notification that is read ("Event message structure", Amazon S3 User Guide).
#[derive(Debug, Deserialize)]
struct Notification {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    s3: Entity,
}

#[derive(Debug, Deserialize)]
struct Entity {
    object: Object,
}

#[derive(Debug, Deserialize)]
struct Object {
    key: String,
}

/// Reads a message, or returns in words for an operator why it is none.
pub(crate) fn parse(body: &str) -> Result<Message, String> {
    let value: Value =
        serde_json::from_str(body).map_err(|error| format!("the message is not JSON: {error}"))?;
    if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Message::Test);
    }
    if value.get("Records").is_some() {
        let notification: Notification = serde_json::from_value(value)
            .map_err(|error| format!("the notification cannot be read: {error}"))?;
        let keys = notification.records.iter().map(|record| decoded(&record.s3.object.key));
        // A file at another place is none of ours: the bucket's filter keeps it away.
        let uploads = keys.filter_map(|key| BlobName::parse_upload(&key)).collect();
        return Ok(Message::Arrived(uploads));
    }
    serde_json::from_value(value)
        .map(Message::Job)
        .map_err(|error| format!("the message is neither a job nor a notification: {error}"))
}

/// S3 encodes names as forms do: `+` is a space.
fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_jobs_or_arrivals() {
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let job = format!(r#"{{"tenant":"acme","document_id":"{id}","task":{{"ingest":2}}}}"#);
        assert!(matches!(parse(&job).unwrap(), Message::Job(_)));
        let arrived = |key: &str| {
            parse(&format!(r#"{{"Records":[{{"s3":{{"object":{{"key":"{key}"}}}}}}]}}"#)).unwrap()
        };
        let expected = Message::Arrived(vec![("acme".parse().unwrap(), id.parse().unwrap())]);
        assert_eq!(arrived(&format!("uploads/acme/{id}")), expected);
        assert_eq!(arrived(&format!("uploads%2Facme%2F{id}")), expected);
        for other in ["raw/acme/x", "uploads/acme", "uploads/a+b/x", &format!("uploads/%FF/{id}")] {
            assert_eq!(arrived(other), Message::Arrived(Vec::new()), "{other}");
        }
        assert_eq!(parse(r#"{"Event":"s3:TestEvent"}"#).unwrap(), Message::Test);
    }

    #[test]
    fn what_is_no_message_says_why() {
        assert!(parse("{").unwrap_err().starts_with("the message is not JSON"));
        assert!(parse("{}").unwrap_err().contains("neither a job nor a notification"));
        assert!(parse(r#"{"Records":[{"sns":{}}]}"#).unwrap_err().contains("cannot be read"));
    }
}
