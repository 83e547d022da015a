//! The record of a backup.

use std::ops::{AddAssign, SubAssign};

use lectern_core::{
    ids::{BackupId, DocumentId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How a backup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// It is being written, or whoever wrote it died: its age tells.
    Running,
    /// Its manifest is stored, and every part of it was stored before.
    Complete,
    /// It was given up; what it stored is of use to the next one.
    Failed,
}

/// How many things a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupCounts {
    /// Collections.
    pub collections: u64,
    /// Documents.
    pub documents: u64,
    /// Versions of documents: those that are live or newest.
    pub versions: u64,
    /// Canonical texts of live versions.
    pub texts: u64,
    /// Passages of live versions.
    pub passages: u64,
    /// Live versions whose canonical text was not there to be backed up.
    pub missing_texts: u64,
    /// Passages that versions say they have and the index did not.
    pub missing_passages: u64,
    /// Files as they were uploaded.
    #[serde(default)]
    pub originals: u64,
    /// Their bytes, those of equal files as often as they are there.
    #[serde(default)]
    pub original_bytes: u64,
    /// Files that a version names and the store did not have, or had with other bytes.
    #[serde(default)]
    pub missing_originals: u64,
    /// API keys of the account.
    #[serde(default)]
    pub keys: u64,
}

impl AddAssign for BackupCounts {
    fn add_assign(&mut self, other: Self) {
        self.collections += other.collections;
        self.documents += other.documents;
        self.versions += other.versions;
        self.texts += other.texts;
        self.passages += other.passages;
        self.missing_texts += other.missing_texts;
        self.missing_passages += other.missing_passages;
        self.originals += other.originals;
        self.original_bytes += other.original_bytes;
        self.missing_originals += other.missing_originals;
        self.keys += other.keys;
    }
}

impl SubAssign for BackupCounts {
    /// Never less than nothing.
    fn sub_assign(&mut self, other: Self) {
        let less = |own: &mut u64, taken: u64| *own = own.saturating_sub(taken);
        less(&mut self.collections, other.collections);
        less(&mut self.documents, other.documents);
        less(&mut self.versions, other.versions);
        less(&mut self.texts, other.texts);
        less(&mut self.passages, other.passages);
        less(&mut self.missing_texts, other.missing_texts);
        less(&mut self.missing_passages, other.missing_passages);
        less(&mut self.originals, other.originals);
        less(&mut self.original_bytes, other.original_bytes);
        less(&mut self.missing_originals, other.missing_originals);
        less(&mut self.keys, other.keys);
    }
}

/// The last time a backup was restored to see that it can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When it began.
    pub at: Timestamp,
    /// How long it took until everything was restored, compared and removed.
    pub took_ms: u64,
    /// Documents that were restored.
    #[serde(default)]
    pub documents: u64,
    /// Passages that were restored.
    #[serde(default)]
    pub passages: u64,
    /// Why it would not have helped, absent when it would.
    #[serde(default)]
    pub failure: Option<String>,
}

/// The record of one backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Whose: the account.
    pub tenant: TenantId,
    /// Its id.
    pub id: BackupId,
    /// How it stands.
    pub state: BackupState,
    /// The incarnation of the tenant's data it is of.
    #[serde(default)]
    pub incarnation: u32,
    /// The newest complete backup when it began. What it shares with it is not stored again, so while this one is running
    /// that one must stay.
    #[serde(default)]
    pub parent: Option<BackupId>,
    /// Until when whoever writes it is taken to be alive.
    #[serde(default)]
    pub lease_until: Option<Timestamp>,
    /// What it holds.
    pub counts: BackupCounts,
    /// Its parts, files as uploaded not counted.
    pub parts: u64,
    /// Bytes of all its parts.
    pub size_bytes: u64,
    /// Those of its parts that no earlier backup had stored.
    pub new_parts: u64,
    /// Bytes of them, and of files that no earlier backup had stored.
    pub new_bytes: u64,
    /// SHA-256 over the sorted hashes of its parts, once complete.
    pub digest: Option<String>,
    /// Digest of what it is a backup of, whatever parts that stands in: equal for equal states.
    #[serde(default)]
    pub state_digest: Option<String>,
    /// Whether all that answers is of one moment.
    #[serde(default)]
    pub is_exact: bool,
    /// SHA-256 of its manifest's bytes, once complete.
    pub manifest_sha256: Option<String>,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it was given up.
    pub failure: Option<String>,
    /// When it was last restored for a drill, and what came of it.
    pub drill: Option<Drill>,
    /// Documents that were erased from it after it was complete.
    #[serde(default)]
    pub erased: Vec<DocumentId>,
}

impl Backup {
    /// Returns the record of a backup that begins.
    #[must_use]
    pub fn begun(tenant: &TenantId, id: BackupId, now: Timestamp) -> Self {
        Self {
            tenant: tenant.account(),
            id,
            state: BackupState::Running,
            incarnation: 0,
            parent: None,
            lease_until: Some(now),
            counts: BackupCounts::default(),
            parts: 0,
            size_bytes: 0,
            new_parts: 0,
            new_bytes: 0,
            digest: None,
            state_digest: None,
            is_exact: false,
            manifest_sha256: None,
            begun_at: now,
            ended_at: None,
            failure: None,
            drill: None,
            erased: Vec::new(),
        }
    }
}
