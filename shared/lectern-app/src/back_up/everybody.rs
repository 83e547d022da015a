//! All tenants, one after the other: what a schedule asks for.

use std::time::{Duration, Instant};

use lectern_core::{
    errors::{PortError, chain},
    ids::TenantId,
    time::Timestamp,
};
use lectern_tables::backups::{Backup, Drill};
use tracing::{error, info};

use super::{BackUp, BackUpError, verify::Depth};

/// What became of a round over all tenants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Tenants whose backup is complete, or whole.
    pub done: u64,
    /// Tenants whose backup failed or is damaged, or for whom there was no time.
    pub failed: u64,
    /// Tenants without a backup that could be read back.
    pub without: u64,
}

impl BackUp {
    /// Backs every tenant up. One that fails does not keep the others from it. Those whose last backup is oldest come
    /// first: where there is not time for all, it is not always the same who wait.
    ///
    /// # Errors
    /// When the tenants cannot be listed.
    pub async fn everybody(&self, until: Instant) -> Result<Round, PortError> {
        let mut waiting: Vec<(Option<Timestamp>, TenantId)> = Vec::new();
        for tenant in self.tenants().await? {
            let newest = self.tables.backups().newest_complete(&tenant).await?;
            waiting.push((newest.map(|backup| backup.begun_at), tenant));
        }
        waiting.sort();

        let mut round = Round::default();
        for (_, tenant) in waiting {
            let outcome = match left(until) {
                Some(left) => self.run(&tenant, left).await.map(|_| ()),
                None => Err(BackUpError::OutOfTime),
            };
            match outcome {
                Ok(()) => round.done += 1,
                Err(failure) => {
                    error!(%tenant, error = %chain(&failure), "failed to back a tenant up");
                    round.failed += 1;
                }
            }
        }
        info!(done = round.done, failed = round.failed, "backed all tenants up");
        Ok(round)
    }

    /// Reads the newest complete backup of every tenant back, all bytes of it, and notes in its record what was found and
    /// how long it took.
    ///
    /// # Errors
    /// When the tenants cannot be listed.
    pub async fn drill(&self, until: Instant) -> Result<Round, PortError> {
        let mut round = Round::default();
        for tenant in self.tenants().await? {
            match self.drill_one(&tenant, until).await {
                Ok(None) => round.without += 1,
                Ok(Some(drill)) if drill.damaged == 0 => round.done += 1,
                Ok(Some(drill)) => {
                    error!(%tenant, damaged = drill.damaged, "a backup is damaged");
                    round.failed += 1;
                }
                Err(failure) => {
                    error!(%tenant, error = %chain(&failure), "failed to read a backup back");
                    round.failed += 1;
                }
            }
        }
        info!(done = round.done, failed = round.failed, "read the newest backups back");
        Ok(round)
    }

    async fn drill_one(
        &self,
        tenant: &TenantId,
        until: Instant,
    ) -> Result<Option<Drill>, BackUpError> {
        let backups = self.tables.backups();
        let Some(backup): Option<Backup> = backups.newest_complete(tenant).await? else {
            return Ok(None);
        };
        let at = self.clock.now();
        let left = left(until).ok_or(BackUpError::OutOfTime)?;
        let looking = self.look_at(&backup, Depth::ReadData);
        let found = tokio::time::timeout(left, looking).await;
        let found = found.map_err(|_| BackUpError::OutOfTime)??;
        let (took_ms, read_bytes) = (found.took_ms, found.read_bytes);
        let drill = Drill { at, took_ms, read_bytes, damaged: found.damaged };
        backups.note_drill(tenant, &backup.id, &drill).await?;
        Ok(Some(drill))
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, PortError> {
        let mut tenants = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.tables.tenants().list(cursor.as_deref()).await?;
            tenants.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(tenants);
            }
        }
    }
}

/// Returns how much time is left, `None` when none is.
fn left(until: Instant) -> Option<Duration> {
    Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}
