//! The lines of an exported folder.

use std::collections::HashMap;

use lectern_core::{
    document::{Document, Metadata, Version},
    ids::{CollectionId, DocumentId},
    passage::{Point, indexed_text},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of the form of a folder. A newer one is refused.
pub(super) const SCHEMA: u32 = 1;

/// Vectors by the text they are of.
pub(super) type Vectors = HashMap<String, Vec<f32>>;

/// `collection.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CollectionFile {
    pub(super) schema: u32,
    pub(super) id: CollectionId,
    pub(super) name: String,
    pub(super) settings: Map<String, Value>,
    /// Whose vectors the passages have, `null` where they have none.
    pub(super) embedding_model: Option<String>,
    pub(super) documents: u64,
    pub(super) passages: u64,
    /// RFC 3339.
    pub(super) exported_at: String,
}

/// A line of `documents.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentLine {
    pub(super) id: DocumentId,
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) version: Version,
    pub(super) acl: Vec<String>,
    pub(super) metadata: Metadata,
    /// Milliseconds since 1970.
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// Where the file as it was uploaded is, `null` when it was lost.
    pub(super) file: Option<String>,
    /// Where the canonical text is, `null` when it was lost.
    pub(super) text: Option<String>,
    pub(super) passages: u64,
}

impl DocumentLine {
    pub(super) fn of(document: Document, version: Version) -> Self {
        let Document { id, name, media_type, acl, metadata, created_at, updated_at, .. } = document;
        Self {
            id,
            name,
            media_type,
            version,
            acl,
            metadata,
            created_at,
            updated_at,
            file: None,
            text: None,
            passages: 0,
        }
    }
}

/// A line of `passages.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PassageLine {
    pub(super) document_id: DocumentId,
    pub(super) ordinal: u32,
    /// First byte in the document's text.
    pub(super) start: usize,
    /// One past its last.
    pub(super) end: usize,
    pub(super) page: Option<u32>,
    pub(super) line: u32,
    pub(super) heading: String,
    pub(super) language: String,
    pub(super) text: String,
    pub(super) vector: Option<Vec<f32>>,
}

impl PassageLine {
    /// Returns the text the vector is of.
    pub(super) fn embedded_text(&self) -> String {
        indexed_text(&self.heading, &self.text)
    }
}

impl From<Point> for PassageLine {
    fn from(point: Point) -> Self {
        let Point { passage, dense, .. } = point;
        Self {
            document_id: passage.document_id,
            ordinal: passage.ordinal,
            start: passage.span.start,
            end: passage.span.end,
            page: passage.page,
            line: passage.line,
            heading: passage.heading,
            language: passage.language,
            text: passage.text,
            vector: dense,
        }
    }
}
