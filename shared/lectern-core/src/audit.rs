//! The audit log: one record for each request behind the gate, chained so that a change shows.
//!
//! A record says who asked for what, whether they were let, which documents an answer was made from and what it cost. It holds ids,
//! hashes and times; the text of a question only where its collection says so, and never a passage, an answer or a secret.
//!
//! Each process writes one *stream*. A record is a line of JSON whose last field is `hash`, the SHA-256 of the line as it is
//! without that field; `previous` is the hash of the record before, 64 zeros for the first. So a record cannot be changed, removed
//! or put between two others without changing all that follow, and anybody can check it with stock tools:
//!
//! ```text
//! sed 's/,"hash":"[0-9a-f]*"}$/}/' | head -c -1 | sha256sum
//! ```
//!
//! The chain is that of Schneier and Kelsey, *Secure Audit Logs to Support Computer Forensics* (1999), without its keys: records are
//! shipped to a store that the writer cannot change, and the streams' heads are kept in the table, which tells when the end of a
//! stream is missing.

mod verify;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::verify::{Flaw, MAX_RECORDS, TooMany, Verified, Verifier};
use crate::{
    ids::{CollectionId, DocumentId, KeyId, QueryId, StreamId, TenantId},
    pricing::MicroDollars,
    time::Timestamp,
};

/// Most documents of a record.
pub const MAX_DOCUMENTS: usize = 100;
/// Longest path of a record in bytes; the end of a longer one is cut off.
pub const MAX_PATH_BYTES: usize = 512;
/// What each line begins with, for whoever picks them out of others.
pub const PREFIX: &str = r#"{"log":"audit","#;
/// The `previous` of a stream's first record.
const GENESIS: [u8; 32] = [0; 32];
const HASH: &str = r#","hash":""#;
/// What follows the hash's digits.
const END: &str = "\"}";

/// SHA-256 of a record.
pub type RecordHash = [u8; 32];

/// Whether somebody was let.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// They were.
    Allow,
    /// They were not: who they are is not known, or they may not.
    Deny,
    /// They were, and what they asked for could not be done.
    Fail,
}

/// What was decided of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it came, RFC 3339.
    pub at: String,
    /// Its id, which log lines and problems have too.
    pub request_id: String,
    /// What was decided.
    pub decision: Decision,
    /// The method.
    pub method: String,
    /// The path: which route, and which document, collection or key of it.
    pub path: String,
    /// The status of the response; none when the client was gone before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it was refused or failed: the last word of the problem's `type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The key, or what stands for the subject of a token; none for an operator at the machine, and for whoever was not let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// Which of those who have a token for a widget that was made with the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<KeyId>,
    /// Where the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// What was used and spent.
    #[serde(flatten)]
    pub used: Used,
}

/// What a request used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The collection that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionId>,
    /// The question's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_id: Option<QueryId>,
    /// SHA-256 of the question's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question_sha256: Option<String>,
    /// The question's text, where the collection's settings say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The documents whose passages were given, or an answer was made from: at most [`MAX_DOCUMENTS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentId>,
    /// What it cost, in millionths of a dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro_usd: Option<MicroDollars>,
}

impl Used {
    /// Returns what a question used; its text is kept as a hash, and itself where `keeps_text`.
    #[must_use]
    pub fn question(collection: &CollectionId, text: &str, keeps_text: bool) -> Self {
        Self {
            collection: Some(collection.clone()),
            question_sha256: Some(hex::encode(Sha256::digest(text.as_bytes()))),
            question: keeps_text.then(|| text.to_owned()),
            ..Self::default()
        }
    }

    /// Adds documents, each once, as far as there is room.
    #[must_use]
    pub fn with_documents<'id>(mut self, ids: impl IntoIterator<Item = &'id DocumentId>) -> Self {
        for id in ids {
            if self.documents.len() == MAX_DOCUMENTS {
                break;
            }
            if !self.documents.contains(id) {
                self.documents.push(id.clone());
            }
        }
        self
    }
}

/// An entry in its place. The order of the fields is the order in the line.
#[derive(Serialize)]
struct Record<'entry> {
    log: &'static str,
    stream: &'entry StreamId,
    sequence: u64,
    previous: String,
    #[serde(flatten)]
    entry: &'entry Entry,
}

/// A stream while it is written.
#[derive(Clone, Debug)]
pub struct Chain {
    stream: StreamId,
    /// How many records it has.
    length: u64,
    head: RecordHash,
}

/// Where a stream ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Which stream.
    pub stream: StreamId,
    /// How many records it has.
    pub length: u64,
    /// The hash of the last one, lower-case hex.
    pub hash: String,
    /// When that was so.
    pub at: Timestamp,
}

impl Chain {
    /// Returns a stream without records.
    #[must_use]
    pub fn new(now: Timestamp, entropy: u128) -> Self {
        Self { stream: StreamId::new(now, entropy), length: 0, head: GENESIS }
    }

    /// Adds a record and returns its line, without a line feed.
    pub fn append(&mut self, entry: &Entry) -> String {
        let record = Record {
            log: "audit",
            stream: &self.stream,
            sequence: self.length,
            previous: hex::encode(self.head),
            entry,
        };
        // Texts, numbers and lists: writing them cannot fail.
        let mut line = serde_json::to_string(&record).unwrap_or_default();
        self.head = Sha256::digest(line.as_bytes()).into();
        self.length += 1;
        line.truncate(line.len().saturating_sub(1));
        line.push_str(HASH);
        line.push_str(&hex::encode(self.head));
        line.push_str(END);
        line
    }

    /// Returns where it ends `now`.
    #[must_use]
    pub fn head(&self, now: Timestamp) -> Head {
        let hash = hex::encode(self.head);
        Head { stream: self.stream.clone(), length: self.length, hash, at: now }
    }
}

/// Returns a line without its hash, and the hash; `None` when it ends otherwise.
fn part(line: &str) -> Option<(String, RecordHash)> {
    let (before, hash) = line.strip_suffix(END)?.rsplit_once(HASH)?;
    let mut bytes = GENESIS;
    hex::decode_to_slice(hash, &mut bytes).ok()?;
    // The hash does not cover its own digits: `C` for `c` is a line that nobody wrote.
    (hex::encode(bytes) == hash).then(|| (format!("{before}}}"), bytes))
}

#[cfg(test)]
mod tests;
