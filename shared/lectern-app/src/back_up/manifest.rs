//! What a backup is made of. It is written last: a manifest that is there has all its parts.

use lectern_core::{
    ids::{BackupId, CollectionId, DocumentId, TenantId},
    ports::EmbeddingModel,
    time::Timestamp,
};
use lectern_tables::backups::BackupCounts;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::parts::Part;

/// Version of the form of manifests and parts.
///
/// | schema | |
/// |---|---|
/// | 1 | records, texts, passages |
/// | 2 | also files as uploaded, API keys, and a digest of the state |
/// | 3 | small files stand in parts; vectors are base64 |
/// | 4 | parts may be encrypted |
/// | 5 | BM25 weights are base64 |
pub const SCHEMA: u32 = 5;

/// A backup's table of contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the form: [`SCHEMA`].
    pub schema: u32,
    /// Which backup.
    pub backup_id: BackupId,
    /// Whose: the account.
    pub tenant: TenantId,
    /// Whose vectors the passages have, `null` where they have none.
    pub embedding_model: Option<VectorsOf>,
    /// Whether it has files as they were uploaded. Schema 1 has none.
    #[serde(default)]
    pub originals: bool,
    /// For whom parts, files as uploaded and checkpoints are encrypted, an age recipient; `null` where they are not.
    #[serde(default)]
    pub sealed_for: Option<String>,
    /// Of which moment it is.
    pub cut: Cut,
    /// What it holds.
    pub counts: BackupCounts,
    /// Digest of the state it is of, whatever parts that stands in: what is restored from it has the same. Schema 1 has none.
    #[serde(default)]
    pub state_digest: Option<String>,
    /// SHA-256 over the parts' hashes, sorted, each with a line feed: `jq -r '.parts[].sha256' | sort | sha256sum`.
    pub digest: String,
    /// Its parts, by kind and partition, in the order of their lines.
    pub parts: Vec<Part>,
    /// Documents that were erased from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<DocumentId>,
}

/// Whose vectors passages have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorsOf {
    /// The model.
    pub model: String,
    /// Length of each vector.
    pub dimensions: usize,
}

impl From<&EmbeddingModel> for VectorsOf {
    fn from(model: &EmbeddingModel) -> Self {
        Self { model: model.id.clone(), dimensions: model.dimensions }
    }
}

/// The moment of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// When reading began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Whether every collection's generation was the same before and after: then nothing went live, left or changed its
    /// settings in between, and all that answers is of one moment.
    pub is_exact: bool,
    /// The collections' generations.
    pub collections: Vec<CollectionCut>,
}

/// A collection's generation before and after, `null` where it was not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionCut {
    /// Which.
    pub id: CollectionId,
    /// Before anything was read.
    pub generation_before: Option<u64>,
    /// After everything was read.
    pub generation_after: Option<u64>,
}

/// Returns the digest of the whole, see [`Manifest::digest`].
#[must_use]
pub fn digest(parts: &[Part]) -> String {
    let mut hashes: Vec<&str> = parts.iter().map(|part| part.sha256.as_str()).collect();
    hashes.sort_unstable();
    let mut digest = Sha256::new();
    for hash in hashes {
        digest.update(hash);
        digest.update("\n");
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::back_up::records::Kind;

    #[test]
    fn the_digest_is_what_stock_tools_make_of_the_hashes() {
        let part = |sha256: &str| Part {
            kind: Kind::Text,
            partition: 0,
            sha256: sha256.into(),
            size_bytes: 1,
            records: 1,
        };
        // printf 'a\nb\n' | sha256sum
        let expected = "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2";
        let made = digest(&[part("b"), part("a")]);
        assert_eq!(made, digest(&[part("a"), part("b")]));
        assert_eq!(made, expected);
    }
}
