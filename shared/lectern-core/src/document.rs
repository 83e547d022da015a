//! A document, its versions, and which state follows which.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CollectionId, DocumentId, KeyId, TenantId},
    time::Timestamp,
};

/// Longest document name in bytes.
pub const MAX_NAME_BYTES: usize = 512;
/// Most metadata fields of a document.
pub const MAX_METADATA_FIELDS: usize = 32;
/// Largest serialised metadata of a document in bytes.
pub const MAX_METADATA_BYTES: usize = 8_192;

/// A flat JSON object of strings, numbers, booleans and lists of strings, set by the writer.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// Number of a version of a document; the first is 1.
pub type Version = u32;

/// Where a document or one of its versions stands.
///
/// ```text
/// queued → processing → retiring → ready          (retiring: live, the old version's passages go)
///             │  ▲
///             ▼  │ retry
///           failed            any → deleting → deleted
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// Stored and registered; waits for a worker.
    Queued,
    /// A worker holds the lease.
    Processing,
    /// Answers questions, and the previous version's passages are being removed. Versions only.
    Retiring,
    /// Answers questions.
    Ready,
    /// Cannot be ingested; `error` says why and what to do.
    Failed,
    /// Answers nothing any more; its data is being removed.
    Deleting,
    /// Removed; the tombstone remembers the receipt.
    Deleted,
}

impl DocumentState {
    /// Returns the name used in JSON, logs and the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Retiring => "retiring",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// What a writer can read about a document that could not be ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestFailure {
    /// Stable word for programs: `encrypted`, `unsupported_media_type`, `no_text`, `too_many_pages`.
    pub code: String,
    /// A sentence for people, saying what to do.
    pub detail: String,
}

impl IngestFailure {
    /// Code of a document that was tried too often: nobody knows what is wrong with it.
    pub const POISON: &'static str = "too_many_attempts";

    /// Whether an operator should look at it, because no reason was found that its writer could mend.
    #[must_use]
    pub fn is_poison(&self) -> bool {
        self.code == Self::POISON
    }
}

/// How far the ingestion of a version has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Chunks indexed so far.
    pub chunks_done: u32,
    /// Chunks in total, 0 while not yet known.
    pub chunks_total: u32,
}

/// The record of a document: what is live, what is on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Who owns it.
    pub tenant: TenantId,
    /// Where it belongs.
    pub collection: CollectionId,
    /// Its identity through all versions.
    pub id: DocumentId,
    /// File name or title given by the writer.
    pub name: String,
    /// Sniffed media type of the newest version.
    pub media_type: String,
    /// Size of the newest version in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the newest version's bytes, lower-case hex.
    pub sha256: String,
    /// State of the document: that of its newest version, or `deleting`/`deleted`.
    pub state: DocumentState,
    /// The version that answers questions, `None` before the first is ready.
    pub live_version: Option<Version>,
    /// The version accepted last.
    pub latest_version: Version,
    /// Why the newest version failed.
    pub failure: Option<IngestFailure>,
    /// Progress of the newest version.
    pub progress: Progress,
    /// Principals that may see it: user or group names, or `*`.
    pub acl: Vec<String>,
    /// The writer's metadata.
    pub metadata: Metadata,
    /// When it was first accepted.
    pub created_at: Timestamp,
    /// When its record last changed.
    pub updated_at: Timestamp,
}

impl Document {
    /// Whether passages of `version` may answer questions now.
    #[must_use]
    pub fn shows(&self, version: Version) -> bool {
        self.live_version == Some(version)
            && !matches!(self.state, DocumentState::Deleting | DocumentState::Deleted)
    }
}

/// One accepted version of a document's bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentVersion {
    /// Who owns it.
    pub tenant: TenantId,
    /// Where it belongs.
    pub collection: CollectionId,
    /// The document.
    pub document_id: DocumentId,
    /// Its number.
    pub version: Version,
    /// State of this version.
    pub state: DocumentState,
    /// File name at upload.
    pub name: String,
    /// Sniffed media type.
    pub media_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Principals that may see it.
    pub acl: Vec<String>,
    /// The writer's metadata.
    pub metadata: Metadata,
    /// How often a worker has claimed it.
    pub attempts: u32,
    /// Until when the claiming worker alone may write.
    pub lease_until: Option<Timestamp>,
    /// Chunks of this version once known.
    pub chunk_count: u32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// The key that handed it in, where one is known: it pays for the version's vectors. No part of a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_by: Option<KeyId>,
}

/// Work for the ingestion worker. Only a doorbell: the truth is the version's state in the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Who owns the document.
    pub tenant: TenantId,
    /// The document.
    pub document_id: DocumentId,
    /// What to do with it.
    pub task: Task,
}

/// What a job asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Make this version answer questions.
    Ingest(Version),
    /// Finish a deletion that was begun.
    Forget,
}

/// Proof of a deletion, returned by `DELETE` and kept with the tombstone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionReceipt {
    /// The document.
    pub document_id: DocumentId,
    /// When it stopped answering.
    pub deleted_at: Timestamp,
    /// Passages removed from the index.
    pub passages_deleted: u64,
    /// Passages counted in the index afterwards; 0 in every receipt that is returned.
    pub passages_remaining: u64,
    /// Stored files removed.
    pub blobs_deleted: u64,
}
