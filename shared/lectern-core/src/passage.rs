//! What the index stores and returns.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    analysis::SparseVector,
    document::{Metadata, Version},
    filter::Filter,
    ids::{CollectionId, DocumentId, TenantId},
    injection,
    redaction::Places,
};

/// The principal that stands for everybody of the tenant.
pub const EVERYBODY: &str = "*";

/// Half-open byte range into a document's canonical UTF-8 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the bytes of `text` at this span, `None` when out of range or off a character boundary.
    #[must_use]
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.start..self.end)
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span holds nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// Identity of a point in the index: a UUID derived from document, version and chunk number, so
/// that writing the same chunk twice writes the same point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId([u8; 16]);

impl PointId {
    /// Returns the id of chunk number `ordinal` of a version.
    #[must_use]
    pub fn of(tenant: &TenantId, document: &DocumentId, version: Version, ordinal: u32) -> Self {
        let digest = Sha256::digest(format!("{tenant}/{document}/{version}/{ordinal}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        // RFC 9562 version 8 (vendor-specific), variant 10.
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// Returns the 16 bytes of the UUID.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the hyphenated UUID.
    #[must_use]
    pub fn to_uuid(self) -> String {
        let hex = hex::encode(self.0);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// A chunk of a document's version as the index keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// Who owns it.
    pub tenant: TenantId,
    /// Where it belongs.
    pub collection: CollectionId,
    /// The document.
    pub document_id: DocumentId,
    /// The document's version.
    pub version: Version,
    /// Number of the chunk in the version, from 0.
    pub ordinal: u32,
    /// Name of the document at ingestion.
    pub document_name: String,
    /// Headings above the chunk, outermost first, joined by ` › `; empty at the top.
    pub heading: String,
    /// Page the chunk begins on, from 1, for formats that have pages.
    pub page: Option<u32>,
    /// Line of the canonical text the chunk begins on, from 1.
    pub line: u32,
    /// Where the text stands in the canonical text.
    pub span: Span,
    /// The canonical text at `span`, byte for byte, but for what [`Passage::redact`] covered.
    pub text: String,
    /// SHA-256 of heading and text, lower-case hex: equal hashes need not be embedded twice.
    pub text_sha256: String,
    /// How much it speaks to a machine instead of a reader, in percent, as [`crate::injection`] found when it was ingested; `None`
    /// where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostility: Option<u8>,
    /// Where heading and text hold personal data, as was found in the whole document when it was ingested; `None` where
    /// nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<Places>,
    /// ISO 639-3 code of the language, `und` when not known.
    pub language: String,
    /// Principals that may see it.
    pub acl: Vec<String>,
    /// The writer's metadata.
    pub metadata: Metadata,
}

const PERCENT: f32 = 100.0;
/// [`injection::CERTAIN`] in percent.
const CERTAIN_PERCENT: u8 = 80;

impl Passage {
    /// Returns the id of this passage's point.
    #[must_use]
    pub fn point_id(&self) -> PointId {
        PointId::of(&self.tenant, &self.document_id, self.version, self.ordinal)
    }

    /// Returns how much a text speaks to a machine, as [`Self::hostility`] has it.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    pub fn hostility_of(text: &str) -> u8 {
        (PERCENT * injection::inspect(text).score).round() as u8
    }

    /// Whether it was found to carry instructions to whoever answers from it, with at least this certainty in percent.
    #[must_use]
    pub fn is_hostile(&self, from_percent: u8) -> bool {
        self.hostility.is_some_and(|percent| percent >= from_percent)
    }

    /// Returns which of these sentences of the text tell a machine what to say. It is read for them only where the passage was
    /// certainly found to hold some.
    #[must_use]
    pub fn instructions(&self, sentences: &[Span]) -> Vec<bool> {
        if !self.is_hostile(CERTAIN_PERCENT) {
            return vec![false; sentences.len()];
        }
        let found = injection::instructions(&self.text);
        let is_in = |sentence: &Span, place: &Range<usize>| {
            let common =
                place.end.min(sentence.end).saturating_sub(place.start.max(sentence.start));
            2 * common > place.len().min(sentence.len())
        };
        sentences.iter().map(|sentence| found.iter().any(|place| is_in(sentence, place))).collect()
    }

    /// Returns what is embedded and analysed: the headings, then the text.
    #[must_use]
    pub fn indexed_text(&self) -> String {
        indexed_text(&self.heading, &self.text)
    }
}

/// Returns heading and text as they are embedded and analysed.
#[must_use]
pub fn indexed_text(heading: &str, text: &str) -> String {
    if heading.is_empty() { text.to_owned() } else { format!("{heading}\n{text}") }
}

/// A passage with its vectors, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The passage.
    pub passage: Passage,
    /// Dense vector (of the embedding model's dimension), absent while no embedder is configured.
    pub dense: Option<Vec<f32>>,
    /// BM25 term weights; the index multiplies by IDF.
    pub sparse: SparseVector,
}

/// A passage as one ranking returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPassage {
    /// The passage.
    pub passage: Passage,
    /// The ranking's own score: cosine in −1..1, BM25 ≥ 0, or a fused score.
    pub score: f32,
}

/// Which passages a call is about. Every field narrows; the tenant is always set.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Who owns them.
    pub tenant: TenantId,
    /// Only of this collection.
    pub collection: Option<CollectionId>,
    /// Only of these documents. An index refuses none, and more than [`Self::MAX_DOCUMENTS`].
    pub document_ids: Option<Vec<DocumentId>>,
    /// Only of versions in this inclusive range.
    pub versions: Option<(Version, Version)>,
}

impl Scope {
    /// Most documents of one scope.
    pub const MAX_DOCUMENTS: usize = 128;

    /// Returns the scope of all that a tenant has.
    #[must_use]
    pub fn tenant(tenant: &TenantId) -> Self {
        Self { tenant: tenant.clone(), collection: None, document_ids: None, versions: None }
    }

    /// Returns the scope of all versions of one document.
    #[must_use]
    pub fn document(tenant: &TenantId, document_id: &DocumentId) -> Self {
        Self::documents(tenant, vec![document_id.clone()])
    }

    /// Returns the scope of all versions of some documents.
    #[must_use]
    pub fn documents(tenant: &TenantId, document_ids: Vec<DocumentId>) -> Self {
        Self { document_ids: Some(document_ids), ..Self::tenant(tenant) }
    }

    /// Narrows the scope to versions `from..=to`.
    #[must_use]
    pub fn with_versions(mut self, from: Version, to: Version) -> Self {
        self.versions = Some((from, to));
        self
    }
}

/// What a caller may see of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// Who asks.
    pub tenant: TenantId,
    /// Where to look.
    pub collection: CollectionId,
    /// Principals of the caller; a passage is seen when its ACL holds one of them or `*`.
    pub principals: Vec<String>,
}

/// What to look for. Both rankings run in one call.
#[derive(Clone, Debug, PartialEq)]
pub struct PassageQuery {
    /// Who asks.
    pub tenant: TenantId,
    /// Where to look.
    pub collection: CollectionId,
    /// Principals of the caller; a passage is seen when its ACL holds one of them or `*`.
    pub principals: Vec<String>,
    /// Conditions on document and metadata.
    pub filter: Option<Filter>,
    /// Passages that were found to be hostile with at least this certainty, in percent, are not found.
    pub hostile_from: Option<u8>,
    /// The question's vector, absent when there is no embedder.
    pub dense: Option<Vec<f32>>,
    /// The question's terms.
    pub sparse: SparseVector,
    /// Most passages of each ranking.
    pub limit: usize,
}

/// The two rankings of a search, best first, ties by point id. Fused by [`crate::fusion`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// By cosine similarity; empty without a query vector.
    pub dense: Vec<ScoredPassage>,
    /// By BM25; empty when the question has no terms.
    pub sparse: Vec<ScoredPassage>,
}

/// One page of a scroll.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScrollPage {
    /// The points in id order, with vectors.
    pub points: Vec<Point>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<PointId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn point_ids_are_deterministic_and_distinct() {
        let tenant = "acme".parse().unwrap();
        let document = DocumentId::new(Timestamp::from_millis(1), 1);
        let id = PointId::of(&tenant, &document, 1, 0);
        assert_eq!(id, PointId::of(&tenant, &document, 1, 0));
        assert_ne!(id, PointId::of(&tenant, &document, 2, 0));
        assert_eq!(id.to_uuid().len(), 36);
        assert_eq!(&id.to_uuid()[14..15], "8");
    }
}
