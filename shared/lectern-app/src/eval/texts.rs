//! Canonical texts of a set's documents, read as a client would and kept for the run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use lectern_core::{
    answer::Citation, auth::Caller, document::Version, ids::DocumentId, passage::Span,
};

use super::{
    align::Alignment,
    golden::{Content, GoldenDocument, Place},
};
use crate::{documents::Documents, errors::FlowError};

/// A document's canonical text.
#[derive(Debug)]
pub(super) struct DocumentText {
    canonical: String,
    /// For documents whose spans count bytes of another text: its alignment, and where it begins there.
    aligned: Option<(Alignment, usize)>,
}

/// The texts of a run.
#[derive(Debug)]
pub(super) struct Texts<'run> {
    documents: &'run Documents,
    caller: &'run Caller,
    golden: &'run HashMap<DocumentId, &'run GoldenDocument>,
    // A std mutex: the map is held for a look-up only.
    read: Mutex<HashMap<(DocumentId, Version), Arc<DocumentText>>>,
}

impl<'run> Texts<'run> {
    pub(super) fn new(
        documents: &'run Documents,
        caller: &'run Caller,
        golden: &'run HashMap<DocumentId, &'run GoldenDocument>,
    ) -> Self {
        Self { documents, caller, golden, read: Mutex::default() }
    }

    /// Returns the text a citation points into.
    pub(super) async fn of(&self, citation: &Citation) -> Result<Arc<DocumentText>, FlowError> {
        let key = (citation.document_id.clone(), citation.version);
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let canonical = self.whole(&key.0, key.1).await?;
        let golden = self.golden.get(&key.0).map(|document| &document.content);
        let text = Arc::new(DocumentText::new(canonical, golden));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(key, Arc::clone(&text));
        Ok(text)
    }

    /// Reads piece by piece: one answer of the text route has a limit.
    async fn whole(&self, id: &DocumentId, version: Version) -> Result<String, FlowError> {
        let mut text = String::new();
        loop {
            let start = text.len();
            let piece = self.documents.text(self.caller, id, Some(version), start, None).await?;
            text.push_str(&piece.text);
            if piece.end >= piece.total_bytes || piece.text.is_empty() {
                return Ok(text);
            }
        }
    }
}

impl DocumentText {
    fn new(canonical: String, golden: Option<&Content>) -> Self {
        let aligned = match golden {
            Some(Content::Text { title, text }) => {
                let source = format!("{title}\n{text}");
                Some((Alignment::new(&canonical, &source), title.len() + 1))
            }
            Some(Content::File(_)) | None => None,
        };
        Self { canonical, aligned }
    }

    /// Whether a citation's quote is the bytes at its offsets.
    pub(super) fn holds(&self, citation: &Citation) -> bool {
        let span = Span { start: citation.start, end: citation.end };
        !span.is_empty() && span.of(&self.canonical) == Some(citation.quote.as_str())
    }

    /// Returns where a span stands in the text that the set's offsets count, `None` when it begins in the
    /// title.
    pub(super) fn in_set(&self, span: Span) -> Option<Span> {
        let Some((alignment, begins)) = &self.aligned else { return Some(span) };
        let source = alignment.to_source(span)?;
        let start = source.start.checked_sub(*begins)?;
        Some(Span { start, end: source.end - begins })
    }

    /// Returns the bytes of a place, `None` when it is not in the text.
    pub(super) fn bytes(&self, place: &Place) -> Option<Span> {
        match place {
            Place::Bytes(span) => Some(*span),
            Place::Quote(quote) => {
                let start = self.canonical.find(quote.as_str())?;
                self.in_set(Span { start, end: start + quote.len() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_shifts_the_offsets_of_the_text() {
        let content = Content::Text { title: "Über".into(), text: "one  two".into() };
        let text = DocumentText::new("Über\n\none two".into(), Some(&content));
        let start = text.canonical.find("two").unwrap();
        assert_eq!(text.in_set(Span { start, end: start + 3 }), Some(Span { start: 5, end: 8 }));
        assert_eq!(text.in_set(Span { start: 0, end: 3 }), None, "the title is not the text");
        assert_eq!(text.bytes(&Place::Quote("one".into())), Some(Span { start: 0, end: 3 }));
        assert_eq!(text.bytes(&Place::Quote("three".into())), None);
    }

    #[test]
    fn spans_of_files_count_the_canonical_text() {
        let text = DocumentText::new("one two".into(), Some(&Content::File("a.md".into())));
        let span = Span { start: 4, end: 7 };
        assert_eq!(text.in_set(span), Some(span));
        assert_eq!(text.bytes(&Place::Bytes(span)), Some(span));
    }
}
