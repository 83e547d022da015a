//! Verification: how a draft becomes an answer whose citations hold.
//!
//! The model's numbers are a hint. Each sentence is checked against the passages it cites, then
//! against the others; what supports it is cited at the exact span, what nothing supports is marked.
//! Numbers of passages that were not retrieved are dropped from the text.

mod markers;

use crate::{
    answer::{Answer, Citation, Draft, Mode, Sentence, Verdict},
    passage::{Passage, Span},
    settings::Unsupported,
    support::{Evidence, Support},
};

/// What a model replies, by instruction, when the passages do not answer.
pub const NO_ANSWER: &str = "NO_ANSWER";

/// Checks `draft` against the passages the model was given, numbered from 1 in this order; `policy` says
/// what happens to sentences that none of them supports.
#[must_use]
pub fn verify(draft: &Draft, passages: &[Passage], policy: Unsupported) -> Answer {
    verify_against(draft, &Evidence::of(passages), policy)
}

/// Checks `draft` against passages that were read before, numbered from 1.
///
/// A sentence is supported or supported in part when it cites, and only then. With [`Unsupported::Cut`] the
/// others are left out, with [`Unsupported::Refuse`] a single one refuses the answer. An answer of which nothing
/// is supported is a refusal whatever the policy.
#[must_use]
pub fn verify_against(draft: &Draft, evidence: &Evidence<'_>, policy: Unsupported) -> Answer {
    if draft.0.contains(NO_ANSWER) {
        return Answer::refusal(Mode::Generated);
    }
    let mut builder = Builder::default();
    let mut says_something = false;
    for written in markers::sentences_of(&draft.0) {
        let checked = check(&written, evidence);
        match (checked.verdict.says_something(), policy) {
            (false, Unsupported::Refuse) => return Answer::refusal(Mode::Generated),
            (false, Unsupported::Cut) => continue,
            (true, _) => says_something = true,
            (false, Unsupported::Mark) => {}
        }
        builder.push(&written, &checked, evidence);
    }
    if !says_something {
        return Answer::refusal(Mode::Generated);
    }
    Answer {
        answer: builder.text,
        sentences: builder.sentences,
        citations: builder.citations,
        refused: false,
        withheld: false,
        mode: Mode::Generated,
        confidence: None,
    }
}

struct Checked {
    verdict: Verdict,
    /// Passage (index) and span within its text.
    support: Vec<(usize, Span)>,
}

fn check(written: &markers::Written, evidence: &Evidence<'_>) -> Checked {
    let cited: Vec<usize> = written
        .cited
        .iter()
        .filter_map(|id| id.checked_sub(1))
        .filter(|at| *at < evidence.len())
        .collect();
    let cites_unknown = written.cited.len() > cited.len();
    let supports = |at: usize| -> Option<(usize, Support)> {
        evidence.best_support(&written.text, at).map(|support| (at, support))
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
    let others = (0..evidence.len()).filter(|at| !cited.contains(at)).filter_map(supports);
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
    fn push(&mut self, written: &markers::Written, checked: &Checked, evidence: &Evidence<'_>) {
        // The first sentence left has nothing before it to be set apart from.
        if !self.text.is_empty() {
            self.text.push_str(&written.gap);
        }
        let start = self.text.len();
        let mut ids = Vec::new();
        for (at, span) in &checked.support {
            ids.extend(self.cite(evidence.passage(*at), *span));
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
