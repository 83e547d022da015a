//! A collection's generation, which everything that may change an answer changes in its own transaction, and the hold under
//! which nothing changes it.
//!
//! A backup reads while writers go on, and knows by the generations whether something changed meanwhile. Of a collection that
//! never rests long enough it would never get hold; so, for its last look, it asks writers to wait a moment. It is a courtesy:
//! what is read is of one moment if and only if the generation is the same before and after, whoever kept to the hold. A
//! hold ends by itself, so that a backup that died holds nobody up for longer than [`MAX_HOLD`].

use std::time::{Duration, Instant};

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{CollectionId, TenantId},
    time::Timestamp,
};

use crate::{
    collections::Collections,
    item::{number, number_in},
    layout,
    table::{Conditional, Table},
    transaction::{Change, Write},
};

/// Longest time a collection is held at once.
pub const MAX_HOLD: Duration = Duration::from_secs(5);
/// How often a writer looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a writer waits in all, for holds that follow each other.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Whether nobody holds the collection; wants `:now`.
pub(crate) const IS_FREE: &str = "(attribute_not_exists(#held_until) OR #held_until <= :now)";

impl Collections<'_> {
    /// Asks writers of a collection to wait until `until`, at most [`MAX_HOLD`] from `now`, or until [`Self::release`].
    ///
    /// # Errors
    /// `NotFound`, or when the table cannot be written.
    pub async fn hold(
        &self,
        tenant: &TenantId,
        id: &CollectionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), PortError> {
        let until = until.min(now + MAX_HOLD);
        let change = Change::of(layout::collection(tenant, id), "SET #held_until = :until")
            .when("attribute_exists(#PK)")
            .with(":until", number(until.as_millis()));
        self.changed("hold collection", change).await
    }

    /// Lets writers go on.
    ///
    /// # Errors
    /// `NotFound`, or when the table cannot be written: they go on when the hold ends.
    pub async fn release(&self, tenant: &TenantId, id: &CollectionId) -> Result<(), PortError> {
        let change = Change::of(layout::collection(tenant, id), "REMOVE #held_until")
            .when("attribute_exists(#PK)");
        self.changed("release collection", change).await
    }

    async fn changed(&self, operation: &'static str, change: Change) -> Result<(), PortError> {
        match self.table.update(operation, change).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::NotFound, operation)),
        }
    }
}

/// Returns the change that outdates a collection's cached answers; refused where it does not exist or is held.
pub(crate) fn generation_change(tenant: &TenantId, id: &CollectionId, now: Timestamp) -> Change {
    Change::of(layout::collection(tenant, id), "ADD #generation :one")
        .when(&format!("attribute_exists(#PK) AND {IS_FREE}"))
        .with(":one", number(1_u64))
        .with(":now", number(now.as_millis()))
}

/// The part of a transaction that outdates a collection's cached answers. When it is refused, [`wait_until_free`] says why.
pub(crate) fn next_generation(tenant: &TenantId, id: &CollectionId, now: Timestamp) -> Write {
    Write::Change(generation_change(tenant, id, now))
}

/// The part of a transaction that counts one document more in an existing collection.
pub(crate) fn one_document_more(tenant: &TenantId, id: &CollectionId) -> Write {
    let change = Change::of(layout::collection(tenant, id), "ADD #document_count :one");
    Write::Change(change.when("attribute_exists(#PK)").with(":one", number(1_u64)))
}

/// The part of a transaction that counts one document less. Its answers were outdated when the deletion began.
pub(crate) fn one_document_less(tenant: &TenantId, id: &CollectionId) -> Write {
    let change =
        Change::of(layout::collection(tenant, id), "SET #document_count = #document_count - :one");
    Write::Change(change.when("attribute_exists(#PK)").with(":one", number(1_u64)))
}

/// Waits while somebody holds the collection, and returns the time then: a transaction that was refused for it can be tried
/// again with that.
///
/// # Errors
/// `NotFound` when there is no such collection, `Conflict` when it is held for too long.
pub(crate) async fn wait_until_free(
    table: &Table,
    operation: &'static str,
    tenant: &TenantId,
    id: &CollectionId,
    now: Timestamp,
) -> Result<Timestamp, PortError> {
    let started = Instant::now();
    loop {
        let Some(item) = table.get(operation, &layout::collection(tenant, id)).await? else {
            let reason = "the collection does not exist";
            return Err(PortError::new(ErrorKind::NotFound, operation, reason));
        };
        let waited = started.elapsed();
        if number_in(&item, "held_until") <= (now + waited).as_millis() {
            return Ok(now + waited);
        }
        if waited > MAX_WAIT {
            let reason = "a backup holds the collection; try again";
            return Err(PortError::new(ErrorKind::Conflict, operation, reason));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
