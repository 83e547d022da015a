//! What the API answers, as far as the lines read it.

use lectern_app::health::MAX_QUEUE_AGE;
use lectern_core::{document::Document, time::Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// A dependency, as `/ready` has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Probe {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) detail: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Readiness {
    pub(super) checks: Vec<Probe>,
}

/// A key.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) permissions: Vec<String>,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

impl Key {
    /// Whether it works and holds `permission`.
    pub(super) fn may(&self, permission: &str, now: Timestamp) -> bool {
        let expiry = self.expires_at.as_deref().and_then(Timestamp::parse_rfc3339);
        let is_active = self.revoked_at.is_none() && expiry.is_none_or(|at| at > now);
        is_active && self.permissions.iter().any(|held| held == permission)
    }

    /// Whether it works until somebody revokes it.
    pub(super) fn is_endless(&self) -> bool {
        self.expires_at.is_none()
    }
}

#[derive(Deserialize)]
pub(super) struct KeyPage {
    pub(super) keys: Vec<Key>,
    pub(super) next: Option<String>,
}

/// A backup.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Backup {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) begun_at: String,
    pub(super) drill: Option<Drill>,
}

/// A restoration for a drill.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Drill {
    pub(super) at: String,
    pub(super) failure: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BackupPage {
    pub(super) backups: Vec<Backup>,
}

/// A collection; its settings are spelled out.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Collection {
    pub(super) id: String,
    pub(super) settings: Value,
}

#[derive(Deserialize)]
pub(super) struct CollectionList {
    pub(super) collections: Vec<Collection>,
}

/// Documents of all collections.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    pub(super) listed: Vec<Listed>,
    /// Whether there are more.
    pub(super) is_cut: bool,
}

/// A document.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) collection: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) updated_at: String,
    pub(super) live_version: Option<u32>,
    pub(super) latest_version: u32,
    pub(super) progress: Chunks,
}

/// How many chunks its newest version has.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Chunks {
    pub(super) chunks_total: u64,
}

#[derive(Deserialize)]
pub(super) struct DocumentPage {
    pub(super) documents: Vec<Listed>,
    pub(super) next_cursor: Option<String>,
}

impl From<Document> for Listed {
    fn from(document: Document) -> Self {
        let progress = Chunks { chunks_total: document.progress.chunks_total.into() };
        Self {
            id: document.id.to_string(),
            collection: document.collection.to_string(),
            name: document.name,
            state: document.state.as_str().to_owned(),
            updated_at: document.updated_at.to_rfc3339(),
            live_version: document.live_version,
            latest_version: document.latest_version,
            progress,
        }
    }
}

impl Listed {
    /// Whether it waits for longer than ingestion promises.
    pub(super) fn is_stuck(&self, now: Timestamp) -> bool {
        let waits = matches!(self.state.as_str(), "queued" | "processing" | "deleting");
        let since = Timestamp::parse_rfc3339(&self.updated_at);
        waits && since.is_none_or(|since| now.since(since) > MAX_QUEUE_AGE)
    }
}
