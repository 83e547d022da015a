//! The record of a backup.

use std::{fmt, ops::AddAssign, str::FromStr};

use lectern_core::{
    ids::{IdError, TenantId, UploadId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Identity of a backup: a ULID, so that the order of ids is the order in which backups began.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackupId(UploadId);

impl BackupId {
    /// Returns a new identifier, sortable by `now`, from 80 bits of `entropy`.
    #[must_use]
    pub fn new(now: Timestamp, entropy: u128) -> Self {
        Self(UploadId::new(now, entropy))
    }

    /// Returns the identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for BackupId {
    type Err = IdError;
    fn from_str(raw: &str) -> Result<Self, IdError> {
        raw.parse().map(Self)
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

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
    }
}

/// The last time a backup was read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u64,
    /// Bytes of parts that were read.
    pub read_bytes: u64,
    /// Parts that were missing or had other bytes.
    pub damaged: u64,
}

/// The record of one backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Whose.
    pub tenant: TenantId,
    /// Its id.
    pub id: BackupId,
    /// How it stands.
    pub state: BackupState,
    /// What it holds.
    pub counts: BackupCounts,
    /// Its parts.
    pub parts: u64,
    /// Bytes of all its parts.
    pub size_bytes: u64,
    /// Those of its parts that no earlier backup had stored.
    pub new_parts: u64,
    /// Bytes of them.
    pub new_bytes: u64,
    /// SHA-256 over the sorted hashes of its parts, once complete.
    pub digest: Option<String>,
    /// SHA-256 of its manifest's bytes, once complete.
    pub manifest_sha256: Option<String>,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it was given up.
    pub failure: Option<String>,
    /// When it was last read back, and what was found.
    pub drill: Option<Drill>,
}

impl Backup {
    /// Returns the record of a backup that begins.
    #[must_use]
    pub fn begun(tenant: TenantId, id: BackupId, now: Timestamp) -> Self {
        Self {
            tenant,
            id,
            state: BackupState::Running,
            counts: BackupCounts::default(),
            parts: 0,
            size_bytes: 0,
            new_parts: 0,
            new_bytes: 0,
            digest: None,
            manifest_sha256: None,
            begun_at: now,
            ended_at: None,
            failure: None,
            drill: None,
        }
    }
}
