//! What was copied of documents: which version, and the digest of its lines.
//!
//! One entry a document stays in memory until the end, of some hundred bytes: the texts and vectors do not.

use std::collections::HashMap;

use lectern_core::{document::Version, ids::DocumentId, time::Timestamp};
use lectern_tables::backups::BackupCounts;
use serde::{Deserialize, Serialize};

use super::digest::LineDigest;

/// What was copied of a version: its text, its passages, its record and the file it was made from.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) version: Version,
    /// When its document was first accepted: one that was deleted and made anew counts its versions from 1 again.
    pub(super) created_at: Timestamp,
    pub(super) digest: LineDigest,
    pub(super) counts: BackupCounts,
}

/// What was copied so far, by document.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Copied(HashMap<DocumentId, Content>);

impl Copied {
    pub(super) fn insert(&mut self, document: DocumentId, content: Content) {
        self.0.insert(document, content);
    }

    /// Returns what was copied of this version.
    pub(super) fn get(&self, document: &DocumentId, version: Version) -> Option<Content> {
        self.0.get(document).copied().filter(|content| content.version == version)
    }
}
