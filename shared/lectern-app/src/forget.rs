//! One document goes, with a receipt: stop answering → delete from the index → count → delete files →
//! tombstone.
//!
//! From the moment the record says `deleting` no search shows the document; what follows removes the
//! data. A crash in between is finished by the worker, which finds the deletion among the pending jobs.

use std::sync::Arc;

use lectern_core::{
    auth::{Caller, Permission},
    document::{DeletionReceipt, Document},
    errors::{ErrorKind, PortError},
    ids::{BackupId, DocumentId, TenantId},
    passage::Scope,
    ports::{PassageReader, PassageWriter},
    retention::Retention,
    time::Timestamp,
};
use lectern_tables::{
    MAX_PAGE, Tables,
    backups::{Backup, BackupState},
    deletion::Deletion,
};
use tracing::info;

use crate::{blobs::Blobs, clock::Clock, errors::FlowError};

/// How often passages are deleted and counted before giving up on a writer that keeps writing.
const MAX_ROUNDS: usize = 3;

/// Most backups a receipt names: the newest.
const MAX_BACKUPS: usize = 1_000;

/// A document that is gone, and where something of it still is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Proof that it is gone.
    pub receipt: DeletionReceipt,
    /// Backups that have it, newest first. [`crate::back_up::BackUp::erase`] takes it out of them.
    pub backups: Vec<HoldingBackup>,
}

/// A backup that has a deleted document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldingBackup {
    /// Which.
    pub id: BackupId,
    /// When it is kept by no rule any more, and the next pruning removes it; `None` where no rule says.
    pub expires_at: Option<Timestamp>,
}

/// Deletes documents.
#[derive(Clone, Debug)]
pub struct Forget {
    /// The table.
    pub tables: Tables,
    /// The files.
    pub blobs: Blobs,
    /// Counts passages.
    pub reader: Arc<dyn PassageReader>,
    /// Deletes passages.
    pub writer: Arc<dyn PassageWriter>,
    /// How long backups are kept.
    pub retention: Retention,
    /// The time.
    pub clock: Clock,
}

impl Forget {
    /// Deletes a document and returns proof. Deleting it again returns the same proof, and the backups that have it then.
    ///
    /// # Errors
    /// When the caller may not, there is no such document, or a port fails; then the deletion has begun, the
    /// document answers nothing, and the worker will finish it.
    pub async fn forget(
        &self,
        caller: &Caller,
        document_id: &DocumentId,
    ) -> Result<Forgotten, FlowError> {
        if !caller.may(Permission::Upload) {
            return Err(FlowError::Forbidden("it lacks the permission `upload`"));
        }
        // A document that is gone already has no record left; its receipt is found below.
        let document = self.tables.documents().get(&caller.tenant, document_id).await?;
        if document.is_some_and(|document| !caller.may_touch(&document.collection)) {
            return Err(FlowError::NotFound("document"));
        }
        let receipt = self.finish(&caller.tenant, document_id).await?;
        let backups = self.held_by(&caller.tenant, document_id, receipt.deleted_at).await?;
        Ok(Forgotten { receipt, backups })
    }

    /// Returns the backups that were made, or are being made, of a time at which the document was there.
    async fn held_by(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
        deleted_at: Timestamp,
    ) -> Result<Vec<HoldingBackup>, PortError> {
        let made_at = document_id.made_at();
        let may_hold = |backup: &Backup| {
            backup.state != BackupState::Failed
                && backup.begun_at <= deleted_at
                && backup.ended_at.is_none_or(|ended_at| ended_at >= made_at)
                && !backup.erased.contains(document_id)
        };
        let (mut held_by, mut read, mut cursor) = (Vec::new(), 0, None);
        while read < MAX_BACKUPS {
            let backups = self.tables.backups();
            let page = backups.list(tenant, MAX_PAGE, cursor.as_deref()).await?;
            read += page.items.len();
            held_by.extend(page.items.into_iter().filter(may_hold).map(|backup| HoldingBackup {
                expires_at: self.retention.expires(backup.begun_at),
                id: backup.id,
            }));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(held_by)
    }

    /// Begins or continues a deletion; what the worker calls for a deletion that was interrupted.
    ///
    /// # Errors
    /// When there is no such document or a port fails.
    pub async fn finish(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
    ) -> Result<DeletionReceipt, FlowError> {
        let begun = self.tables.deletions().begin(tenant, document_id, self.clock.now()).await?;
        // Nobody said under which condition it stays.
        self.go_on(tenant, document_id, begun).await?.ok_or(FlowError::NotFound("document"))
    }

    /// Deletes a document whose time is over, unless it changed since it was read as `document`; returns the receipt if it did.
    ///
    /// # Errors
    /// When there is no such document or a port fails.
    pub async fn expire(&self, document: &Document) -> Result<Option<DeletionReceipt>, FlowError> {
        let Document { tenant, id, .. } = document;
        let is_as_read = |found: &Document| {
            found.latest_version == document.latest_version
                && found.live_version == document.live_version
                && found.state == document.state
        };
        let deletions = self.tables.deletions();
        let begun = deletions.begin_if(tenant, id, &is_as_read, self.clock.now()).await?;
        self.go_on(tenant, id, begun).await
    }

    /// Finishes a deletion that was begun; `None` for a document that stays.
    async fn go_on(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
        begun: Deletion,
    ) -> Result<Option<DeletionReceipt>, FlowError> {
        let now = self.clock.now();
        let deleted_at = match begun {
            Deletion::Unknown => return Err(FlowError::NotFound("document")),
            Deletion::Kept => return Ok(None),
            Deletion::Done(receipt) => return Ok(Some(receipt)),
            Deletion::Begun(document) => document.updated_at,
        };

        // From here the document answers nothing; what follows removes its data.
        let passages_deleted = self.empty_index(tenant, document_id).await?;
        let blobs_deleted = self.blobs.forget(tenant, document_id).await?;
        let receipt = DeletionReceipt {
            document_id: document_id.clone(),
            deleted_at,
            passages_deleted,
            passages_remaining: 0,
            blobs_deleted,
        };
        let receipt = self.tables.deletions().finish(tenant, &receipt, now).await?;
        info!(document.id = %document_id, passages_deleted, blobs_deleted, "deleted a document");
        Ok(Some(receipt))
    }

    /// Deletes all passages and reads the count back until it is zero.
    async fn empty_index(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
    ) -> Result<u64, PortError> {
        let scope = Scope::document(tenant, document_id);
        let mut deleted = 0;
        for _ in 0..MAX_ROUNDS {
            deleted += self.reader.count(&scope).await?;
            self.writer.delete(&scope).await?;
            if self.reader.count(&scope).await? == 0 {
                return Ok(deleted);
            }
        }
        Err(PortError::bare(ErrorKind::Conflict, "delete passages"))
    }
}
