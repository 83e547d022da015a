//! Deleting a document: it stops answering first, its data goes second, a receipt stays.

use std::time::Duration;

use lectern_core::{
    document::{DeletionReceipt, Document, DocumentState},
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    documents::{StoredDocument, load},
    generation::{next_generation, one_document_less, wait_until_free},
    item::{Item, from_item, native, text, text_in, to_item},
    layout,
    range::Range,
    registration::release_content,
    table::{BatchWrite, Table, alive, expiry},
    transaction::{Change, Condition, Transacted, Write},
};

/// How long a receipt can be read after the deletion.
pub const TOMBSTONE_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const BEGIN: &str = "begin deletion";
const FINISH: &str = "finish deletion";
/// How often a change is decided anew because somebody else changed the document.
const MAX_TRIES: u32 = 8;
/// Versions removed per round, and most rounds: 100 000 versions of one document.
const VERSIONS_PER_ROUND: usize = 100;
const MAX_ROUNDS: usize = 1_000;

/// The deletions of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Deletions<'tables> {
    pub(crate) table: &'tables Table,
}

/// Where a deletion stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Deletion {
    /// The document answers nothing any more, and its passages and files have to go. It stopped
    /// answering at its `updated_at`.
    Begun(Box<Document>),
    /// The document is there still, and stays.
    Kept,
    /// All of it is gone.
    Done(DeletionReceipt),
    /// There is no such document, or its receipt is too old.
    Unknown,
}

/// The stored record of a deletion.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    state: DocumentState,
    collection: CollectionId,
    receipt: Option<DeletionReceipt>,
}

impl Deletions<'_> {
    /// Makes a document answer nothing from now on and puts the rest on the pending work, in one
    /// transaction. Repeating it returns where the deletion stands.
    ///
    /// # Errors
    /// `Conflict` when the document kept changing.
    pub async fn begin(
        &self,
        tenant: &TenantId,
        id: &DocumentId,
        now: Timestamp,
    ) -> Result<Deletion, PortError> {
        self.begin_if(tenant, id, &|_| true, now).await
    }

    /// [`Self::begin`] for a document that is as it has to be, in one transaction with that look at it.
    ///
    /// # Errors
    /// `Conflict` when the document kept changing.
    pub async fn begin_if(
        &self,
        tenant: &TenantId,
        id: &DocumentId,
        may_go: &(dyn Fn(&Document) -> bool + Sync),
        now: Timestamp,
    ) -> Result<Deletion, PortError> {
        let mut free = now;
        for _ in 0..MAX_TRIES {
            let Some(stored) = load(self.table, BEGIN, tenant, id).await? else {
                let marker = self.marker(BEGIN, tenant, id, now).await?;
                let receipt = marker.and_then(|marker| marker.receipt);
                return Ok(receipt.map_or(Deletion::Unknown, Deletion::Done));
            };
            if stored.is_leaving() {
                return Ok(Deletion::Begun(Box::new(stored.document)));
            }
            if !may_go(&stored.document) {
                return Ok(Deletion::Kept);
            }
            let StoredDocument { mut document, revision } = stored;
            document.state = DocumentState::Deleting;
            document.updated_at = now;
            let writes = vec![
                Write::Put(marker_item(&document, now), Condition::default()),
                next_generation(tenant, &document.collection, free),
                StoredDocument { document: document.clone(), revision }.write(),
            ];
            match self.table.transact(BEGIN, writes).await? {
                Transacted::Written => return Ok(Deletion::Begun(Box::new(document))),
                Transacted::Refused(1) => {
                    let collection = &document.collection;
                    free = wait_until_free(self.table, BEGIN, tenant, collection, free).await?;
                }
                Transacted::Refused(_) => {}
            }
        }
        Err(PortError::new(ErrorKind::Conflict, BEGIN, "the document kept changing"))
    }

    /// Removes the document's records and keeps `receipt` for [`TOMBSTONE_TTL`]. Returns the receipt
    /// kept, which is the first one when it was finished before.
    ///
    /// # Errors
    /// `NotFound` when no deletion was begun, `Internal` when versions remain after many rounds.
    pub async fn finish(
        &self,
        tenant: &TenantId,
        receipt: &DeletionReceipt,
        now: Timestamp,
    ) -> Result<DeletionReceipt, PortError> {
        let id = &receipt.document_id;
        let not_begun = || PortError::new(ErrorKind::NotFound, FINISH, "no deletion was begun");
        let marker = self.marker(FINISH, tenant, id, now).await?.ok_or_else(not_begun)?;
        if let Some(first) = marker.receipt {
            return Ok(first);
        }
        self.remove_versions(tenant, id).await?;
        if let Some(stored) = load(self.table, FINISH, tenant, id).await? {
            let document = stored.document;
            release_content(self.table, FINISH, &document, &document.sha256).await?;
        }
        let writes = vec![
            Write::Change(tombstone(tenant, receipt, now)),
            Write::Delete(layout::document(tenant, id), Condition::default()),
            one_document_less(tenant, &marker.collection),
        ];
        match self.table.transact(FINISH, writes).await? {
            Transacted::Written => Ok(receipt.clone()),
            // Another worker was faster; its receipt stands.
            Transacted::Refused(_) => {
                let marker = self.marker(FINISH, tenant, id, now).await?;
                marker.and_then(|marker| marker.receipt).ok_or_else(not_begun)
            }
        }
    }

    async fn marker(
        &self,
        operation: &'static str,
        tenant: &TenantId,
        id: &DocumentId,
        now: Timestamp,
    ) -> Result<Option<Marker>, PortError> {
        let item = self.table.get(operation, &layout::deletion(tenant, id)).await?;
        let item = item.and_then(|item| alive(item, now));
        item.map(|item| from_item(operation, &item)).transpose()
    }

    async fn remove_versions(&self, tenant: &TenantId, id: &DocumentId) -> Result<(), PortError> {
        let partition = layout::document_parts(tenant, id);
        for _ in 0..MAX_ROUNDS {
            let range = Range::prefixed(partition.clone(), layout::VERSION, VERSIONS_PER_ROUND);
            let (found, _) = self.table.range(FINISH, &range).await?;
            if found.is_empty() {
                return Ok(());
            }
            let sorts = found.iter().filter_map(|item| text_in(item, "SK"));
            let keys = sorts.map(|sk| layout::Key { pk: partition.clone(), sk: sk.to_owned() });
            self.table.batch_write(FINISH, keys.map(BatchWrite::Delete).collect()).await?;
        }
        Err(PortError::new(ErrorKind::Internal, FINISH, "versions remain"))
    }
}

fn marker_item(document: &Document, now: Timestamp) -> Item {
    let Document { tenant, id, collection, .. } = document;
    let state = DocumentState::Deleting;
    let mut item = to_item(&Marker { state, collection: collection.clone(), receipt: None });
    layout::deletion(tenant, id).put_into(&mut item);
    item.extend(layout::pending(now, tenant, id, layout::DELETION));
    item
}

fn tombstone(tenant: &TenantId, receipt: &DeletionReceipt, now: Timestamp) -> Change {
    let value = serde_json::to_value(receipt).expect("ids and numbers");
    Change::of(
        layout::deletion(tenant, &receipt.document_id),
        "SET #state = :deleted, #receipt = :receipt, #expires_at = :expires_at \
         REMOVE #GSI1PK, #GSI1SK",
    )
    .when("#state = :deleting")
    .with(":deleting", text(DocumentState::Deleting.as_str()))
    .with(":deleted", text(DocumentState::Deleted.as_str()))
    .with(":receipt", native(value))
    .with(":expires_at", expiry(now + TOMBSTONE_TTL))
}
