//! Where the streams of the audit log end, as far as they said so: who removes the end of one is found out.

use std::time::Duration;

use lectern_core::{audit::Head, errors::PortError};

use crate::{
    item::{from_item, number, text},
    layout,
    range::Range,
    table::{Conditional, Table, expiry},
    transaction::Change,
};

/// How long a stream's end is known: longer than records are kept anywhere.
const KEPT: Duration = Duration::from_secs(800 * 24 * 60 * 60);
/// Most streams that are read at once.
const PAGE: usize = 1_000;
/// Most streams that are read.
pub const MAX_STREAMS: usize = 100_000;

/// The ends of the audit log's streams.
#[derive(Clone, Copy, Debug)]
pub struct AuditHeads<'tables> {
    pub(crate) table: &'tables Table,
}

impl AuditHeads<'_> {
    /// Keeps where a stream ends, unless a later end is known.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn keep(&self, head: &Head) -> Result<(), PortError> {
        let set = "SET #stream = :stream, #length = :length, #hash = :hash, #at = :at, #expires_at = :expires_at";
        let change = Change::of(layout::audit_head(&head.stream), set)
            .when("attribute_not_exists(#length) OR #length < :length")
            .with(":stream", text(head.stream.as_str()))
            .with(":length", number(head.length))
            .with(":hash", text(&*head.hash))
            .with(":at", number(head.at.as_millis()))
            .with(":expires_at", expiry(head.at + KEPT));
        match self.table.update("keep the end of an audit stream", change).await? {
            Conditional::Done(_) | Conditional::Refused(_) => Ok(()),
        }
    }

    /// Returns the ends of all streams, at most [`MAX_STREAMS`], the newest ones last.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(&self) -> Result<Vec<Head>, PortError> {
        let operation = "list the ends of audit streams";
        let range = Range::prefixed(layout::AUDIT.to_owned(), layout::STREAM, PAGE);
        let (items, _) =
            self.table.ranges(operation, range, MAX_STREAMS, MAX_STREAMS / PAGE).await?;
        items.iter().map(|item| from_item(operation, item)).collect()
    }
}
