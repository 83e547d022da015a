//! Lines as they are written.

use lectern_core::{metrics::ranking::Grades, passage::Span, question::Question};
use serde::Deserialize;

use super::contradicts;
use crate::eval::golden::{GoldenQuestion, GoldenSpan, Place};

/// A line of `corpus.jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct DocumentRecord {
    #[serde(rename = "_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) text: String,
}

/// A line of `questions.jsonl` or `queries.jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct QuestionRecord {
    #[serde(rename = "_id", alias = "id")]
    pub(super) id: String,
    #[serde(rename = "text", alias = "question")]
    text: String,
    #[serde(default)]
    answers: Vec<String>,
    #[serde(default, alias = "files")]
    documents: Vec<String>,
    #[serde(default)]
    spans: Vec<SpanRecord>,
    /// Some sets keep evidence of other kinds here, which is passed by.
    #[serde(default)]
    evidence: Vec<serde_json::Value>,
    #[serde(default, alias = "impossible")]
    unanswerable: bool,
}

#[derive(Debug, Deserialize)]
struct SpanRecord {
    #[serde(alias = "doc")]
    document: String,
    start: Option<usize>,
    end: Option<usize>,
    quote: Option<String>,
}

impl QuestionRecord {
    /// Returns the question with the grades it was given elsewhere, and those its documents and spans mean.
    pub(super) fn question(self, mut grades: Grades) -> Result<GoldenQuestion, String> {
        let question: Question =
            self.text.parse().map_err(|error| format!("the question {error}"))?;
        if self.id.trim().is_empty() {
            return Err("the id must not be empty".into());
        }
        let spans: Vec<GoldenSpan> =
            self.spans.into_iter().map(SpanRecord::span).collect::<Result<_, _>>()?;
        if grades.is_empty() {
            let named =
                self.documents.into_iter().chain(spans.iter().map(|span| span.document.clone()));
            grades.extend(named.map(|document| (document, 1)));
        }
        let evidence = self.evidence.into_iter().filter_map(|value| {
            serde_json::from_value::<SpanRecord>(value).ok().map(SpanRecord::span)
        });
        let question = GoldenQuestion {
            id: self.id,
            question,
            grades,
            spans,
            evidence: evidence.collect::<Result<_, _>>()?,
            answers: self.answers,
            is_unanswerable: self.unanswerable,
        };
        if contradicts(&question) {
            return Err("an unanswerable question has no answers, spans or documents".into());
        }
        Ok(question)
    }
}

impl SpanRecord {
    fn span(self) -> Result<GoldenSpan, String> {
        let place = match (self.start, self.end, self.quote) {
            (Some(start), Some(end), _) if start < end => Place::Bytes(Span { start, end }),
            (None, None, Some(quote)) if !quote.is_empty() => Place::Quote(quote),
            _ => return Err("a span has `start` before `end`, or a `quote`".into()),
        };
        Ok(GoldenSpan { document: self.document, place })
    }
}
