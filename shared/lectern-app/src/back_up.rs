//! One tenant is backed up: read every document whole → store what is new as parts → store the manifest → record.
//!
//! Parts are named by the hash of their bytes, so that what did not change is never stored again; the manifest comes last, so
//! that a backup is complete or it is none. A crash leaves a record that says `running` and grows old, and parts that the
//! next backup need not store. Nothing here deletes.
//!
//! # What a backup is of
//!
//! Collections, documents, versions that are live or newest, their canonical texts, passages with vectors, files as they were
//! uploaded, and the account's API keys (hashes). Conversations, feedback, usage and what is cached are not.
//!
//! All that answers is of one moment, between `begun_at` and `ended_at` of the manifest's cut, while writers go on (`cut` says how);
//! where they did not let it, `is_exact` is false, and each document is whole all the same. What was accepted and does not
//! answer yet is there as it was found, and is ingested from its file when it is restored.
//!
//! A backup that runs out of time keeps how far it is and goes on when it is called again; so does one that was killed.
//!
//! | module | answers |
//! |---|---|
//! | `begin` | how a backup begins, goes on, is left or given up |
//! | `cut` | in which order a tenant is read, and of which moment |
//! | `document`, `passages`, `original` | how the content of a version is copied |
//! | `copied`, `digest` | what was copied, and the digest of a state |
//! | `checkpoint` | how far a backup is |
//! | [`records`] | what the lines of parts are |
//! | `parts` | which lines make a part |
//! | [`manifest`] | what a backup is made of |
//! | `store`, `names`, `pack`, `upload` | where it is kept, compressed |
//! | [`seal`] | how it is encrypted |
//! | [`verify`] | whether it is still there |
//! | [`prune`], `sweep` | which backups go, and what goes with them |
//! | [`erase`], `without` | how a document is erased from backups |
//! | `adopt` | backups whose records were lost |
//! | `everybody` | what a schedule asks for |

pub mod erase;
pub mod manifest;
pub mod prune;
pub mod records;
pub mod seal;
pub mod standing;
pub mod verify;

mod adopt;
mod begin;
mod checkpoint;
mod copied;
mod cut;
mod digest;
mod document;
mod everybody;
mod names;
mod original;
mod pack;
mod parts;
mod passages;
pub(crate) mod store;
mod sweep;
mod upload;
mod without;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use lectern_core::{
    auth::{Caller, Permission},
    errors::{ErrorKind, PortError, chain},
    ids::{BackupId, TenantId},
    ports::{EmbeddingModel, PassageReader},
    retention::Retention,
    time::Timestamp,
};
pub use lectern_tables::backups::{Backup, BackupCounts, BackupState, Drill};
use lectern_tables::{MAX_PAGE, Page, Tables};
use thiserror::Error;
use tracing::{info, warn};

use self::{
    checkpoint::Reading,
    cut::Records,
    manifest::{Manifest, SCHEMA, VectorsOf, digest},
    store::{FRESH, Store},
    verify::{Depth, Verification},
};
pub(crate) use self::{document::found, everybody::left};
pub use self::{
    everybody::Round,
    parts::{PARTITIONS, Part, PartLimits},
    store::BackupStore,
};
use crate::{blobs::Blobs, clock::Clock, errors::FlowError};

/// How long a backup may take in all, with pauses: an older one is given up.
pub const MAX_AGE: Duration = Duration::from_secs(20 * 60 * 60);
/// Time that is kept for noting how far a backup is.
const MARGIN: Duration = Duration::from_secs(20);

/// Why a tenant was not backed up, or a backup not read back.
#[derive(Debug, Error)]
pub enum BackUpError {
    /// It took longer than it may.
    #[error("the time was over before everything was read")]
    OutOfTime,
    /// Something behind a port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Backs tenants up.
#[derive(Clone, Debug)]
pub struct BackUp {
    /// The table.
    pub tables: Tables,
    /// The files of documents.
    pub blobs: Blobs,
    /// Where backups go. Another place than the files': who loses one must not lose both.
    pub backups: BackupStore,
    /// Reads passages.
    pub reader: Arc<dyn PassageReader>,
    /// Whose vectors the index keeps.
    pub model: Option<EmbeddingModel>,
    /// Whether files as they were uploaded are backed up, too.
    pub originals: bool,
    /// How long whoever writes a backup is taken to be alive without a sign. Zero where nobody else can be writing.
    pub lease: Duration,
    /// How large parts are.
    pub limits: PartLimits,
    /// Which backups are kept.
    pub retention: Retention,
    /// The time.
    pub clock: Clock,
}

/// What a tenant's data is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) counts: BackupCounts,
    pub(crate) digest: String,
}

/// How long something may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    until: Instant,
    margin: Duration,
}

impl Time {
    fn of(budget: Duration) -> Self {
        Self { until: Instant::now() + budget, margin: MARGIN.min(budget / 5) }
    }

    /// Whether it is time to note how far one is.
    fn is_up(self) -> bool {
        Instant::now() + self.margin >= self.until
    }
}

impl BackUp {
    /// Backs the caller's tenant up, within `time_budget`. A backup that is still `running` then goes on when this, or the
    /// schedule, is called again.
    ///
    /// # Errors
    /// When the caller may not, or a port fails. The record then says why.
    pub async fn back_up(
        &self,
        caller: &Caller,
        time_budget: Duration,
    ) -> Result<Backup, FlowError> {
        authorize(caller)?;
        Ok(self.run(&caller.tenant, time_budget).await?)
    }

    /// Backs a tenant up, or goes on with a backup that was left. Repeating it stores only what changed.
    ///
    /// # Errors
    /// When a port fails; the record says so.
    pub async fn run(&self, tenant: &TenantId, time_budget: Duration) -> Result<Backup, PortError> {
        let mut backup = self.begin(tenant).await?;
        let time = Time::of(time_budget);
        let writing = self.write(&mut backup, time);
        let written = tokio::time::timeout(time_budget, writing).await;
        match written.unwrap_or(Err(BackUpError::OutOfTime)) {
            Ok(()) => {}
            Err(BackUpError::OutOfTime) => return self.pause(&backup).await,
            Err(BackUpError::Port(failure)) => {
                self.give_up(backup, &failure).await;
                return Err(failure);
            }
        }
        backup.state = BackupState::Complete;
        backup.ended_at = Some(self.clock.now());
        self.tables.backups().end(&backup).await?;
        let store = Store::new(&self.backups, &backup.tenant);
        if let Err(error) = store.delete(&store.checkpoint(&backup.id)).await {
            warn!(backup.id = %backup.id, error = %chain(&error), "a checkpoint is left that nobody needs");
        }
        info!(backup.id = %backup.id, documents = backup.counts.documents, passages = backup.counts.passages, parts = backup.parts, new_parts = backup.new_parts, new_bytes = backup.new_bytes, is_exact = backup.is_exact, "backed a tenant up");
        Ok(backup)
    }

    /// Stores every part, then the manifest, and notes in the record what they are.
    async fn write(&self, backup: &mut Backup, time: Time) -> Result<(), BackUpError> {
        let tenant = backup.tenant.in_incarnation(backup.incarnation);
        let store = Store::new(&self.backups, &tenant);
        let kept = self.kept_by_parent(&store, backup).await?;
        let fresh_since = self.clock.now().as_millis().saturating_sub(FRESH.as_millis() as u64);
        let store = store.keeping(kept, Timestamp::from_millis(fresh_since));

        let mut reading = Reading::resume(&store, backup, self.limits).await?;
        self.copy_contents(&tenant, &mut reading, Some((&store, backup)), time).await?;
        let mut records = self.read_records(&tenant, &mut reading, Some(&store)).await?;
        for partition in reading.partitions.iter_mut().chain(&mut records.partitions) {
            partition.close_all().await?;
        }

        // Every part is stored: now the manifest may say so.
        let manifest = self.manifest(backup, reading, records);
        let bytes = serde_json::to_vec_pretty(&manifest).expect("a manifest has string keys");
        backup.manifest_sha256 = Some(store.put_manifest(&backup.id, Bytes::from(bytes)).await?);
        Ok(())
    }

    /// Returns the manifest of what was stored; the record says the same from here on.
    fn manifest(&self, backup: &mut Backup, reading: Reading, records: Records) -> Manifest {
        let mut parts = Vec::new();
        for partition in reading.partitions.into_iter().chain(records.partitions) {
            backup.new_parts += partition.state.new_parts;
            backup.new_bytes += partition.state.new_bytes;
            parts.extend(partition.state.parts);
        }
        parts.sort_by_key(|part| (part.kind, part.partition));
        let digest = digest(&parts);
        let state_digest = Some(records.digest.to_hex());
        backup.counts = records.counts;
        backup.parts = parts.len() as u64;
        backup.size_bytes = parts.iter().map(|part| part.size_bytes).sum();
        backup.digest = Some(digest.clone());
        backup.state_digest.clone_from(&state_digest);
        backup.is_exact = records.cut.is_exact;
        Manifest {
            schema: SCHEMA,
            backup_id: backup.id.clone(),
            tenant: backup.tenant.clone(),
            embedding_model: self.model.as_ref().map(VectorsOf::from),
            originals: self.originals,
            sealed_for: self.backups.seal.as_ref().map(|seal| seal.recipient()),
            cut: records.cut,
            counts: backup.counts,
            state_digest,
            digest,
            parts,
            erased: Vec::new(),
        }
    }

    /// Reads a tenant's data, in this incarnation, as a backup of it would, with or without files as uploaded, and returns what
    /// it is.
    pub(crate) async fn state_of(
        &self,
        tenant: &TenantId,
        originals: bool,
        time_budget: Duration,
    ) -> Result<State, BackUpError> {
        let like_it = Self { originals, ..self.clone() };
        let mut reading = Reading::begin(None, self.limits);
        like_it.copy_contents(tenant, &mut reading, None, Time::of(time_budget)).await?;
        let records = like_it.read_records(tenant, &mut reading, None).await?;
        Ok(State { counts: records.counts, digest: records.digest.to_hex() })
    }

    /// Returns one page of the caller's backups, newest first.
    ///
    /// # Errors
    /// When the caller may not, a field is wrong, or the table fails.
    pub async fn list(
        &self,
        caller: &Caller,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Backup>, FlowError> {
        authorize(caller)?;
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(FlowError::field("/limit", format!("must be 1 to {MAX_PAGE}")));
        }
        let listed = self.tables.backups().list(&caller.tenant, limit, cursor).await;
        let is_empty = listed.as_ref().is_ok_and(|page| page.items.is_empty());
        // A table without backups may be a new one, after the old one was lost.
        let listed = if cursor.is_none() && is_empty && self.adopt(&caller.tenant).await? > 0 {
            self.tables.backups().list(&caller.tenant, limit, None).await
        } else {
            listed
        };
        match listed {
            Err(error) if error.kind == ErrorKind::Invalid => {
                Err(FlowError::field("/cursor", "must be a `next_cursor` of an earlier page"))
            }
            listed => Ok(listed?),
        }
    }

    /// Returns one of the caller's backups.
    ///
    /// # Errors
    /// When the caller may not, there is no such backup, or the table fails.
    pub async fn show(&self, caller: &Caller, id: &BackupId) -> Result<Backup, FlowError> {
        authorize(caller)?;
        let mut found = self.tables.backups().get(&caller.tenant, id).await?;
        if found.is_none() && self.adopt(&caller.tenant).await? > 0 {
            found = self.tables.backups().get(&caller.tenant, id).await?;
        }
        found.ok_or(FlowError::NotFound("backup"))
    }

    /// Looks whether a backup is still what it was.
    ///
    /// # Errors
    /// As [`Self::show`]; `Conflict` when it was never complete; or when the store fails.
    pub async fn verify(
        &self,
        caller: &Caller,
        id: &BackupId,
        depth: Depth,
    ) -> Result<Verification, FlowError> {
        let backup = self.show(caller, id).await?;
        if backup.state != BackupState::Complete {
            return Err(FlowError::Conflict("the backup is not complete".into()));
        }
        Ok(self.look_at(&backup, depth).await?)
    }
}

/// A backup is of all that a tenant has.
pub(crate) fn authorize(caller: &Caller) -> Result<(), FlowError> {
    if !caller.may(Permission::Backup) {
        return Err(FlowError::Forbidden("it lacks the permission `backup`"));
    }
    if caller.collections.is_some() {
        return Err(FlowError::Forbidden("it is limited to some collections"));
    }
    Ok(())
}
