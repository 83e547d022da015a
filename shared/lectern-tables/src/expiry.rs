//! How far the sweep for documents that are kept no longer came in a collection. A sweep is bounded and stops anywhere; where it
//! goes on stands here, and so does until when a collection that was looked through whole is left alone. Only a hint: two sweeps
//! at once, or one that begins anew, look at documents twice and change nothing by it.

use std::time::Duration;

use lectern_core::{
    errors::PortError,
    ids::{CollectionId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    item::{from_item, to_item},
    layout,
    table::{Table, alive, expiry},
    transaction::Condition,
};

/// How long a place is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The sweeps of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct ExpirySweeps<'tables> {
    pub(crate) table: &'tables Table,
}

/// Where a sweep goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepPlace {
    /// The `next` of the page of documents that was looked at last; from the oldest document on without.
    pub cursor: Option<String>,
    /// Before when nothing need be looked at.
    pub not_before: Timestamp,
}

impl ExpirySweeps<'_> {
    /// Returns where the sweep of a collection goes on.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
        now: Timestamp,
    ) -> Result<SweepPlace, PortError> {
        let operation = "find a sweep's place";
        let item = self.table.get(operation, &layout::expiry_sweep(tenant, collection)).await?;
        let item = item.and_then(|item| alive(item, now));
        Ok(item.map(|item| from_item(operation, &item)).transpose()?.unwrap_or_default())
    }

    /// Remembers where the sweep of a collection goes on, for a day.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
        place: &SweepPlace,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let mut item = to_item(place);
        layout::expiry_sweep(tenant, collection).put_into(&mut item);
        item.insert("expires_at".to_owned(), expiry(now + KEPT));
        self.table.put("keep a sweep's place", item, Condition::default()).await.map(|_| ())
    }
}
