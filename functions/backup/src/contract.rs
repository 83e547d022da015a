//! Bodies of requests and responses, as the OpenAPI document describes them.

use lectern_app::{
    back_up::{
        Backup, BackupCounts, BackupState, Drill,
        verify::{Damage, Fault, Verification},
    },
    restore::Restoration,
};
use lectern_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many things a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountsBody {
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
    /// Live versions whose canonical text was not there to be backed up; 0 unless files were lost.
    pub missing_texts: u64,
    /// Passages that versions say they have and the index did not; 0 unless the index lost some.
    pub missing_passages: u64,
    /// Files as they were uploaded.
    pub originals: u64,
    /// Their bytes.
    pub original_bytes: u64,
    /// Files that were not there to be backed up, or had other bytes; 0 unless some were lost.
    pub missing_originals: u64,
    /// API keys, by their hashes.
    pub keys: u64,
}

impl From<BackupCounts> for CountsBody {
    fn from(counts: BackupCounts) -> Self {
        Self {
            collections: counts.collections,
            documents: counts.documents,
            versions: counts.versions,
            texts: counts.texts,
            passages: counts.passages,
            missing_texts: counts.missing_texts,
            missing_passages: counts.missing_passages,
            originals: counts.originals,
            original_bytes: counts.original_bytes,
            missing_originals: counts.missing_originals,
            keys: counts.keys,
        }
    }
}

/// The last time a backup was restored beside what is live, to see that it can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DrillBody {
    /// When it began, RFC 3339.
    pub at: String,
    /// How long it took until everything was restored and compared.
    pub took_ms: u64,
    /// Documents that were restored.
    pub documents: u64,
    /// Passages that were restored.
    pub passages: u64,
    /// Why it would not have helped; `null` when it would.
    pub failure: Option<String>,
}

impl From<Drill> for DrillBody {
    fn from(drill: Drill) -> Self {
        let Drill { at, took_ms, documents, passages, failure } = drill;
        Self { at: at.to_rfc3339(), took_ms, documents, passages, failure }
    }
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BackupBody {
    /// Its id.
    pub id: String,
    /// `running`, `complete` or `failed`. One that is running and was left goes on with the next backup.
    #[schema(value_type = String)]
    pub state: BackupState,
    /// What it holds.
    pub counts: CountsBody,
    /// Its parts.
    pub parts: u64,
    /// Bytes of all its parts.
    pub size_bytes: u64,
    /// Those of its parts that no earlier backup had stored.
    pub new_parts: u64,
    /// Bytes of them.
    pub new_bytes: u64,
    /// SHA-256 over the sorted hashes of its parts.
    pub digest: Option<String>,
    /// Digest of the state it is of: equal for backups of the same state, and for what is restored from them.
    pub state_digest: Option<String>,
    /// Whether all that answers is of one moment. `false` when writers did not let it be; each document is whole all the same.
    pub is_exact: bool,
    /// When it began, RFC 3339.
    pub begun_at: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was last restored for a drill, and what came of it.
    pub drill: Option<DrillBody>,
}

impl From<Backup> for BackupBody {
    fn from(backup: Backup) -> Self {
        Self {
            id: backup.id.to_string(),
            state: backup.state,
            counts: backup.counts.into(),
            parts: backup.parts,
            size_bytes: backup.size_bytes,
            new_parts: backup.new_parts,
            new_bytes: backup.new_bytes,
            digest: backup.digest,
            state_digest: backup.state_digest,
            is_exact: backup.is_exact,
            begun_at: backup.begun_at.to_rfc3339(),
            ended_at: backup.ended_at.map(Timestamp::to_rfc3339),
            failure: backup.failure,
            drill: backup.drill.map(DrillBody::from),
        }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BackupPage {
    /// The backups, newest first.
    pub backups: Vec<BackupBody>,
    /// Pass it as `cursor` for the next page; `null` at the end.
    pub next_cursor: Option<String>,
}

/// A restoration.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RestorationBody {
    /// Its id.
    pub id: String,
    /// `running`, `ready` (compared with the backup; nobody sees it), `live`, `confirmed`, `undone`, `dropped` or `failed`.
    pub state: &'static str,
    /// The backup it is of.
    pub backup_id: String,
    /// Whether it is only to see that it can be done.
    pub is_drill: bool,
    /// What is written.
    pub counts: CountsBody,
    /// Passages whose vectors were made anew, because the backup has those of another model.
    pub embedded: u64,
    /// When it began, RFC 3339.
    pub begun_at: String,
    /// When everything was written and compared, RFC 3339.
    pub ready_at: Option<String>,
    /// When it began to answer, RFC 3339.
    pub live_at: Option<String>,
    /// When it was confirmed, undone, dropped or given up, RFC 3339.
    pub ended_at: Option<String>,
    /// Why it was given up.
    pub failure: Option<String>,
}

impl From<Restoration> for RestorationBody {
    fn from(restoration: Restoration) -> Self {
        Self {
            id: restoration.id.to_string(),
            state: restoration.state.as_str(),
            backup_id: restoration.backup_id.to_string(),
            is_drill: restoration.is_drill,
            counts: restoration.counts.into(),
            embedded: restoration.embedded,
            begun_at: restoration.begun_at.to_rfc3339(),
            ready_at: restoration.ready_at.map(Timestamp::to_rfc3339),
            live_at: restoration.live_at.map(Timestamp::to_rfc3339),
            ended_at: restoration.ended_at.map(Timestamp::to_rfc3339),
            failure: restoration.failure,
        }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RestorationPage {
    /// The restorations, newest first.
    pub restorations: Vec<RestorationBody>,
    /// Pass it as `cursor` for the next page; `null` at the end.
    pub next_cursor: Option<String>,
}

/// Which part of a listing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Most of them, 1 to 100; 30 without.
    pub limit: Option<usize>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// A damaged part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DamageBody {
    /// Its SHA-256, or `manifest`.
    pub part: String,
    /// `missing`, `wrong_size`, `wrong_bytes`, `newer` (written by a newer release), `unreadable` or `sealed`
    /// (encrypted for an identity that is not here).
    pub fault: &'static str,
}

impl From<Damage> for DamageBody {
    fn from(damage: Damage) -> Self {
        let fault = match damage.fault {
            Fault::Missing => "missing",
            Fault::WrongSize => "wrong_size",
            Fault::WrongBytes => "wrong_bytes",
            Fault::Newer => "newer",
            Fault::Unreadable => "unreadable",
            Fault::Sealed => "sealed",
        };
        Self { part: damage.part, fault }
    }
}

/// What a look at a backup found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct VerificationBody {
    /// The backup.
    pub id: String,
    /// Whether all of it is there.
    pub is_whole: bool,
    /// Parts and files looked at.
    pub parts: u64,
    /// How many are damaged, the manifest counted as one.
    pub damaged: u64,
    /// The first hundred of them.
    pub damages: Vec<DamageBody>,
    /// How long it took.
    pub took_ms: u64,
}

impl From<Verification> for VerificationBody {
    fn from(found: Verification) -> Self {
        Self {
            id: found.backup_id.to_string(),
            is_whole: found.damaged == 0,
            parts: found.parts,
            damaged: found.damaged,
            damages: found.damages.into_iter().map(DamageBody::from).collect(),
            took_ms: found.took_ms,
        }
    }
}
