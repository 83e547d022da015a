//! Requests that are carried out once however often they are sent.
//!
//! The rules are those of AWS Powertools' idempotency: a record is in progress until the deadline of
//! the function that holds it, then anybody may begin anew; a completed one replays its response;
//! the same key with another payload is a mismatch.

use std::time::Duration;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    item::{from_item, native, number, to_item},
    layout::{self, Key},
    table::{Conditional, Table, alive, expiry},
    transaction::{Change, Condition},
};

const BEGIN: &str = "begin idempotent request";

/// Requests of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Idempotency<'tables> {
    pub(crate) table: &'tables Table,
}

/// The response of a completed request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// HTTP status.
    pub status: u16,
    /// Body, JSON text.
    pub body: String,
    /// Its media type.
    #[serde(default)]
    pub content_type: Option<String>,
}

/// The right to carry a request out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    key: Key,
    in_progress_until: Timestamp,
}

/// What became of a begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Carry it out, then complete or abandon it.
    Started(Ticket),
    /// Somebody else does, at most until then.
    InProgress(Timestamp),
    /// It was carried out: this was the response.
    Replay(StoredResponse),
    /// The key was used for another payload.
    Mismatch,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    payload_sha256: String,
    in_progress_until: Timestamp,
    response: Option<StoredResponse>,
}

impl Idempotency<'_> {
    /// Begins the request whose key has `hash`, or returns how it stands. It stays in progress for
    /// `deadline`, and is remembered for `keep`.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn begin(
        &self,
        tenant: &TenantId,
        hash: &str,
        payload_sha256: &str,
        now: Timestamp,
        deadline: Duration,
        keep: Duration,
    ) -> Result<Begin, PortError> {
        let key = layout::idempotency(tenant, hash);
        let in_progress_until = now + deadline;
        let payload_sha256 = payload_sha256.to_owned();
        let record =
            Record { payload_sha256: payload_sha256.clone(), in_progress_until, response: None };
        let mut item = to_item(&record);
        key.put_into(&mut item);
        item.insert("expires_at".to_owned(), expiry(now + keep));
        let free = Condition::new(
            "attribute_not_exists(#PK) OR #expires_at <= :seconds \
             OR (attribute_not_exists(#response) AND #in_progress_until <= :now)",
        )
        .with(":seconds", number(now.as_secs()))
        .with(":now", number(now.as_millis()));
        let held = match self.table.put(BEGIN, item, free).await? {
            Conditional::Done(_) => {
                return Ok(Begin::Started(Ticket { key, in_progress_until }));
            }
            Conditional::Refused(held) => held.and_then(|held| alive(held, now)),
        };
        let held = held.ok_or(PortError::bare(ErrorKind::Conflict, BEGIN))?;
        let held: Record = from_item(BEGIN, &held)?;
        Ok(if held.payload_sha256 != payload_sha256 {
            Begin::Mismatch
        } else if let Some(response) = held.response {
            Begin::Replay(response)
        } else {
            Begin::InProgress(held.in_progress_until)
        })
    }

    /// Keeps the response for those who send the request again.
    ///
    /// # Errors
    /// `Conflict` when the deadline passed and somebody else began anew.
    pub async fn complete(
        &self,
        ticket: &Ticket,
        response: &StoredResponse,
    ) -> Result<(), PortError> {
        let operation = "complete idempotent request";
        let value = serde_json::to_value(response).expect("a number and a text");
        let change = Change::of(ticket.key.clone(), "SET #response = :response")
            .when("attribute_not_exists(#response) AND #in_progress_until = :until")
            .with(":response", native(value))
            .with(":until", number(ticket.in_progress_until.as_millis()));
        match self.table.update(operation, change).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::Conflict, operation)),
        }
    }

    /// Lets the request be begun anew at once: it failed without effect.
    ///
    /// # Errors
    /// When the table cannot be written; the deadline frees it then.
    pub async fn abandon(&self, ticket: &Ticket) -> Result<(), PortError> {
        let own = Condition::new("attribute_not_exists(#response) AND #in_progress_until = :until")
            .with(":until", number(ticket.in_progress_until.as_millis()));
        self.table.delete("abandon idempotent request", &ticket.key, own).await.map(|_| ())
    }
}
