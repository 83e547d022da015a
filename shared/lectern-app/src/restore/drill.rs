//! Would it restore? The newest backup of every tenant is restored beside what is live, compared, asked, and removed.

use std::time::{Duration, Instant};

use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    ids::TenantId,
    passage::{PassageQuery, Point, PointId},
};
use lectern_tables::{
    MAX_PAGE,
    backups::{Backup, BackupCounts, BackupState, Drill},
    restores::Restoration,
};
use tracing::{error, info};

use super::{Restore, RestoreError, RestoreState, write::Source};
use crate::back_up::{
    PARTITIONS, Round, left,
    manifest::Manifest,
    records::{Kind, PassageLine},
    store::Store,
};

/// Passages that are looked for in what was restored.
const CANARIES: usize = 10;
/// Among how many a passage must be found by its own vectors. More than one, for passages with the same text.
const WITHIN: usize = 10;

impl Restore {
    /// Drills every tenant. One that fails does not keep the others from it; one for whom time runs out is gone on with when
    /// this is called again.
    ///
    /// # Errors
    /// When the tenants cannot be listed.
    pub async fn drill(&self, until: Instant) -> Result<Round, PortError> {
        let mut round = Round::default();
        for tenant in self.back_up.tenants().await? {
            let Some(left) = left(until) else {
                round.unfinished += 1;
                continue;
            };
            match self.drill_one(&tenant, left).await {
                Ok(None) => round.without += 1,
                Ok(Some(drill)) if drill.failure.is_none() => round.done += 1,
                Ok(Some(drill)) => {
                    error!(%tenant, failure = drill.failure, "a backup does not restore");
                    round.failed += 1;
                }
                Err(RestoreError::OutOfTime | RestoreError::Busy) => round.unfinished += 1,
                Err(failure) => {
                    error!(%tenant, error = %chain(&failure), "failed to drill a restoration");
                    round.failed += 1;
                }
            }
        }
        info!(done = round.done, failed = round.failed, "restored the newest backups for a drill");
        Ok(round)
    }

    /// Goes on with backups, restorations and drills of tenants that have some left; what nobody began stays so.
    ///
    /// # Errors
    /// When the tenants cannot be listed.
    pub async fn go_on(&self, until: Instant) -> Result<Round, PortError> {
        let mut round = Round::default();
        let tables = &self.back_up.tables;
        for tenant in self.back_up.tenants().await? {
            // One that somebody writes now needs nobody, and would get a second beside it.
            let now = self.back_up.clock.now();
            let is_left = |one: &Backup| one.lease_until.is_none_or(|until| until <= now);
            let has_backup = tables.backups().running(&tenant).await?.iter().any(is_left);
            let restorations = tables.restores().list(&tenant, MAX_PAGE, None).await?;
            let running = restorations.items.into_iter();
            let running = running.filter(|one| one.state == RestoreState::Running);
            let (drills, restorations): (Vec<_>, Vec<_>) = running.partition(|one| one.is_drill);
            // How much time is left is asked before each: none may take another's.
            for restoration in restorations {
                round.count(self.go_on_with(&tenant, restoration, until).await);
            }
            if has_backup {
                round.count(match left(until) {
                    Some(time) => self
                        .back_up
                        .run(&tenant, time)
                        .await
                        .map(|backup| backup.state == BackupState::Complete),
                    None => Ok(false),
                });
            }
            if !drills.is_empty() {
                round.count(match left(until) {
                    Some(time) => finished(self.drill_one(&tenant, time).await),
                    None => Ok(false),
                });
            }
        }
        Ok(round)
    }

    /// Goes on with a restoration somebody asked for; returns whether it is ready.
    async fn go_on_with(
        &self,
        tenant: &TenantId,
        restoration: Restoration,
        until: Instant,
    ) -> Result<bool, PortError> {
        let Some(time) = left(until) else { return Ok(false) };
        let backup = self.back_up.tables.backups().get(tenant, &restoration.backup_id).await?;
        let backup =
            backup.ok_or(PortError::bare(ErrorKind::NotFound, "go on with restoration"))?;
        finished(self.run(&backup, restoration, time).await)
    }

    /// Restores a tenant's newest backup, notes in its record what came of it, and removes what was restored. `None` when
    /// there is no backup.
    ///
    /// # Errors
    /// When time is over, or a port fails.
    pub async fn drill_one(
        &self,
        tenant: &TenantId,
        time_budget: Duration,
    ) -> Result<Option<Drill>, RestoreError> {
        let backups = self.back_up.tables.backups();
        let Some(backup) = backups.newest_complete(tenant).await? else { return Ok(None) };
        self.let_go_of_others(&backup).await?;
        let restoration = self.begun(&backup, tenant, true).await?;
        let begun_at = restoration.begun_at;
        let outcome = match self.run(&backup, restoration, time_budget).await {
            Ok(restoration) => {
                let asked = self.ask_canaries(&backup, &restoration).await;
                self.let_go(&restoration).await?;
                asked.map(|canaries| (restoration, canaries))
            }
            Err(error) => Err(error),
        };
        let (restored, failure) = match outcome {
            Ok((restoration, 0)) => (restoration.counts, None),
            Ok((restoration, lost)) => {
                let reason = format!("{lost} of its passages were not found by their own vectors");
                (restoration.counts, Some(reason))
            }
            Err(error @ (RestoreError::OutOfTime | RestoreError::Busy | RestoreError::Port(_))) => {
                return Err(error);
            }
            Err(error) => (BackupCounts::default(), Some(error.to_string())),
        };
        let took = self.back_up.clock.now().since(begun_at);
        let drill = Drill {
            at: begun_at,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            documents: restored.documents,
            passages: restored.passages,
            failure,
        };
        backups.note_drill(tenant, &backup.id, &drill).await?;
        Ok(Some(drill))
    }

    /// Removes what drills left that were killed: those that were ready, and those of other backups.
    async fn let_go_of_others(&self, backup: &Backup) -> Result<(), PortError> {
        let restores = self.back_up.tables.restores();
        for one in restores.list(&backup.tenant, MAX_PAGE, None).await?.items {
            let is_left = match one.state {
                RestoreState::Ready => true,
                RestoreState::Running => one.backup_id != backup.id,
                _ => false,
            };
            if one.is_drill && is_left {
                self.let_go(&one).await?;
            }
        }
        Ok(())
    }

    /// Removes what a drill restored.
    async fn let_go(&self, restoration: &Restoration) -> Result<(), PortError> {
        self.remove(&restoration.target()).await?;
        let dropped = Restoration {
            state: RestoreState::Dropped,
            ended_at: Some(self.back_up.clock.now()),
            ..restoration.clone()
        };
        self.advance(&dropped, restoration.state).await
    }

    /// Looks for some passages by their own vectors, as a question would; returns how many were not found.
    async fn ask_canaries(
        &self,
        backup: &Backup,
        restoration: &Restoration,
    ) -> Result<usize, RestoreError> {
        let (store, manifest) = self.usable(backup).await?;
        let target = restoration.target();
        let mut lost = 0;
        for canary in self.canaries(&store, &manifest, &target).await? {
            let id = canary.passage.point_id();
            let query = PassageQuery {
                tenant: target.clone(),
                collection: canary.passage.collection.clone(),
                principals: canary.passage.acl.clone(),
                filter: None,
                hostile_from: None,
                dense: canary.dense.filter(|_| restoration.embedded == 0),
                sparse: canary.sparse,
                limit: WITHIN,
            };
            let found = self.back_up.reader.search(&query).await?;
            let is_it = |found: &PointId| *found == id;
            let rankings = found.dense.iter().chain(&found.sparse);
            lost += usize::from(!rankings.map(|one| one.passage.point_id()).any(|one| is_it(&one)));
        }
        Ok(lost)
    }

    /// Returns live passages from all over the backup: one of each partition until there are enough.
    async fn canaries(
        &self,
        store: &Store,
        manifest: &Manifest,
        target: &TenantId,
    ) -> Result<Vec<Point>, RestoreError> {
        let mut canaries = Vec::new();
        for partition in 0..PARTITIONS {
            let source = Source { store, manifest, partition };
            let Some(part) = source.parts(Kind::Passage).next() else { continue };
            let lines: Vec<PassageLine> = source.lines(part).await?;
            for line in lines {
                let id = &line.passage.document_id;
                let document = self.back_up.tables.documents().get(target, id).await?;
                if document.is_some_and(|document| document.shows(line.passage.version)) {
                    canaries.push(super::passages::point(line, target));
                    break;
                }
            }
            if canaries.len() == CANARIES {
                break;
            }
        }
        Ok(canaries)
    }
}

fn finished<T>(ended: Result<T, RestoreError>) -> Result<bool, PortError> {
    match ended {
        Ok(_) => Ok(true),
        Err(RestoreError::OutOfTime | RestoreError::Busy) => Ok(false),
        Err(RestoreError::Port(error)) => Err(error),
        Err(other) => Err(PortError::new(ErrorKind::Conflict, "restore", other)),
    }
}
