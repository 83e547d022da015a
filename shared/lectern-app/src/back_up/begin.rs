//! A backup begins or goes on, is left for another time, or is given up.

use std::collections::HashSet;

use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    ids::{BackupId, TenantId},
};
use tracing::{info, warn};

use super::{
    BackUp, Backup, BackupState, MAX_AGE,
    records::{Kind, OriginalLine},
    store::Store,
};
use crate::clock::entropy;

impl BackUp {
    /// Returns the backup that was left, or a new one.
    pub(super) async fn begin(&self, tenant: &TenantId) -> Result<Backup, PortError> {
        let (backups, now) = (self.tables.backups(), self.clock.now());
        let live = self.tables.tenants().live(tenant).await?;
        for left in backups.running(tenant).await? {
            if left.lease_until.is_some_and(|until| until > now) {
                continue;
            }
            if left.begun_at + MAX_AGE < now {
                let reason = PortError::new(ErrorKind::Timeout, "back up", "nobody finished it");
                self.give_up(left, &reason).await;
                continue;
            }
            if left.incarnation != live.incarnation() {
                // What it copied is of other data, which has the same ids.
                let reason =
                    PortError::new(ErrorKind::Conflict, "back up", "a restoration took over");
                self.give_up(left, &reason).await;
                continue;
            }
            match backups.lease(&left, now + self.lease).await {
                Ok(backup) => {
                    info!(backup.id = %backup.id, "going on with a backup");
                    return Ok(backup);
                }
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        let parent = backups.newest_complete(tenant).await?.map(|backup| backup.id);
        let lease_until = Some(now + self.lease);
        let begun = Backup::begun(tenant, BackupId::new(now, entropy()), now);
        let incarnation = live.incarnation();
        let begun = Backup { incarnation, parent, lease_until, ..begun };
        backups.begin(&begun).await?;
        // Behind the record: an erasure that looks for running backups sees it, or is seen.
        if self.tables.erasures().is_locked(tenant, now).await? {
            let reason = "documents are being erased from backups; back up when that has ended";
            let failure = PortError::new(ErrorKind::Conflict, "back up", reason);
            self.give_up(begun, &failure).await;
            return Err(failure);
        }
        Ok(begun)
    }

    /// Returns the hashes of what the backup before has. What it has is looked for, and stored again where it is lost; where
    /// its manifest is, all is.
    pub(super) async fn kept_by_parent(
        &self,
        store: &Store,
        backup: &Backup,
    ) -> Result<HashSet<String>, PortError> {
        let Some(parent) = &backup.parent else { return Ok(HashSet::new()) };
        let Some(parent) = self.tables.backups().get(&backup.tenant, parent).await? else {
            return Ok(HashSet::new());
        };
        let Ok(manifest) = self.trusted(store, &parent).await? else { return Ok(HashSet::new()) };
        // What is encrypted for somebody else, or not at all, is stored again: who gives an identity up gives up what it opens.
        if manifest.sealed_for != store.seal.as_ref().map(|seal| seal.recipient()) {
            return Ok(HashSet::new());
        }
        let mut kept: HashSet<String> = HashSet::new();
        for part in manifest.parts {
            if part.kind == Kind::Original
                && let Ok(lines) = store.lines(&part.sha256).await
            {
                let files = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
                kept.extend(files.map(|line: OriginalLine| line.sha256));
            }
            kept.insert(part.sha256);
        }
        Ok(kept)
    }

    /// Leaves a backup for whoever goes on with it.
    pub(super) async fn pause(&self, backup: &Backup) -> Result<Backup, PortError> {
        info!(backup.id = %backup.id, "a backup ran out of time; it goes on when it is called again");
        let found = self.tables.backups().get(&backup.tenant, &backup.id).await?;
        let found = found.ok_or(PortError::bare(ErrorKind::NotFound, "leave backup"))?;
        self.tables.backups().lease(&found, self.clock.now()).await
    }

    /// Records a failure. Where even that fails the record says `running`, and its age tells.
    pub(super) async fn give_up(&self, backup: Backup, failure: &PortError) {
        let failed = Backup {
            state: BackupState::Failed,
            ended_at: Some(self.clock.now()),
            failure: Some(failure.to_string()),
            ..backup
        };
        warn!(backup.id = %failed.id, error = %chain(failure), "a backup failed");
        if let Err(error) = self.tables.backups().end(&failed).await {
            warn!(backup.id = %failed.id, error = %chain(&error), "failed to record that a backup failed");
        }
    }
}
