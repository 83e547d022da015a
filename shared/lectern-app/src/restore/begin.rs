//! A restoration is begun, or one that was left is taken on: by one writer at a time.

use lectern_core::{
    auth::Caller,
    errors::{ErrorKind, PortError, chain},
    ids::{BackupId, RestoreId, TenantId},
};
use lectern_tables::{MAX_PAGE, backups::BackupCounts};
use tracing::{info, warn};

use super::{Restoration, Restore, RestoreError, RestoreState};
use crate::{
    back_up::{Backup, authorize},
    clock::entropy,
    errors::FlowError,
};

impl Restore {
    /// Returns the backup and the restoration of it that was left, or a new one.
    pub(super) async fn begun_for(
        &self,
        caller: &Caller,
        id: &BackupId,
    ) -> Result<(Backup, Restoration), FlowError> {
        authorize(caller)?;
        let backup = self.back_up.show(caller, id).await?;
        let restoration = self.begun(&backup, &caller.tenant, false).await?;
        Ok((backup, restoration))
    }

    /// Returns the restoration of this backup that was left, or a new one.
    pub(super) async fn begun(
        &self,
        backup: &Backup,
        tenant: &TenantId,
        is_drill: bool,
    ) -> Result<Restoration, PortError> {
        let restores = self.back_up.tables.restores();
        let recent = restores.list(tenant, MAX_PAGE, None).await?;
        let left = |one: &Restoration| {
            let is_same = one.backup_id == backup.id && one.is_drill == is_drill;
            is_same && one.state == RestoreState::Running
        };
        if let Some(left) = recent.items.into_iter().find(left) {
            info!(restoration.id = %left.id, "going on with a restoration");
            return Ok(left);
        }
        let now = self.back_up.clock.now();
        let live = self.back_up.tables.tenants().live(tenant).await?;
        let target = self.back_up.tables.tenants().new_incarnation(&live).await?;
        let restoration = Restoration {
            tenant: live.account(),
            id: RestoreId::new(now, entropy()),
            backup_id: backup.id.clone(),
            is_drill,
            state: RestoreState::Running,
            replaces: live.incarnation(),
            incarnation: target.incarnation(),
            lease_until: Some(now),
            partitions_done: Vec::new(),
            counts: BackupCounts::default(),
            embedded: 0,
            begun_at: now,
            ready_at: None,
            live_at: None,
            ended_at: None,
            failure: None,
        };
        restores.begin(&restoration).await?;
        Ok(restoration)
    }

    /// Takes the right to write it, until nobody who has it can be alive: what a slow writer wrote after a switch would stand
    /// in what answers.
    pub(super) async fn lease(
        &self,
        restoration: &Restoration,
    ) -> Result<Restoration, RestoreError> {
        let now = self.back_up.clock.now();
        if restoration.lease_until.is_some_and(|until| until > now) {
            return Err(RestoreError::Busy);
        }
        let restores = self.back_up.tables.restores();
        let leased = restores.lease(restoration, now + self.back_up.lease).await;
        leased.map_err(|error| match error.kind {
            ErrorKind::Conflict => RestoreError::Busy,
            _ => error.into(),
        })
    }

    /// Lets whoever comes next go on at once. Where that fails they wait until the lease ends.
    pub(super) async fn release(&self, restoration: &Restoration) {
        let now = self.back_up.clock.now();
        if let Err(error) = self.back_up.tables.restores().lease(restoration, now).await {
            warn!(restoration.id = %restoration.id, error = %chain(&error), "a restoration waits until its lease ends");
        }
    }

    /// Frees backups and restorations that a process before this one left, where only one process can have the data.
    ///
    /// # Errors
    /// When the table fails.
    pub async fn take_over(&self, tenant: &TenantId) -> Result<(), PortError> {
        let (tables, now) = (&self.back_up.tables, self.back_up.clock.now());
        for backup in tables.backups().running(tenant).await? {
            tables.backups().lease(&backup, now).await?;
        }
        let recent = tables.restores().list(tenant, MAX_PAGE, None).await?;
        for left in recent.items.iter().filter(|one| one.state == RestoreState::Running) {
            tables.restores().lease(left, now).await?;
        }
        Ok(())
    }
}
