//! What the API answers, as far as commands read it. Fields that a newer server adds are passed by.

use serde::{Deserialize, Serialize};

/// A verified answer.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Answer {
    /// The text, with citation numbers in square brackets.
    pub(crate) answer: String,
    /// Its sentences.
    #[serde(default)]
    pub(crate) sentences: Vec<Sentence>,
    /// What supports them.
    #[serde(default)]
    pub(crate) citations: Vec<Citation>,
    /// Whether nothing supports an answer.
    #[serde(default)]
    pub(crate) refused: bool,
    /// The nearest passages, when refused.
    #[serde(default)]
    pub(crate) nearest: Vec<Passage>,
    /// What it had to do without.
    #[serde(default)]
    pub(crate) degraded: Vec<String>,
}

/// A sentence of an answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sentence {
    /// One past its last byte in the answer.
    pub(crate) end: usize,
    /// `supported`, `partial`, `unsupported`, `unknown_id`, or a newer word.
    pub(crate) verdict: String,
}

/// A citation.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Citation {
    /// Number in the answer.
    pub(crate) id: u32,
    /// Where it points.
    #[serde(flatten)]
    pub(crate) place: Place,
    /// What stands there.
    pub(crate) quote: String,
}

/// A passage that was found.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Passage {
    /// Where it is.
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The headings above it.
    #[serde(default)]
    pub(crate) heading: String,
    /// What stands there.
    pub(crate) text: String,
    /// The fused score.
    pub(crate) score: f64,
}

/// A place in a document.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Place {
    /// The document's name.
    pub(crate) document_name: String,
    /// Page from 1.
    pub(crate) page: Option<u32>,
    /// Line of the canonical text from 1.
    pub(crate) line: u32,
}

/// What a search found.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Found {
    /// The passages, best first.
    pub(crate) passages: Vec<Passage>,
}

/// An accepted document.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Accepted {
    /// Its id.
    pub(crate) id: String,
    /// The version that holds these bytes.
    pub(crate) version: u32,
    /// Whether anything new was accepted.
    pub(crate) created: bool,
}

/// A document.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Document {
    /// Its id.
    pub(crate) id: String,
    /// File name or title.
    pub(crate) name: String,
    /// `queued`, `processing`, `ready`, `failed`, `deleting`.
    pub(crate) state: String,
    /// Size in bytes.
    pub(crate) size_bytes: u64,
    /// The version accepted last.
    pub(crate) latest_version: u32,
    /// Why the newest version failed.
    pub(crate) failure: Option<IngestFailure>,
    /// How far the newest version has come.
    pub(crate) progress: Progress,
}

/// Why a document could not be ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IngestFailure {
    /// Stable word.
    pub(crate) code: String,
    /// A sentence for people.
    pub(crate) detail: String,
}

/// How far ingestion has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Progress {
    /// Chunks indexed.
    pub(crate) chunks_done: u64,
    /// Chunks in total.
    pub(crate) chunks_total: u64,
}

/// One page of a listing; documents stay JSON, to be printed as they came.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DocumentPage {
    /// The documents, newest first.
    pub(crate) documents: Vec<serde_json::Value>,
    /// Where the next page begins.
    pub(crate) next_cursor: Option<String>,
}

impl Document {
    /// Whether nothing more happens to it by itself.
    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "processing" | "retiring")
    }
}
