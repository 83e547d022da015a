//! Verification: how a draft becomes an answer whose citations hold.
//!
//! The model's numbers are a hint. Each sentence is checked against the passages it cites, then
//! against the others; what supports it is cited at the exact span, what nothing supports is marked.
//! Numbers of passages that were not retrieved are dropped from the text.

mod markers;

use crate::{
    answer::{Answer, Citation, Draft, Mode, Sentence, Verdict},
    passage::{Passage, Span},
    support::{Claim, Support},
};

/// What a model replies, by instruction, when the passages do not answer.
pub const NO_ANSWER: &str = "NO_ANSWER";

/// Checks `draft` against the passages the model was given, numbered from 1 in this order.
#[must_use]
pub fn verify(draft: &Draft, passages: &[Passage]) -> Answer {
    if draft.0.contains(NO_ANSWER) {
        return Answer::refusal(Mode::Generated);
    }
    let mut builder = Builder::default();
    for written in markers::sentences_of(&draft.0) {
        let checked = check(&written, passages);
        builder.push(&written, &checked, passages);
    }
    let says_something =
        |sentence: &Sentence| matches!(sentence.verdict, Verdict::Supported | Verdict::Partial);
    if !builder.sentences.iter().any(says_something) {
        return Answer::refusal(Mode::Generated);
    }
    Answer {
        answer: builder.text,
        sentences: builder.sentences,
        citations: builder.citations,
        refused: false,
        mode: Mode::Generated,
        confidence: None,
    }
}

struct Checked {
    verdict: Verdict,
    /// Passage (index) and span within its text.
    support: Vec<(usize, Span)>,
}

fn check(written: &markers::Written, passages: &[Passage]) -> Checked {
    let cited: Vec<usize> = written
        .cited
        .iter()
        .filter_map(|id| id.checked_sub(1))
        .filter(|at| *at < passages.len())
        .collect();
    let cites_unknown = written.cited.len() > cited.len();
    let supports = |at: usize| -> Option<(usize, Support)> {
        let passage = &passages[at];
        let claim = Claim::of(&written.text, &passage.language);
        claim.best_support(&passage.text, &passage.language).map(|support| (at, support))
    };
    let from_cited: Vec<(usize, Support)> = cited.iter().filter_map(|at| supports(*at)).collect();
    let full: Vec<(usize, Span)> = from_cited
        .iter()
        .filter(|(_, support)| support.is_full())
        .map(|(at, support)| (*at, support.span))
        .collect();
    if !full.is_empty() {
        return Checked { verdict: Verdict::Supported, support: full };
    }
    // Nothing cited says it: another passage may, and then that one is the right citation.
    let others = (0..passages.len()).filter(|at| !cited.contains(at)).filter_map(supports);
    if let Some((at, support)) = others.filter(|(_, support)| support.is_full()).max_by(by_coverage)
    {
        return Checked { verdict: Verdict::Supported, support: vec![(at, support.span)] };
    }
    let partial =
        from_cited.into_iter().filter(|(_, support)| support.is_partial()).max_by(by_coverage);
    match partial {
        Some((at, support)) => {
            Checked { verdict: Verdict::Partial, support: vec![(at, support.span)] }
        }
        None if cites_unknown => Checked { verdict: Verdict::UnknownId, support: Vec::new() },
        None => Checked { verdict: Verdict::Unsupported, support: Vec::new() },
    }
}

fn by_coverage(one: &(usize, Support), other: &(usize, Support)) -> std::cmp::Ordering {
    one.1.coverage.total_cmp(&other.1.coverage)
}

#[derive(Default)]
struct Builder {
    text: String,
    sentences: Vec<Sentence>,
    citations: Vec<Citation>,
}

impl Builder {
    fn push(&mut self, written: &markers::Written, checked: &Checked, passages: &[Passage]) {
        self.text.push_str(&written.gap);
        let start = self.text.len();
        let mut ids = Vec::new();
        for (at, span) in &checked.support {
            ids.extend(self.cite(&passages[*at], *span));
        }
        // Numbers stand before the closing full stop, as in `… at 03:00 UTC [1].`
        let (body, stop) = markers::split_stop(&written.text);
        self.text.push_str(body);
        for (position, id) in ids.iter().enumerate() {
            self.text.push_str(if position == 0 { " " } else { "" });
            self.text.push_str(&format!("[{id}]"));
        }
        self.text.push_str(stop);
        let end = self.text.len();
        self.sentences.push(Sentence { start, end, citations: ids, verdict: checked.verdict });
    }

    /// Returns the id of the citation of `span`, made once per place.
    fn cite(&mut self, passage: &Passage, span: Span) -> Option<u32> {
        let id = u32::try_from(self.citations.len() + 1).ok()?;
        let citation = Citation::of(id, passage, span)?;
        let same = |known: &&Citation| {
            (&known.document_id, known.version, known.start, known.end)
                == (&citation.document_id, citation.version, citation.start, citation.end)
        };
        if let Some(known) = self.citations.iter().find(same) {
            return Some(known.id);
        }
        self.citations.push(citation);
        Some(id)
    }
}

#[cfg(test)]
mod tests;
