//! Old backups are removed by a rule, then whatever no kept backup needs.
//!
//! Never goes, whatever the rule: the newest complete backup; the one a running backup shares parts with; one that is being
//! restored. A part or file goes when no kept backup has it and nobody stored it for [`GRACE`], which is longer than a backup
//! may run: a running backup stores whatever its parent has not and is not young, also what lies there already.
//! A record says that its backup is none before the manifest goes, and parts go after all manifests: a crash leaves garbage for
//! the next time, and never a backup that says `complete` and is not.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use lectern_core::{
    auth::Caller,
    errors::{ErrorKind, PortError, chain},
    ids::{BackupId, TenantId},
    retention::{Keeps, Retention},
    time::Timestamp,
};
use lectern_tables::{MAX_PAGE, backups::BackupState, restores::RestoreState};
use object_store::path::Path;
use tracing::info;

use super::{
    BackUp, Backup, MAX_AGE, authorize,
    store::{FRESH, Store},
};
use crate::errors::FlowError;

/// How long something that nobody needs stays.
pub const GRACE: Duration = Duration::from_secs(MAX_AGE.as_secs() + FRESH.as_secs());

/// What was, or would be, removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruning {
    /// Backups that are kept, newest first, and why.
    pub kept: Vec<(BackupId, Vec<KeptBecause>)>,
    /// Backups that go, newest first.
    pub removed: Vec<BackupId>,
    /// Parts and files that go.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that the store did not let go: Object Lock holds them for now.
    pub locked: u64,
}

/// Why a backup is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptBecause {
    /// A rule keeps it.
    Rule(Keeps),
    /// It is the newest.
    Newest,
    /// Something that runs needs it.
    InUse,
}

impl KeptBecause {
    /// Returns a word for people and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule(Keeps::Last) => "last",
            Self::Rule(Keeps::Daily) => "daily",
            Self::Rule(Keeps::Weekly) => "weekly",
            Self::Rule(Keeps::Monthly) => "monthly",
            Self::Rule(Keeps::Yearly) => "yearly",
            Self::Rule(Keeps::Within) => "within",
            Self::Newest => "newest",
            Self::InUse => "in_use",
        }
    }
}

impl BackUp {
    /// Removes what of the caller's backups the rule does not keep; with `is_dry_run` it only says what that is.
    ///
    /// # Errors
    /// When the caller may not; `Conflict` when a backup that is kept cannot be read, and nothing is removed then; or when a
    /// port fails.
    pub async fn prune(
        &self,
        caller: &Caller,
        retention: &Retention,
        is_dry_run: bool,
    ) -> Result<Pruning, FlowError> {
        authorize(caller)?;
        match self.prune_tenant(&caller.tenant, retention, is_dry_run).await {
            Err(error) if error.kind == ErrorKind::Conflict => {
                Err(FlowError::Conflict(chain(&error)))
            }
            pruned => Ok(pruned?),
        }
    }

    /// [`Self::prune`] without a caller: for schedules.
    ///
    /// # Errors
    /// As there.
    pub async fn prune_tenant(
        &self,
        tenant: &TenantId,
        retention: &Retention,
        is_dry_run: bool,
    ) -> Result<Pruning, PortError> {
        let store = Store::new(&self.backups, tenant);
        let records = self.records(tenant).await?;
        let (kept, old) = self.sorted(tenant, &records, retention).await?;
        let removed = old.iter().map(|backup| backup.id.clone()).collect();
        let mut pruning = Pruning { removed, ..Pruning::default() };

        // All that is kept is read before anything goes: what cannot be read may need what would go.
        let kept_ids: HashSet<&BackupId> = kept.iter().map(|(backup, _)| &backup.id).collect();
        let manifests = store.manifests().await?;
        let running = records.iter().filter(|backup| backup.state == BackupState::Running);
        let mut needed: HashSet<Path> =
            running.map(|backup| store.checkpoint(&backup.id)).collect();
        for (id, sha256) in manifests.iter().filter(|(id, _)| is_kept(id, &kept_ids, &old)) {
            needed.extend(self.needed_by(&store, id, sha256).await?);
        }
        pruning.kept =
            kept.into_iter().map(|(backup, reasons)| (backup.id.clone(), reasons)).collect();

        if !is_dry_run {
            for backup in &old {
                self.retire(backup).await?;
                let of_it = manifests.iter().filter(|(id, _)| *id == backup.id);
                for (id, sha256) in of_it {
                    pruning.locked += u64::from(!store.let_go(&store.manifest(id, sha256)).await?);
                }
                self.tables.backups().remove(tenant, &backup.id).await?;
            }
        }
        let swept = self.sweep(&store, &needed, GRACE, is_dry_run).await?;
        (pruning.objects, pruning.bytes) = (swept.objects, swept.bytes);
        pruning.locked += swept.locked;
        info!(%tenant, removed = pruning.removed.len(), objects = pruning.objects, bytes = pruning.bytes, locked = pruning.locked, is_dry_run, "pruned backups");
        Ok(pruning)
    }

    /// Says of a backup that it is none any more, before it is none: whoever is killed in between leaves a record that says so.
    async fn retire(&self, backup: &Backup) -> Result<(), PortError> {
        if backup.state != BackupState::Complete {
            return Ok(());
        }
        let failure = Some("it was pruned".to_owned());
        let retired = Backup { state: BackupState::Failed, failure, ..backup.clone() };
        self.tables.backups().amend(backup, &retired).await
    }

    /// Returns the records of all backups, newest first.
    pub(super) async fn records(&self, tenant: &TenantId) -> Result<Vec<Backup>, PortError> {
        let (mut records, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.tables.backups().list(tenant, MAX_PAGE, cursor.as_deref()).await?;
            records.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(records);
            }
        }
    }

    /// Returns the backups that are kept, with reasons, and those that go.
    async fn sorted<'records>(
        &self,
        tenant: &TenantId,
        records: &'records [Backup],
        retention: &Retention,
    ) -> Result<(Vec<(&'records Backup, Vec<KeptBecause>)>, Vec<&'records Backup>), PortError> {
        let now = self.clock.now();
        let complete: Vec<&Backup> =
            records.iter().filter(|backup| backup.state == BackupState::Complete).collect();
        let times: Vec<Timestamp> = complete.iter().map(|backup| backup.begun_at).collect();
        let in_use = self.in_use(tenant, records).await?;
        let (mut kept, mut old) = (Vec::new(), Vec::new());
        for (place, (backup, rules)) in
            complete.into_iter().zip(retention.keeps(&times, now)).enumerate()
        {
            let mut reasons: Vec<_> = rules.into_iter().map(KeptBecause::Rule).collect();
            reasons.extend((place == 0).then_some(KeptBecause::Newest));
            reasons.extend(in_use.contains(&backup.id).then_some(KeptBecause::InUse));
            if reasons.is_empty() { old.push(backup) } else { kept.push((backup, reasons)) }
        }
        // What a failed backup left is garbage; its record is of use for as long as somebody may ask. One with a manifest was
        // complete, and its pruning did not end.
        let is_stale = |backup: &&Backup| {
            let is_old = now.since(backup.begun_at) > 30 * GRACE;
            backup.state == BackupState::Failed && (is_old || backup.manifest_sha256.is_some())
        };
        old.extend(records.iter().filter(is_stale));
        Ok((kept, old))
    }

    /// Returns the backups that a running backup or restoration needs.
    async fn in_use(
        &self,
        tenant: &TenantId,
        records: &[Backup],
    ) -> Result<BTreeSet<BackupId>, PortError> {
        let now = self.clock.now();
        let is_running = |backup: &&Backup| {
            backup.state == BackupState::Running && now.since(backup.begun_at) <= GRACE
        };
        let parents = records.iter().filter(is_running).filter_map(|backup| backup.parent.clone());
        let mut in_use: BTreeSet<BackupId> = parents.collect();
        let restorations = self.tables.restores().list(tenant, MAX_PAGE, None).await?;
        for one in restorations.items {
            // One that was left running for a day was left for good.
            let is_in_use = match one.state {
                RestoreState::Running => now.since(one.begun_at) <= GRACE,
                RestoreState::Ready => true,
                _ => false,
            };
            if is_in_use {
                in_use.insert(one.backup_id);
            }
        }
        Ok(in_use)
    }
}

/// Whether a manifest's backup stays. One without a record stays, too: it may be what is left after the table was lost.
fn is_kept(id: &BackupId, kept: &HashSet<&BackupId>, old: &[&Backup]) -> bool {
    kept.contains(id) || !old.iter().any(|backup| backup.id == *id)
}

/// Returns how many backups each rule keeps, for people.
#[must_use]
pub fn reasons(pruning: &Pruning) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for reason in pruning.kept.iter().flat_map(|(_, reasons)| reasons) {
        *counts.entry(reason.as_str()).or_default() += 1;
    }
    counts
}
