//! Bodies of requests and responses, as the OpenAPI document describes them.

mod fetch;

use lectern_app::{
    forget::{Forgotten, HoldingBackup},
    upload::Uploaded,
    uploads::{Announced, PendingUpload, UploadState},
};
use lectern_core::{
    document::{Document, DocumentState, Metadata},
    settings::CollectionSettings,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use self::fetch::FetchRequest;

/// A document sent as JSON.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextDocument {
    /// The text; Markdown is read as such when `name` ends in `.md`.
    #[schema(min_length = 1)]
    pub text: String,
    /// File name or title; `untitled.txt` without.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 512)]
    pub name: Option<String>,
    /// Where it belongs; `default` without.
    #[serde(default)]
    #[schema(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub collection: Option<String>,
    /// The document to update; a new one without.
    #[serde(default)]
    #[schema(pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    pub document_id: Option<String>,
    /// Who may see it; everybody of the tenant without.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub acl: Vec<String>,
    /// Flat metadata.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Metadata,
}

/// A file that is announced before it arrives.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadRequest {
    /// File name or title.
    #[schema(min_length = 1, max_length = 512)]
    pub name: String,
    /// Size in bytes.
    #[schema(minimum = 1)]
    pub size_bytes: u64,
    /// Where it belongs; `default` without.
    #[serde(default)]
    #[schema(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub collection: Option<String>,
    /// The document to update; a new one without.
    #[serde(default)]
    #[schema(pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    pub document_id: Option<String>,
    /// Who may see it; everybody of the tenant without.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub acl: Vec<String>,
    /// Flat metadata.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Metadata,
}

/// How an upload stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UploadBody {
    /// Its id.
    pub upload_id: String,
    /// The document it becomes, or a version of which it becomes.
    pub document_id: String,
    /// `waiting`, `accepted` or `refused`.
    #[schema(value_type = String)]
    pub state: UploadState,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An upload that may begin.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AnnouncedBody {
    /// Its id.
    pub upload_id: String,
    /// The document it becomes, or a version of which it becomes.
    pub document_id: String,
    /// What to send: `PUT`.
    pub method: &'static str,
    /// Where: an address that needs no key, or a path of this API, which needs one.
    pub url: String,
    /// Until when, RFC 3339.
    pub expires_at: String,
}

impl From<PendingUpload> for UploadBody {
    fn from(upload: PendingUpload) -> Self {
        Self {
            upload_id: upload.id.into(),
            document_id: upload.document_id.into(),
            state: upload.state,
            reason: upload.reason,
        }
    }
}

impl From<Announced> for AnnouncedBody {
    fn from(announced: Announced) -> Self {
        let upload_id: String = announced.upload.id.into();
        let through_the_api = || format!("/v1/documents/uploads/{upload_id}");
        Self {
            url: announced.address.unwrap_or_else(through_the_api),
            document_id: announced.upload.document_id.into(),
            method: "PUT",
            expires_at: announced.valid_until.to_rfc3339(),
            upload_id,
        }
    }
}

/// Settings of an upload by raw body, in the query string.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawParams {
    /// File name.
    pub name: Option<String>,
    /// Where it belongs.
    pub collection: Option<String>,
    /// The document to update.
    pub document_id: Option<String>,
}

/// A document that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// The version that holds these bytes.
    pub version: u32,
    /// Its state now.
    #[schema(value_type = String)]
    pub state: DocumentState,
    /// Whether anything new was accepted.
    pub created: bool,
}

impl From<Uploaded> for Accepted {
    fn from(uploaded: Uploaded) -> Self {
        let Uploaded { document, version, created } = uploaded;
        Self { id: document.id.into(), version, state: document.state, created }
    }
}

/// Why a document could not be ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailureBody {
    /// Stable word for programs.
    pub code: String,
    /// A sentence for people, saying what to do.
    pub detail: String,
}

/// How far ingestion has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProgressBody {
    /// Chunks indexed so far.
    pub chunks_done: u32,
    /// Chunks in total, 0 while not known.
    pub chunks_total: u32,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DocumentBody {
    /// Its id.
    pub id: String,
    /// Where it belongs.
    pub collection: String,
    /// File name or title.
    pub name: String,
    /// Sniffed media type.
    pub media_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the newest version's bytes.
    pub sha256: String,
    /// `queued`, `processing`, `ready`, `failed` or `deleting`.
    #[schema(value_type = String)]
    pub state: DocumentState,
    /// The version that answers questions.
    pub live_version: Option<u32>,
    /// The version accepted last.
    pub latest_version: u32,
    /// Why the newest version failed.
    pub failure: Option<FailureBody>,
    /// Progress of the newest version.
    pub progress: ProgressBody,
    /// Who may see it.
    pub acl: Vec<String>,
    /// The writer's metadata.
    #[schema(value_type = Object)]
    pub metadata: Metadata,
    /// When it was first accepted, RFC 3339.
    pub created_at: String,
    /// When its record last changed, RFC 3339.
    pub updated_at: String,
}

impl From<Document> for DocumentBody {
    fn from(document: Document) -> Self {
        let failure = document
            .failure
            .map(|failure| FailureBody { code: failure.code, detail: failure.detail });
        Self {
            id: document.id.into(),
            collection: document.collection.into(),
            name: document.name,
            media_type: document.media_type,
            size_bytes: document.size_bytes,
            sha256: document.sha256,
            state: document.state,
            live_version: document.live_version,
            latest_version: document.latest_version,
            failure,
            progress: ProgressBody {
                chunks_done: document.progress.chunks_done,
                chunks_total: document.progress.chunks_total,
            },
            acl: document.acl,
            metadata: document.metadata,
            created_at: document.created_at.to_rfc3339(),
            updated_at: document.updated_at.to_rfc3339(),
        }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DocumentPage {
    /// The documents, newest first.
    pub documents: Vec<DocumentBody>,
    /// Pass it as `cursor` for the next page; `null` at the end.
    pub next_cursor: Option<String>,
}

/// What a listing is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// The collection; `default` without.
    pub collection: Option<String>,
    /// Most documents, 1 to 200; 50 without.
    pub limit: Option<usize>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// Which part of a text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextParams {
    /// First byte; 0 without.
    pub start: Option<usize>,
    /// One past the last byte; the end without.
    pub end: Option<usize>,
    /// The version; the live one without.
    pub version: Option<u32>,
}

/// A piece of a document's canonical text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextBody {
    /// The document.
    pub document_id: String,
    /// Its version.
    pub version: u32,
    /// First byte, moved back to a character boundary.
    pub start: usize,
    /// One past the last byte, moved on to a character boundary.
    pub end: usize,
    /// The text at `start..end`.
    pub text: String,
    /// Length of the whole canonical text in bytes.
    pub total_bytes: usize,
}

/// Proof of a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptBody {
    /// The document.
    pub document_id: String,
    /// When it stopped answering, RFC 3339.
    pub deleted_at: String,
    /// Passages removed from the index.
    pub passages_deleted: u64,
    /// Passages counted in the index afterwards: 0.
    pub passages_remaining: u64,
    /// Stored files removed.
    pub blobs_deleted: u64,
    /// Backups that still have it, newest first. An operator can have it erased from them, too.
    pub backups: Vec<HoldingBackupBody>,
}

/// A backup that has a deleted document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoldingBackupBody {
    /// Its id.
    pub id: String,
    /// When it expires, RFC 3339: the next pruning removes it then. `null` where no rule says.
    pub expires_at: Option<String>,
}

impl From<Forgotten> for ReceiptBody {
    fn from(forgotten: Forgotten) -> Self {
        let Forgotten { receipt, backups } = forgotten;
        let body = |backup: HoldingBackup| HoldingBackupBody {
            id: backup.id.into(),
            expires_at: backup.expires_at.map(Timestamp::to_rfc3339),
        };
        Self {
            backups: backups.into_iter().map(body).collect(),
            document_id: receipt.document_id.into(),
            deleted_at: receipt.deleted_at.to_rfc3339(),
            passages_deleted: receipt.passages_deleted,
            passages_remaining: receipt.passages_remaining,
            blobs_deleted: receipt.blobs_deleted,
        }
    }
}

/// A collection to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCollection {
    /// Its id: 1 to 64 characters of a-z, 0-9, `-`, `_`.
    #[schema(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub id: String,
    /// What people call it; the id without.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 512)]
    pub name: Option<String>,
    /// Its settings (docs/CONFIGURATION.md); defaults for what is left out.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

/// A change of a collection, as a JSON merge patch (RFC 7396).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionChange {
    /// What people call it from now on.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 512)]
    pub name: Option<String>,
    /// The settings to change; `null` for a setting means its default.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CollectionBody {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Grows with every change of what it answers from.
    pub generation: u64,
    /// Counts changes of name and settings; also in the header `ETag`.
    pub revision: u64,
    /// Its settings, defaults spelled out.
    #[schema(value_type = Object)]
    pub settings: CollectionSettings,
    /// When it was created, RFC 3339.
    pub created_at: String,
}

/// All collections.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CollectionList {
    /// The collections.
    pub collections: Vec<CollectionBody>,
}
