//! The lines of parts, one JSON object each. A part holds one kind of them.
//!
//! What changes with every run, or while nothing that is backed up changes, stays out: leases, attempts, cache generations,
//! the backup's own id and time. So an unchanged tenant gives the same lines. So does a restored one: lines name the account,
//! not its incarnation.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use lectern_core::{
    analysis::SparseVector,
    auth::ApiKey,
    document::{Document, DocumentState, DocumentVersion, Progress, Version},
    ids::{CollectionId, DocumentId},
    passage::{Passage, Point},
    time::Timestamp,
};
use lectern_tables::collections::Collection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod sparse;
mod vector;

/// What the lines of a part are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`CollectionLine`].
    Collection,
    /// [`lectern_core::document::Document`], as the table has it.
    Document,
    /// [`DocumentVersion`], as the table has it but for who works on it. Its `sha256` names the bytes as uploaded.
    Version,
    /// [`TextLine`].
    Text,
    /// [`PassageLine`].
    Passage,
    /// [`OriginalLine`].
    Original,
    /// [`lectern_core::auth::ApiKey`], as the table has it: the secret's hash, never the secret.
    Key,
    /// [`FileLine`].
    File,
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CollectionLine {
    /// Its identity.
    pub id: CollectionId,
    /// What a person calls it.
    pub name: String,
    /// Its settings, as somebody set them.
    pub settings: Map<String, Value>,
    /// Counts changes of name and settings.
    pub revision: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When name or settings last changed.
    pub updated_at: Timestamp,
}

impl From<Collection> for CollectionLine {
    fn from(collection: Collection) -> Self {
        let Collection { id, name, settings, revision, created_at, updated_at, .. } = collection;
        Self { id, name, settings, revision, created_at, updated_at }
    }
}

/// A piece of a canonical text. The pieces of a text stand in order and their lengths add up to `total_bytes`; a text
/// whose pieces do not is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextLine {
    /// The document.
    pub document_id: DocumentId,
    /// Its version.
    pub version: Version,
    /// First byte.
    pub start: u64,
    /// Length of the whole text in bytes.
    pub total_bytes: u64,
    /// The bytes from `start` on.
    pub text: String,
}

/// A larger file as it was uploaded. Its bytes stand in `files/{tenant}/{sha256}`, as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalLine {
    /// The document.
    pub document_id: DocumentId,
    /// Its version.
    pub version: Version,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// How many they are.
    pub size_bytes: u64,
}

impl OriginalLine {
    pub(super) fn of(version: &DocumentVersion) -> Self {
        Self {
            document_id: version.document_id.clone(),
            version: version.version,
            sha256: version.sha256.clone(),
            size_bytes: version.size_bytes,
        }
    }
}

/// A small file as it was uploaded, with its bytes. In the digest of a state it counts as the [`OriginalLine`] of the same file:
/// where bytes are kept is no part of the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLine {
    /// Which file.
    #[serde(flatten)]
    pub file: OriginalLine,
    /// Its bytes.
    #[serde(flatten)]
    pub content: FileContent,
}

/// The bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileContent {
    /// As they are: they are UTF-8.
    Text(String),
    /// In base64 (RFC 4648, section 4).
    Base64(String),
}

impl FileContent {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(BASE64_STANDARD.encode(bytes)),
        }
    }

    /// Returns the bytes, `None` when they cannot be read.
    pub(crate) fn into_bytes(self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Base64(text) => BASE64_STANDARD.decode(text).ok().map(Bytes::from),
        }
    }
}

/// A passage with its vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassageLine {
    /// Its point's id, a UUID.
    pub id: String,
    /// The passage.
    pub passage: Passage,
    /// The vector of the model the manifest names, `null` while it has none. In a line it is base64 of the numbers as IEEE 754
    /// binary32, little-endian: decimals take twice the bytes, and most of the time of a backup. Lines of schemas before 3
    /// have an array of numbers, which is read, too.
    #[serde(with = "vector")]
    pub dense: Option<Vec<f32>>,
    /// BM25 weights by term: `indices` are base64 of 32-bit integers, `values` of floats, both little-endian. Lines of schemas
    /// before 5 have arrays of numbers.
    #[serde(with = "sparse")]
    pub sparse: SparseVector,
}

impl From<Point> for PassageLine {
    fn from(point: Point) -> Self {
        let Point { mut passage, dense, sparse } = point;
        passage.tenant = passage.tenant.account();
        // An index gives fields back in any order.
        passage.metadata.sort_keys();
        Self { id: passage.point_id().to_uuid(), passage, dense, sparse }
    }
}

/// Returns a document as it is backed up.
pub(super) fn document_line(mut document: Document) -> Document {
    document.tenant = document.tenant.account();
    document.metadata.sort_keys();
    document.state = at_rest(document.state);
    if document.state == DocumentState::Queued {
        document.progress = Progress::default();
    }
    document
}

/// Returns a version as it is backed up: who works on it, how often somebody did, and who pays for that, is no part of
/// it.
pub(super) fn version_line(mut version: DocumentVersion) -> DocumentVersion {
    version.tenant = version.tenant.account();
    version.metadata.sort_keys();
    version.state = at_rest(version.state);
    (version.lease_until, version.attempts, version.uploaded_by) = (None, 0, None);
    version
}

/// Returns a key as it is backed up: it opens whatever incarnation is live where it is restored.
pub(super) fn key_line(mut key: ApiKey) -> ApiKey {
    key.tenant = key.tenant.account();
    key.incarnation = 0;
    key
}

/// Returns the state to which what is on its way falls back when nobody works on it.
fn at_rest(state: DocumentState) -> DocumentState {
    match state {
        DocumentState::Processing => DocumentState::Queued,
        // Its passages are live; those of the version before are not backed up.
        DocumentState::Retiring => DocumentState::Ready,
        state => state,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        #[serde(with = "vector")]
        dense: Option<Vec<f32>>,
    }

    #[test]
    fn vectors_of_every_schema_are_read() {
        let read = |json: &str| serde_json::from_str::<Line>(json);
        let expected = Line { dense: Some(vec![1.0, -0.5]) };
        assert_eq!(read(r#"{"dense":[1.0,-0.5]}"#).unwrap(), expected);
        assert_eq!(read(r#"{"dense":"AACAPwAAAL8="}"#).unwrap(), expected);
        assert_eq!(read(r#"{"dense":null}"#).unwrap(), Line { dense: None });
        assert!(read(r#"{"dense":"AACAPw"}"#).is_err(), "no padding");
        assert!(read(r#"{"dense":"AACAPwAA"}"#).is_err(), "six bytes");
        assert_eq!(serde_json::to_string(&expected).unwrap(), r#"{"dense":"AACAPwAAAL8="}"#);
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Terms {
        #[serde(with = "sparse")]
        sparse: SparseVector,
    }

    #[test]
    fn terms_of_every_schema_are_read() {
        let read = |json: &str| serde_json::from_str::<Terms>(json);
        let sparse = SparseVector { indices: vec![7, u32::MAX], values: vec![1.0, -0.5] };
        let json = r#"{"sparse":{"indices":"BwAAAP////8=","values":"AACAPwAAAL8="}}"#;
        assert_eq!(read(json).unwrap(), Terms { sparse: sparse.clone() });
        assert_eq!(serde_json::to_string(&Terms { sparse: sparse.clone() }).unwrap(), json);
        let older = r#"{"sparse":{"indices":[7,4294967295],"values":[1.0,-0.5]}}"#;
        assert_eq!(read(older).unwrap(), Terms { sparse });
        let uneven = r#"{"sparse":{"indices":"BwAAAA==","values":"AACAPwAAAL8="}}"#;
        assert!(read(uneven).is_err());
    }

    proptest! {
        #[test]
        fn no_bit_of_a_vector_is_lost(bits in proptest::collection::vec(any::<u32>(), 0..40)) {
            let numbers = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
            let json = serde_json::to_string(&Line { dense: Some(numbers) }).unwrap();
            let read = serde_json::from_str::<Line>(&json).unwrap().dense.unwrap();
            let read: Vec<u32> = read.into_iter().map(f32::to_bits).collect();
            prop_assert_eq!(read, bits);
        }

        #[test]
        fn no_byte_of_a_file_is_lost(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let json = serde_json::to_string(&FileContent::of(&bytes)).unwrap();
            let read = serde_json::from_str::<FileContent>(&json).unwrap().into_bytes();
            prop_assert_eq!(read.unwrap().to_vec(), bytes);
        }
    }
}
