//! One tenant is backed up: read every document whole → store what is new as parts → store the manifest → record.
//!
//! Parts are named by the hash of their bytes, so that what did not change is never stored again; the manifest comes last, so
//! that a backup is complete or it is none. A crash leaves a record that says `running` and grows old, and parts that the
//! next backup need not store. Nothing here deletes.
//!
//! # What a backup is of
//!
//! Each document is whole: its record, its live version's canonical text and all passages of that version belong
//! together. Its record is read before and after them, and a document of which another version went live in between is read
//! again. What is deleted when it is read is left out, and so are passages that no record shows: whoever reads a backup
//! takes those passages and texts of a document whose version is its record's `live_version`, as a search does, and leaves
//! what else a document left in the parts that changed while it was read.
//!
//! Documents are read one after the other while writers go on, so two of them can be of different moments between the
//! manifest's `begun_at` and `ended_at`. Where no collection's generation changed between, the manifest says `is_exact`: nothing
//! went live, left or changed its settings, and all that answers is of one moment. What was accepted in between and does
//! not answer yet may be there or not, and with it who may see a document. A later version fences writers, so that every
//! backup is of one moment.
//!
//! | module | answers |
//! |---|---|
//! | `cut` | in which order a tenant is read |
//! | `document` | what of a document is read, and when it is whole |
//! | [`records`] | what the lines of parts are |
//! | `parts` | which lines make a part |
//! | [`manifest`] | what a backup is made of |
//! | `store` | where it is kept |
//! | [`verify`] | whether it is still there |
//! | `everybody` | what a schedule asks for |

pub mod manifest;
pub mod records;
pub mod verify;

mod cut;
mod document;
mod everybody;
mod parts;
mod store;

use std::{sync::Arc, time::Duration};

use lectern_core::{
    auth::{Caller, Permission},
    errors::{ErrorKind, PortError, chain},
    ids::TenantId,
    ports::{EmbeddingModel, PassageReader},
};
pub use lectern_tables::backups::{Backup, BackupCounts, BackupId, BackupState, Drill};
use lectern_tables::{MAX_PAGE, Page, Tables};
use thiserror::Error;
use tracing::{info, warn};

use self::verify::{Depth, Verification};
pub use self::{
    everybody::Round,
    parts::{PARTITIONS, Part, PartLimits},
};
use crate::{
    blobs::Blobs,
    clock::{Clock, entropy},
    errors::FlowError,
};

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
    pub backups: Blobs,
    /// Reads passages.
    pub reader: Arc<dyn PassageReader>,
    /// Whose vectors the index keeps.
    pub model: Option<EmbeddingModel>,
    /// How large parts are.
    pub limits: PartLimits,
    /// The time.
    pub clock: Clock,
}

impl BackUp {
    /// Backs the caller's tenant up, within `time_budget`.
    ///
    /// # Errors
    /// When the caller may not, or a port fails; `Conflict` when the time is over. The record then says why.
    pub async fn back_up(
        &self,
        caller: &Caller,
        time_budget: Duration,
    ) -> Result<Backup, FlowError> {
        authorize(caller)?;
        self.run(&caller.tenant, time_budget).await.map_err(|error| match error {
            BackUpError::Port(error) => error.into(),
            BackUpError::OutOfTime => FlowError::Conflict(
                "there is too much to back up within one request; wait for the daily backup, which has more time".into(),
            ),
        })
    }

    /// Backs a tenant up. Repeating it stores only what changed.
    ///
    /// # Errors
    /// When a port fails or `time_budget` is over; the record says so, and what was stored is of use to the next backup.
    pub async fn run(
        &self,
        tenant: &TenantId,
        time_budget: Duration,
    ) -> Result<Backup, BackUpError> {
        let now = self.clock.now();
        let begun = Backup::begun(tenant.clone(), BackupId::new(now, entropy()), now);
        self.tables.backups().begin(&begun).await?;

        let mut backup = begun.clone();
        let written = tokio::time::timeout(time_budget, self.write(&mut backup)).await;
        let written = match written {
            Ok(written) => written.map_err(BackUpError::from),
            Err(_) => Err(BackUpError::OutOfTime),
        };
        if let Err(failure) = written {
            self.give_up(begun, &failure).await;
            return Err(failure);
        }
        backup.state = BackupState::Complete;
        backup.ended_at = Some(self.clock.now());
        self.tables.backups().end(&backup).await?;
        info!(backup.id = %backup.id, documents = backup.counts.documents, passages = backup.counts.passages, parts = backup.parts, new_parts = backup.new_parts, new_bytes = backup.new_bytes, "backed a tenant up");
        Ok(backup)
    }

    /// Records a failure. Where even that fails the record says `running`, and its age tells.
    async fn give_up(&self, begun: Backup, failure: &BackUpError) {
        let failed = Backup {
            state: BackupState::Failed,
            ended_at: Some(self.clock.now()),
            failure: Some(failure.to_string()),
            ..begun
        };
        warn!(backup.id = %failed.id, error = %chain(failure), "a backup failed");
        if let Err(error) = self.tables.backups().end(&failed).await {
            warn!(backup.id = %failed.id, error = %chain(&error), "failed to record that a backup failed");
        }
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
        match self.tables.backups().list(&caller.tenant, limit, cursor).await {
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
        let found = self.tables.backups().get(&caller.tenant, id).await?;
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
fn authorize(caller: &Caller) -> Result<(), FlowError> {
    if !caller.may(Permission::Backup) {
        return Err(FlowError::Forbidden("it lacks the permission `backup`"));
    }
    if caller.collections.is_some() {
        return Err(FlowError::Forbidden("it is limited to some collections"));
    }
    Ok(())
}
