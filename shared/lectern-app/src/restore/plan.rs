//! What a restoration would change, without changing anything.

use std::collections::HashMap;

use lectern_core::{
    auth::Caller,
    document::{Document, DocumentState},
    errors::PortError,
    ids::{BackupId, DocumentId, TenantId},
};
use lectern_tables::{MAX_PAGE, backups::BackupCounts};

use super::{Restore, RestoreError, write::Source};
use crate::{
    back_up::{Backup, PARTITIONS, authorize, manifest::Manifest, records::Kind, store::Store},
    errors::FlowError,
};

/// What a restoration would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The backup.
    pub backup_id: BackupId,
    /// What would be written.
    pub counts: BackupCounts,
    /// Bytes that would be read.
    pub read_bytes: u64,
    /// Whether vectors would be made anew, because the backup's are of another model than the one in use.
    pub embeds: bool,
    /// Documents that are in the backup and answer as they do there.
    pub same: u64,
    /// Documents that are in the backup and answer otherwise now: by another version, to others, or not at all.
    pub changed: u64,
    /// Documents that are in the backup and are not there now.
    pub added: u64,
    /// Documents that are there now and not in the backup: nobody would see them any more.
    pub removed: u64,
}

/// What matters of a document: which bytes answer, and to whom.
type Shown = (Option<u32>, String, Vec<String>, lectern_core::document::Metadata);

impl Restore {
    /// Returns what restoring a backup of the caller's tenant would change.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the backup cannot be used; or when a port fails.
    pub async fn plan(&self, caller: &Caller, id: &BackupId) -> Result<Plan, FlowError> {
        authorize(caller)?;
        let backup = self.back_up.show(caller, id).await?;
        Ok(self.plan_of(&backup).await?)
    }

    async fn plan_of(&self, backup: &Backup) -> Result<Plan, RestoreError> {
        let (store, manifest) = self.usable(backup).await?;
        let live = self.back_up.tables.tenants().live(&backup.tenant).await?;
        let mut plan = Plan {
            backup_id: backup.id.clone(),
            counts: manifest.counts,
            read_bytes: manifest.parts.iter().map(|part| part.size_bytes).sum::<u64>()
                + manifest.counts.original_bytes,
            embeds: self.embedder.is_some()
                && !self.has_same_model(manifest.embedding_model.as_ref()),
            same: 0,
            changed: 0,
            added: 0,
            removed: 0,
        };
        for partition in 0..PARTITIONS {
            self.compare_partition(&store, &manifest, partition, &live, &mut plan).await?;
        }
        let now = self.count_documents(&live).await?;
        plan.removed = now.saturating_sub(plan.same + plan.changed);
        Ok(plan)
    }

    async fn compare_partition(
        &self,
        store: &Store,
        manifest: &Manifest,
        partition: usize,
        live: &TenantId,
        plan: &mut Plan,
    ) -> Result<(), RestoreError> {
        let source = Source { store, manifest, partition };
        for part in source.parts(Kind::Document) {
            let documents: Vec<Document> = source.lines(part).await?;
            for batch in documents.chunks(MAX_PAGE) {
                let ids: Vec<DocumentId> =
                    batch.iter().map(|document| document.id.clone()).collect();
                let found = self.back_up.tables.documents().get_many(live, &ids).await?;
                let found = found.into_iter().filter(|document| !is_leaving(document));
                let found: HashMap<DocumentId, Shown> =
                    found.map(|document| (document.id.clone(), shown(&document))).collect();
                for document in batch {
                    match found.get(&document.id) {
                        None => plan.added += 1,
                        Some(now) if *now == shown(document) => plan.same += 1,
                        Some(_) => plan.changed += 1,
                    }
                }
            }
        }
        Ok(())
    }

    async fn count_documents(&self, live: &TenantId) -> Result<u64, PortError> {
        let (mut count, mut cursor) = (0, None);
        loop {
            let documents = self.back_up.tables.documents();
            let (page, next) = documents.every(live, MAX_PAGE, cursor.as_ref()).await?;
            count += page.iter().filter(|document| !is_leaving(document)).count() as u64;
            cursor = next;
            if cursor.is_none() {
                return Ok(count);
            }
        }
    }
}

fn shown(document: &Document) -> Shown {
    let Document { live_version, sha256, acl, metadata, .. } = document;
    (*live_version, sha256.clone(), acl.clone(), metadata.clone())
}

fn is_leaving(document: &Document) -> bool {
    matches!(document.state, DocumentState::Deleting | DocumentState::Deleted)
}
