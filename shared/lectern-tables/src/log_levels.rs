//! Which log lines an operator wants of a deployment for a while.

use lectern_core::{errors::PortError, time::Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    item::{from_item, to_item},
    layout,
    table::{Table, alive, expiry},
    transaction::Condition,
};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedLevels {
    /// Levels by module, `lectern=debug`.
    pub levels: String,
    /// Until when.
    pub until: Timestamp,
}

/// The one record of what is wanted.
#[derive(Clone, Copy, Debug)]
pub struct LogLevels<'tables> {
    pub(crate) table: &'tables Table,
}

impl LogLevels<'_> {
    /// Returns what is wanted now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, now: Timestamp) -> Result<Option<WantedLevels>, PortError> {
        let operation = "find log levels";
        let item = self.table.get(operation, &layout::log_levels()).await?;
        let item = item.and_then(|item| alive(item, now));
        item.map(|item| from_item(operation, &item)).transpose()
    }

    /// Keeps what is wanted, instead of what was.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put(&self, wanted: &WantedLevels) -> Result<(), PortError> {
        let mut item = to_item(wanted);
        layout::log_levels().put_into(&mut item);
        item.insert("expires_at".to_owned(), expiry(wanted.until));
        self.table.put("keep log levels", item, Condition::default()).await.map(|_| ())
    }
}
