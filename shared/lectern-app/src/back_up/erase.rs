//! One document is erased from all backups: rewrite the parts that have it → manifest → record → remove what nobody needs.
//!
//! A deleted document stays in the backups that were made before, until the rule lets them go. Whoever must not keep it as long
//! calls this. A backup that had it is afterwards the backup of the same moment without it: it verifies and restores, and its
//! record and manifest name the document as erased. It can be repeated at any point; a crash leaves backups that have the
//! document and backups that have not, each whole.
//!
//! One call has the right at a time, and no backup begins meanwhile (`lectern_tables::erasures`): what the sweep at the end
//! removes is needed by nobody then, however young it is. Where the store keeps versions of what was removed, or holds on to
//! it (Object Lock), the bytes stay as long as that says.

use std::{collections::HashSet, time::Duration};

use lectern_core::{
    auth::Caller,
    document::DocumentState,
    errors::{ErrorKind, PortError, chain},
    ids::{BackupId, DocumentId, TenantId},
};
use lectern_tables::{MAX_PAGE, backups::BackupState, restores::RestoreState};
use tracing::{info, warn};

use super::{BackUp, Backup, authorize, store::Store};
use crate::errors::FlowError;

/// Most documents that are erased from one backup: their ids stand in its record.
pub const MAX_ERASED: usize = 1_000;
/// Time by which the right outlasts the work, so that it never ends before.
const MARGIN: Duration = Duration::from_secs(60);
const OPERATION: &str = "erase from backups";

/// What was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The document.
    pub document_id: DocumentId,
    /// Backups that had it and have it no more, newest first.
    pub rewritten: Vec<BackupId>,
    /// Parts and files that were removed because nobody needs them any more.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that the store did not let go: Object Lock holds them for now.
    pub locked: u64,
}

impl BackUp {
    /// Erases a document of the caller's tenant, which must be deleted, from all its backups.
    ///
    /// # Errors
    /// When the caller may not; `Conflict` while the document answers, a backup runs, a restoration is not ended or another
    /// erasure runs, when a backup cannot be read, or when the time is over (calling it again goes on); or when a port fails.
    pub async fn erase(
        &self,
        caller: &Caller,
        document_id: &DocumentId,
        time_budget: Duration,
    ) -> Result<Erasure, FlowError> {
        authorize(caller)?;
        let (tenant, now) = (&caller.tenant, self.clock.now());
        let until = now + time_budget + MARGIN;
        if !self.tables.erasures().lock(tenant, now, until).await? {
            return Err(conflict("another erasure runs; call this again when it has ended"));
        }
        let erasing = tokio::time::timeout(time_budget, self.erase_locked(tenant, document_id));
        let erased = erasing.await;
        if let Err(error) = self.tables.erasures().unlock(tenant, until).await {
            warn!(%tenant, error = %chain(&error), "no backup begins until an erasure's right ends");
        }
        let over =
            || conflict("the time was over before all backups were rewritten; call it again");
        erased.unwrap_or_else(|_| Err(over()))
    }

    async fn erase_locked(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
    ) -> Result<Erasure, FlowError> {
        self.check_at_rest(tenant, document_id).await?;
        let store = Store::new(&self.backups, tenant);
        let records = self.records(tenant).await?;
        let complete = || records.iter().filter(|backup| backup.state == BackupState::Complete);
        let mut rewritten = Vec::new();
        for backup in complete() {
            if self.rewrite_without(&store, backup, document_id).await? {
                rewritten.push(backup.id.clone());
            }
        }
        // Also those that an erasure left that was killed.
        self.remove_replaced(&store, tenant).await?;
        let mut needed = HashSet::new();
        for (id, sha256) in store.manifests().await? {
            let of_it = self.needed_by(&store, &id, &sha256).await;
            needed.extend(of_it.map_err(|error| match error.kind {
                ErrorKind::Conflict => FlowError::Conflict(chain(&error)),
                _ => error.into(),
            })?);
        }
        let swept = self.sweep(&store, &needed, Duration::ZERO, false).await?;
        store.sync().await?;
        info!(%tenant, document.id = %document_id, backups = rewritten.len(), objects = swept.objects, locked = swept.locked, "erased a document from backups");
        Ok(Erasure {
            document_id: document_id.clone(),
            rewritten,
            objects: swept.objects,
            bytes: swept.bytes,
            locked: swept.locked,
        })
    }

    /// Looks whether nothing has the document, or may yet take it up, besides complete backups.
    async fn check_at_rest(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
    ) -> Result<(), FlowError> {
        let live = self.tables.tenants().live(tenant).await?;
        let document = self.tables.documents().get(&live, document_id).await?;
        if document.is_some_and(|document| document.state != DocumentState::Deleted) {
            return Err(conflict("the document is there: delete it first"));
        }
        if let Some(running) = self.tables.backups().running(tenant).await?.first() {
            let reason =
                format!("the backup {} is running; call this when it has ended", running.id);
            return Err(FlowError::Conflict(reason));
        }
        let restorations = self.tables.restores().list(tenant, MAX_PAGE, None).await?;
        let open = [RestoreState::Running, RestoreState::Ready, RestoreState::Live];
        if let Some(one) = restorations.items.iter().find(|one| open.contains(&one.state)) {
            let reason = format!(
                "the restoration {} is {} and may have the document: confirm, undo or discard it first",
                one.id,
                one.state.as_str()
            );
            return Err(FlowError::Conflict(reason));
        }
        Ok(())
    }

    /// Makes a backup one without the document; returns whether it had it.
    async fn rewrite_without(
        &self,
        store: &Store,
        backup: &Backup,
        document_id: &DocumentId,
    ) -> Result<bool, FlowError> {
        let trusted = self.trusted(store, backup).await?;
        let opened = trusted.and_then(|manifest| Ok((store.of(&manifest)?, manifest)));
        let (store, manifest) =
            opened.map_err(|fault| unreadable(&backup.id, &format!("its manifest: {fault:?}")))?;
        let rewritten = store.without(manifest, document_id).await;
        let rewritten = rewritten.map_err(|error| match error.kind {
            ErrorKind::NotFound | ErrorKind::Invalid => unreadable(&backup.id, &chain(&error)),
            _ => error.into(),
        })?;
        let Some(manifest) = rewritten else { return Ok(false) };
        if manifest.erased.len() > MAX_ERASED {
            let reason = format!(
                "{MAX_ERASED} documents were erased from the backup {} already; make a new one and prune it",
                backup.id
            );
            return Err(FlowError::Conflict(reason));
        }
        let bytes = serde_json::to_vec_pretty(&manifest).expect("a manifest has string keys");
        let manifest_sha256 = Some(store.put_manifest(&backup.id, bytes.into()).await?);
        let amended = Backup {
            counts: manifest.counts,
            parts: manifest.parts.len() as u64,
            size_bytes: manifest.parts.iter().map(|part| part.size_bytes).sum(),
            digest: Some(manifest.digest),
            state_digest: manifest.state_digest,
            manifest_sha256,
            erased: manifest.erased,
            ..backup.clone()
        };
        self.tables.backups().amend(backup, &amended).await?;
        Ok(true)
    }

    /// Removes manifests whose backup has another one by now.
    async fn remove_replaced(&self, store: &Store, tenant: &TenantId) -> Result<(), PortError> {
        let records = self.records(tenant).await?;
        for (id, sha256) in store.manifests().await? {
            let record = records.iter().find(|backup| backup.id == id);
            let is_replaced = record.is_some_and(|backup| {
                backup.state == BackupState::Complete
                    && backup.manifest_sha256.as_ref() != Some(&sha256)
            });
            if is_replaced && !store.let_go(&store.manifest(&id, &sha256)).await? {
                let reason = "the store holds on to a manifest that has the document (Object Lock)";
                return Err(PortError::new(ErrorKind::Conflict, OPERATION, reason));
            }
        }
        Ok(())
    }
}

fn conflict(reason: &str) -> FlowError {
    FlowError::Conflict(reason.to_owned())
}

fn unreadable(id: &BackupId, cause: &str) -> FlowError {
    FlowError::Conflict(format!(
        "the backup {id} cannot be read ({cause}), and may have the document; `lectern backup verify {id}` says what is wrong with it"
    ))
}
