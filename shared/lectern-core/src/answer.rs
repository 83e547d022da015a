//! Drafts and answers. A draft is what a model wrote; an answer is what was checked. Only
//! [`crate::citations`] and [`crate::extract`] make answers.

use serde::{Deserialize, Serialize};

use crate::{
    document::Version,
    ids::DocumentId,
    passage::{Passage, Span},
};

/// What is said when nothing supports an answer.
pub const REFUSAL: &str = "I could not find an answer to this question in the documents.";

/// What is said when a guardrail of the operator keeps an answer back.
pub const WITHHELD: &str =
    "The answer to this question is held back by a rule of whoever runs this service.";

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Nothing supports one.
    Unsupported,
    /// A guardrail of the operator keeps it back, for the question or for what the model replied.
    Guardrail,
}

/// A model's text before verification. Cannot be serialised, so it cannot be returned.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft(pub(crate) String);

impl Draft {
    /// Returns a draft of `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Draft({} bytes)", self.0.len())
    }
}

/// What verification found about a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A cited span says it.
    Supported,
    /// A cited span says part of it.
    Partial,
    /// No retrieved passage says it.
    Unsupported,
    /// It cited a passage that was not retrieved, and nothing else supports it.
    UnknownId,
}

impl Verdict {
    /// Whether a cited span says at least part of the sentence.
    #[must_use]
    pub fn says_something(self) -> bool {
        match self {
            Self::Supported | Self::Partial => true,
            Self::Unsupported | Self::UnknownId => false,
        }
    }
}

/// A sentence of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// First byte in the answer's text.
    pub start: usize,
    /// One past the last byte in the answer's text.
    pub end: usize,
    /// Ids of the citations that support it.
    pub citations: Vec<u32>,
    /// What verification found.
    pub verdict: Verdict,
}

/// A place in a document that supports a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// Number in the answer, from 1.
    pub id: u32,
    /// The document.
    pub document_id: DocumentId,
    /// Its name.
    pub document_name: String,
    /// Its version.
    pub version: Version,
    /// Page from 1, where the format has pages.
    pub page: Option<u32>,
    /// Line of the canonical text, from 1.
    pub line: u32,
    /// First byte in the document's canonical text.
    pub start: usize,
    /// One past the last byte in the document's canonical text.
    pub end: usize,
    /// The bytes of the canonical text at `start..end`.
    pub quote: String,
}

impl Citation {
    /// Returns the citation of `within`, a span of the passage's own text.
    /// `None` when the span does not lie in it.
    #[must_use]
    pub fn of(id: u32, passage: &Passage, within: Span) -> Option<Self> {
        let quote = within.of(&passage.text)?.to_owned();
        let lines_before = passage.text[..within.start].matches('\n').count();
        Some(Self {
            id,
            document_id: passage.document_id.clone(),
            document_name: passage.document_name.clone(),
            version: passage.version,
            page: passage.page,
            line: passage.line + u32::try_from(lines_before).unwrap_or(0),
            start: passage.span.start + within.start,
            end: passage.span.start + within.end,
            quote,
        })
    }
}

/// How an answer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Sentences of the documents, verbatim.
    Extractive,
    /// Written by a chat model, then verified.
    Generated,
}

/// A verified answer. Every citation's quote is the bytes at its offsets; every number in the text
/// names a citation in the list. Reading one back from where it was kept makes no new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub(crate) answer: String,
    pub(crate) sentences: Vec<Sentence>,
    pub(crate) citations: Vec<Citation>,
    pub(crate) refused: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) withheld: bool,
    pub(crate) mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confidence: Option<f64>,
}

impl Answer {
    /// Returns the answer that says nothing was found.
    #[must_use]
    pub fn refusal(mode: Mode) -> Self {
        let answer = REFUSAL.to_owned();
        Self {
            answer,
            sentences: Vec::new(),
            citations: Vec::new(),
            refused: true,
            withheld: false,
            mode,
            confidence: None,
        }
    }

    /// Returns the answer that says one is kept back. Only a model's is.
    #[must_use]
    pub fn withheld() -> Self {
        let answer = WITHHELD.to_owned();
        Self { answer, withheld: true, ..Self::refusal(Mode::Generated) }
    }

    /// Returns the answer with the calibrated probability, 0 to 1, that it answers the question, to six decimals:
    /// more mean nothing, and a few are read from JSON exactly as they were written.
    #[must_use]
    pub(crate) fn with_confidence(mut self, confidence: f64) -> Self {
        self.confidence = Some((confidence * 1e6).round() / 1e6);
        self
    }

    /// Returns the calibrated probability, 0 to 1, that the passages answer the question, where it was
    /// estimated.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        self.confidence
    }

    /// Returns the text, with citation numbers in square brackets.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.answer
    }

    /// Returns the sentences in order.
    #[must_use]
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// Returns the citations by ascending id.
    #[must_use]
    pub fn citations(&self) -> &[Citation] {
        &self.citations
    }

    /// Whether there is none: nothing supports one, or it is kept back.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// Returns why there is no answer, where there is none.
    #[must_use]
    pub fn refused_for(&self) -> Option<Refusal> {
        let why = if self.withheld { Refusal::Guardrail } else { Refusal::Unsupported };
        self.refused.then_some(why)
    }

    /// Returns how the answer came about.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the share of sentences that are supported, 1 for a refusal.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sentence counts are small")]
    pub fn supported_ratio(&self) -> f64 {
        if self.sentences.is_empty() {
            return 1.0;
        }
        let supported = |sentence: &&Sentence| sentence.verdict == Verdict::Supported;
        self.sentences.iter().filter(supported).count() as f64 / self.sentences.len() as f64
    }
}
