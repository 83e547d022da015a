//! How old backups and drills are, over all tenants.

use lectern_core::{errors::PortError, time::Timestamp};
use lectern_tables::{Tables, backups::BackupState};
use lectern_telemetry::instruments::{BACKUP_AGE, DRILL_AGE};

use crate::canary;

/// Most tenants that are looked at; more are the business of the function that backs them up, which sees them all.
const MAX_TENANTS: usize = 50;
/// Backups of a tenant among which the last drill is looked for: more than a schedule makes in 8 days.
const MAX_BACKUPS: usize = 50;

/// When the tenant was backed up, or drilled, that was longest ago. Tenants without a backup are not counted: who has just
/// begun has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Begin of the newest complete backup.
    pub backup: Option<Timestamp>,
    /// The last drill that succeeded, of the newest backup that has one.
    pub drill: Option<Timestamp>,
}

impl Standing {
    /// Reads it.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn read(tables: &Tables) -> Result<Self, PortError> {
        let tenants = tables.tenants().list(None).await?.items;
        let mut standing = Self::default();
        let reads = tenants
            .iter()
            .filter(|tenant| tenant.tenant.as_str() != canary::TENANT)
            .take(MAX_TENANTS)
            .map(|tenant| async { tables.backups().list(&tenant.tenant, MAX_BACKUPS, None).await });
        for page in futures::future::join_all(reads).await {
            let backups = page?.items;
            let complete = || backups.iter().filter(|backup| backup.state == BackupState::Complete);
            let newest = complete().map(|backup| backup.begun_at).max();
            let drills = complete().filter_map(|backup| backup.drill.as_ref());
            let drill = drills.filter(|drill| drill.failure.is_none()).map(|drill| drill.at).max();
            standing.backup = older(standing.backup, newest);
            standing.drill = older(standing.drill, drill);
        }
        Ok(standing)
    }

    /// Notes how old they are.
    pub fn measure(&self, now: Timestamp) {
        for (instrument, at) in [(&BACKUP_AGE, self.backup), (&DRILL_AGE, self.drill)] {
            if let Some(at) = at {
                instrument.set(now.since(at).as_secs_f64(), &[]);
            }
        }
    }
}

fn older(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
