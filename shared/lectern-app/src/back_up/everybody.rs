//! All tenants, one after the other: what a schedule asks for.

use std::time::{Duration, Instant};

use lectern_core::{
    errors::{PortError, chain},
    ids::TenantId,
    time::Timestamp,
};
use lectern_tables::backups::BackupState;
use tracing::{error, info};

use super::BackUp;
use crate::canary;

/// What became of a round over all tenants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Tenants whose backup is complete, or whole.
    pub done: u64,
    /// Tenants whose backup goes on when it is called again.
    pub unfinished: u64,
    /// Tenants whose backup failed or is damaged, or for whom there was no time.
    pub failed: u64,
    /// Tenants without a backup that could be read back.
    pub without: u64,
}

impl Round {
    /// Counts a tenant that is finished, is not, or failed.
    pub(crate) fn count(&mut self, outcome: Result<bool, PortError>) {
        match outcome {
            Ok(true) => self.done += 1,
            Ok(false) => self.unfinished += 1,
            Err(failure) => {
                error!(error = %chain(&failure), "failed to go on");
                self.failed += 1;
            }
        }
    }
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
            // One for whom there is no time yet is one whose backup is not begun: the next call begins with it.
            let Some(left) = left(until) else {
                round.unfinished += 1;
                continue;
            };
            match self.run(&tenant, left).await {
                Ok(backup) if backup.state == BackupState::Complete => {
                    round.done += 1;
                    self.prune_after(&tenant).await;
                }
                Ok(_) => round.unfinished += 1,
                Err(failure) => {
                    error!(%tenant, error = %chain(&failure), "failed to back a tenant up");
                    round.failed += 1;
                }
            }
        }
        info!(
            done = round.done,
            unfinished = round.unfinished,
            failed = round.failed,
            "backed all tenants up"
        );
        Ok(round)
    }

    /// Removes what the rule does not keep. Where that fails the backup is made all the same, and the next one tries again.
    async fn prune_after(&self, tenant: &TenantId) {
        if let Err(failure) = self.prune_tenant(tenant, &self.retention, false).await {
            error!(%tenant, error = %chain(&failure), "failed to prune backups");
        }
    }

    /// Returns all tenants.
    pub(crate) async fn tenants(&self) -> Result<Vec<TenantId>, PortError> {
        let mut tenants = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.tables.tenants().list(cursor.as_deref()).await?;
            let all = page.items.into_iter().map(|tenant| tenant.tenant);
            tenants.extend(all.filter(|tenant| tenant.as_str() != canary::TENANT));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(tenants);
            }
        }
    }
}

/// Returns how much time is left, `None` when none is.
pub(crate) fn left(until: Instant) -> Option<Duration> {
    Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}
