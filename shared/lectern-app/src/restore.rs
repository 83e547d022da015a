//! A tenant is restored from a backup: beside what is live → compared with the backup → switched to → confirmed or undone.
//!
//! What is restored is written into an incarnation of its own (`lectern_core::ids::TenantId`), which nobody sees before it is
//! complete and found equal to the backup: digest of the state, or counts where vectors were made anew by another model. The
//! switch is one transaction. What was live before is kept until somebody confirms the restoration, and is live again at
//! once when it is undone. So a restoration that fails or is killed at any moment has changed nothing; starting it again goes
//! on with it, partition by partition.
//!
//! | module | answers |
//! |---|---|
//! | `begin` | who may write which restoration |
//! | `plan` | what would change |
//! | `write` | how parts become documents again |
//! | `passages` | how their passages do, by another model's vectors if need be |
//! | `files` | how their files do |
//! | `compare` | whether it is what the backup is of |
//! | `remove` | how an incarnation is removed |
//! | `drill` | whether the newest backup would restore |

mod begin;
mod compare;
mod drill;
mod files;
mod passages;
mod plan;
mod remove;
mod write;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    auth::Caller,
    errors::{ErrorKind, PortError, chain},
    ids::{BackupId, RestoreId, TenantId},
    ports::{Embedder, PassageWriter},
};
pub use lectern_tables::restores::{Restoration, RestoreState};
use lectern_tables::{MAX_PAGE, Page};
use thiserror::Error;
use tracing::{info, warn};

pub use self::plan::Plan;
use crate::{
    back_up::{
        BackUp, Backup, BackupState, authorize,
        manifest::{Manifest, SCHEMA},
        store::Store,
        verify::Fault,
    },
    blobs::{Blobs, Bulk},
    errors::FlowError,
};

/// Why a tenant was not restored.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// The backup cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// What was written is not what the backup is of.
    #[error("what was restored is not what was backed up: {0}")]
    Different(String),
    /// Somebody else writes it now.
    #[error("somebody else is restoring it; look at it again in a while")]
    Busy,
    /// It takes longer than it may; it goes on when it is called again.
    #[error("the time was over before everything was restored; call it again to go on")]
    OutOfTime,
    /// Something behind a port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<RestoreError> for FlowError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Port(error) => error.into(),
            other => Self::Conflict(other.to_string()),
        }
    }
}

/// Restores tenants.
#[derive(Clone, Debug)]
pub struct Restore {
    /// Knows backups, and where everything is.
    pub back_up: BackUp,
    /// Writes passages.
    pub writer: Arc<dyn PassageWriter>,
    /// Makes vectors where the backup's are of another model; without one such passages have none.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Where it writes files, if not as everybody does.
    pub bulk: Option<Bulk>,
}

impl Restore {
    /// Restores a backup of the caller's tenant beside what is live, or goes on with that, and compares the two. Nobody sees
    /// it before [`Self::switch`].
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the backup cannot be used, the time is over, or what was written is not what was backed
    /// up, which is removed then; or when a port fails.
    pub async fn restore(
        &self,
        caller: &Caller,
        id: &BackupId,
        time_budget: Duration,
    ) -> Result<Restoration, FlowError> {
        let (backup, restoration) = self.begun_for(caller, id).await?;
        Ok(self.run(&backup, restoration, time_budget).await?)
    }

    /// As [`Self::restore`], for who has not time for all of it: returns a restoration that is `running` then.
    ///
    /// # Errors
    /// As there, but for the time.
    pub async fn restore_or_leave(
        &self,
        caller: &Caller,
        id: &BackupId,
        time_budget: Duration,
    ) -> Result<Restoration, FlowError> {
        let (backup, restoration) = self.begun_for(caller, id).await?;
        let begun = restoration.id.clone();
        match self.run(&backup, restoration, time_budget).await {
            Err(RestoreError::OutOfTime | RestoreError::Busy) => self.show(caller, &begun).await,
            ended => Ok(ended?),
        }
    }

    /// Writes what is left, compares it and says that it is ready. What cannot become ready is removed.
    pub(crate) async fn run(
        &self,
        backup: &Backup,
        mut restoration: Restoration,
        time_budget: Duration,
    ) -> Result<Restoration, RestoreError> {
        let until = Instant::now() + time_budget;
        restoration = self.lease(&restoration).await?;
        let written = self.fill(backup, &mut restoration, until).await;
        match written {
            Ok(()) => {}
            // It goes on another time, from where it is.
            Err(error @ (RestoreError::OutOfTime | RestoreError::Port(_))) => {
                self.release(&restoration).await;
                return Err(error);
            }
            Err(error) => {
                self.give_up(restoration, &error).await;
                return Err(error);
            }
        }
        if let Some(bulk) = &self.bulk {
            bulk.barrier.sync().await?;
        }
        restoration.state = RestoreState::Ready;
        restoration.ready_at = Some(self.back_up.clock.now());
        self.advance(&restoration, RestoreState::Running).await?;
        info!(restoration.id = %restoration.id, backup.id = %backup.id, documents = restoration.counts.documents, passages = restoration.counts.passages, embedded = restoration.embedded, "restored a tenant beside what is live");
        Ok(restoration)
    }

    fn files(&self) -> &Blobs {
        self.bulk.as_ref().map_or(&self.back_up.blobs, |bulk| &bulk.blobs)
    }

    async fn fill(
        &self,
        backup: &Backup,
        restoration: &mut Restoration,
        until: Instant,
    ) -> Result<(), RestoreError> {
        let (store, manifest) = self.usable(backup).await?;
        self.write(&store, &manifest, restoration, until).await?;
        self.compare(&manifest, restoration).await
    }

    /// Returns the manifest of a backup that can be restored here, and where its parts are.
    async fn usable(&self, backup: &Backup) -> Result<(Store, Manifest), RestoreError> {
        if backup.state != BackupState::Complete {
            return Err(RestoreError::Unusable("the backup is not complete".into()));
        }
        let store = Store::new(&self.back_up.backups, &backup.tenant);
        let trusted = self.back_up.trusted(&store, backup).await?;
        trusted.and_then(|manifest| Ok((store.of(&manifest)?, manifest))).map_err(|fault| {
            RestoreError::Unusable(match fault {
                Fault::Newer => format!(
                    "the backup was written by a newer release of Lectern, this one reads schema {SCHEMA}: install that release"
                ),
                Fault::Missing => "the backup's manifest is missing".into(),
                Fault::Sealed => "the backup is encrypted, and none of the identities in LECTERN_BACKUP_IDENTITY opens it".into(),
                _ => "the backup's manifest is damaged; `lectern backup list` shows others".into(),
            })
        })
    }

    async fn give_up(&self, restoration: Restoration, failure: &RestoreError) {
        warn!(restoration.id = %restoration.id, error = %chain(failure), "a restoration failed; removing what it wrote");
        let failed = Restoration {
            state: RestoreState::Failed,
            ended_at: Some(self.back_up.clock.now()),
            failure: Some(failure.to_string()),
            ..restoration
        };
        let removed = async {
            self.advance(&failed, RestoreState::Running).await?;
            self.remove(&failed.target()).await
        };
        if let Err(error) = removed.await {
            warn!(restoration.id = %failed.id, error = %chain(&error), "failed to remove what a restoration wrote");
        }
    }

    /// Makes a restoration live, for all callers at once, and lets what waited for ingestion go on. What was live is kept.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it is not ready, something else became live since it began, or another one was not
    /// confirmed or undone; or when the table fails.
    pub async fn switch(&self, caller: &Caller, id: &RestoreId) -> Result<Restoration, FlowError> {
        let restoration = self.show(caller, id).await?;
        self.expect(&restoration, RestoreState::Ready)?;
        if restoration.is_drill {
            return Err(FlowError::Conflict("it is a drill's; restore the backup instead".into()));
        }
        let recent = self.list(caller, MAX_PAGE, None).await?;
        if let Some(other) = recent.items.iter().find(|one| one.state == RestoreState::Live) {
            let reason = format!("confirm or undo the restoration {} first", other.id);
            return Err(FlowError::Conflict(reason));
        }
        let (from, to) = (restoration.replaced(), restoration.target());
        // First, so that a crash behind the switch leaves nothing that waits for nobody.
        self.let_wait(&restoration).await.map_err(FlowError::from)?;
        self.back_up.tables.tenants().switch(&from, &to).await?;
        let now = Some(self.back_up.clock.now());
        let live = Restoration { state: RestoreState::Live, live_at: now, ..restoration };
        self.advance(&live, RestoreState::Ready).await?;
        info!(restoration.id = %live.id, "a restored tenant is live");
        Ok(live)
    }

    /// Makes what was live before a restoration live again, and removes what was restored.
    ///
    /// # Errors
    /// As [`Self::switch`].
    pub async fn undo(&self, caller: &Caller, id: &RestoreId) -> Result<Restoration, FlowError> {
        let restoration = self.show(caller, id).await?;
        self.expect(&restoration, RestoreState::Live)?;
        let (from, to) = (restoration.target(), restoration.replaced());
        self.back_up.tables.tenants().switch(&from, &to).await?;
        self.end(restoration, RestoreState::Undone, &from).await
    }

    /// Removes what a restoration took the place of: there is no way back from here.
    ///
    /// # Errors
    /// As [`Self::switch`].
    pub async fn confirm(&self, caller: &Caller, id: &RestoreId) -> Result<Restoration, FlowError> {
        let restoration = self.show(caller, id).await?;
        self.expect(&restoration, RestoreState::Live)?;
        let replaced = restoration.replaced();
        self.end(restoration, RestoreState::Confirmed, &replaced).await
    }

    /// Removes what was restored and never became live.
    ///
    /// # Errors
    /// As [`Self::switch`].
    pub async fn discard(&self, caller: &Caller, id: &RestoreId) -> Result<Restoration, FlowError> {
        let restoration = self.show(caller, id).await?;
        if ![RestoreState::Running, RestoreState::Ready].contains(&restoration.state) {
            let reason = format!("the restoration is {}", restoration.state.as_str());
            return Err(FlowError::Conflict(reason));
        }
        let target = restoration.target();
        self.end(restoration, RestoreState::Dropped, &target).await
    }

    /// Removes an incarnation, then says how the restoration ended: a crash in between leaves it to be ended again.
    async fn end(
        &self,
        restoration: Restoration,
        state: RestoreState,
        removed: &TenantId,
    ) -> Result<Restoration, FlowError> {
        self.remove(removed).await?;
        let from = restoration.state;
        let ended_at = Some(self.back_up.clock.now());
        let ended = Restoration { state, ended_at, ..restoration };
        self.advance(&ended, from).await?;
        info!(restoration.id = %ended.id, state = state.as_str(), "a restoration ended");
        Ok(ended)
    }

    fn expect(&self, restoration: &Restoration, state: RestoreState) -> Result<(), FlowError> {
        if restoration.state == state {
            return Ok(());
        }
        let (is, wanted) = (restoration.state.as_str(), state.as_str());
        Err(FlowError::Conflict(format!("the restoration is {is}, not {wanted}")))
    }

    async fn advance(
        &self,
        restoration: &Restoration,
        from: RestoreState,
    ) -> Result<(), PortError> {
        self.back_up.tables.restores().advance(restoration, from).await
    }

    /// Returns one of the caller's restorations.
    ///
    /// # Errors
    /// When the caller may not, there is none, or the table fails.
    pub async fn show(&self, caller: &Caller, id: &RestoreId) -> Result<Restoration, FlowError> {
        authorize(caller)?;
        let found = self.back_up.tables.restores().get(&caller.tenant, id).await?;
        found.ok_or(FlowError::NotFound("restoration"))
    }

    /// Returns one page of the caller's restorations, newest first.
    ///
    /// # Errors
    /// When the caller may not, a field is wrong, or the table fails.
    pub async fn list(
        &self,
        caller: &Caller,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Restoration>, FlowError> {
        authorize(caller)?;
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(FlowError::field("/limit", format!("must be 1 to {MAX_PAGE}")));
        }
        match self.back_up.tables.restores().list(&caller.tenant, limit, cursor).await {
            Err(error) if error.kind == ErrorKind::Invalid => {
                Err(FlowError::field("/cursor", "must be a `next_cursor` of an earlier page"))
            }
            listed => Ok(listed?),
        }
    }
}
