//! The passages of an answer, read once, and the span of them that supports a claim best.

use std::{cmp::Reverse, collections::HashSet, fmt};

use super::{Claim, Support, judge::judge, reader::tokens, tokens::Token};
use crate::{
    passage::{Passage, Span},
    sentences::sentences,
};

/// Most neighbouring sentences that are taken as one span of support.
const MAX_WINDOW: usize = 3;
/// Spans of a passage that a claim is aligned with: those that share most words with it.
const ALIGNED_SPANS: usize = 4;
/// Share of a claim that a span must have words of to be looked at.
const MIN_OVERLAP: f32 = 0.2;
/// What a further sentence must add to a span, as a share of the claim.
const WORTH_A_SENTENCE: f32 = 0.02;

/// A semantic check: similarity of a claim and a text, 0 to 1. It must be fast and must not fail.
pub type Similarity<'a> = &'a (dyn Fn(&str, &str) -> f32 + Sync);

/// The passages an answer is checked against.
pub struct Evidence<'a> {
    passages: Vec<Prepared<'a>>,
    similarity: Option<Similarity<'a>>,
}

struct Prepared<'a> {
    passage: &'a Passage,
    sentences: Vec<(Span, Vec<Token>)>,
    /// The sentences among them that tell an answering machine what to say; they support nothing.
    instructions: Vec<bool>,
    /// Keys of all tokens of the passage, its headings and its document's name.
    known: HashSet<u64>,
}

impl fmt::Debug for Evidence<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Evidence({} passages)", self.passages.len())
    }
}

impl<'a> Evidence<'a> {
    /// Reads the passages.
    #[must_use]
    pub fn of(passages: &'a [Passage]) -> Self {
        Self { passages: passages.iter().map(prepare).collect(), similarity: None }
    }

    /// Adds a semantic check for claims in other words.
    #[must_use]
    pub fn with_similarity(mut self, similarity: Similarity<'a>) -> Self {
        self.similarity = Some(similarity);
        self
    }

    /// Returns the number of passages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Whether there is no passage.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// Returns passage `at` (from 0).
    pub(crate) fn passage(&self, at: usize) -> &'a Passage {
        self.passages[at].passage
    }

    /// Returns the span of passage `at` (from 0) that supports `sentence` best: one to three sentences, the
    /// shortest among equals. `None` when the sentence claims nothing or the passage has nothing of it.
    #[must_use]
    pub fn best_support(&self, sentence: &str, at: usize) -> Option<Support> {
        let prepared = self.passages.get(at)?;
        if let Some(span) = prepared.verbatim(sentence) {
            return Some(Support::verbatim(span));
        }
        let claim = Claim::of(sentence, &prepared.passage.language);
        let mut best = prepared.best_support(&claim)?;
        if !best.is_full() && best.conflict.is_none() {
            let text = best.span.of(&prepared.passage.text).unwrap_or_default();
            best.similarity = self.similarity.map(|similarity| similarity(sentence, text));
        }
        Some(best)
    }
}

fn prepare(passage: &Passage) -> Prepared<'_> {
    let language = passage.language.as_str();
    let read = |span: Span| (span, tokens(span.of(&passage.text).unwrap_or_default(), language));
    let spans = sentences(&passage.text);
    let instructions = passage.instructions(&spans);
    let sentences: Vec<(Span, Vec<Token>)> = spans.into_iter().map(read).collect();
    let headings = [&passage.heading, &passage.document_name];
    let headings = headings.into_iter().flat_map(|heading| tokens(heading, language));
    let all = sentences.iter().flat_map(|(_, tokens)| tokens.iter().cloned()).chain(headings);
    let known = all.flat_map(|token| token.keys).filter(|key| *key != 0).collect();
    Prepared { passage, sentences, instructions, known }
}

impl Prepared<'_> {
    /// Returns the sentence of the passage that is `sentence` letter by letter.
    fn verbatim(&self, sentence: &str) -> Option<Span> {
        let spans = self.sentences.iter().map(|(span, _)| *span).zip(&self.instructions);
        let mut spans = spans.filter(|(_, is_instruction)| !**is_instruction).map(|(span, _)| span);
        spans.find(|span| span.of(&self.passage.text) == Some(sentence))
    }

    fn best_support(&self, claim: &Claim) -> Option<Support> {
        if claim.is_empty() {
            return None;
        }
        let is_known = |token: &Token| token.keys.iter().any(|key| self.known.contains(key));
        let supports = self.candidates(claim).into_iter().map(|(first, last)| {
            let span =
                Span { start: self.sentences[first].0.start, end: self.sentences[last].0.end };
            let text: Vec<Token> = self.sentences[first..=last]
                .iter()
                .flat_map(|(_, tokens)| tokens.iter().cloned())
                .collect();
            Support::of(span, judge(&claim.tokens, &text, &is_known))
        });
        supports.max_by(|one, other| {
            rank(one).partial_cmp(&rank(other)).unwrap_or(std::cmp::Ordering::Equal)
        })
    }

    /// Returns the spans, as first and last sentence, that share most with the claim, each with at most
    /// [`MAX_WINDOW`] sentences.
    fn candidates(&self, claim: &Claim) -> Vec<(usize, usize)> {
        let wanted: Vec<&Token> = claim.tokens.iter().filter(|token| token.is_content()).collect();
        let total: f32 = wanted.iter().map(|token| token.weight()).sum();
        let held: Vec<Vec<bool>> = self
            .sentences
            .iter()
            .map(|(_, found)| {
                wanted.iter().map(|token| found.iter().any(|one| one.equals(token))).collect()
            })
            .collect();
        let mut spans: Vec<(f32, usize, usize)> = Vec::new();
        for first in 0..held.len() {
            for last in first..held.len().min(first + MAX_WINDOW) {
                if self.instructions[last] {
                    break;
                }
                let has = |at: usize| held[first..=last].iter().any(|sentence| sentence[at]);
                let overlap: f32 =
                    (0..wanted.len()).filter(|at| has(*at)).map(|at| wanted[at].weight()).sum();
                let length = u16::try_from(last - first).unwrap_or(u16::MAX);
                let score =
                    overlap / total.max(f32::MIN_POSITIVE) - WORTH_A_SENTENCE * f32::from(length);
                spans.push((score, first, last));
            }
        }
        spans.retain(|(score, ..)| *score >= MIN_OVERLAP);
        spans.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        spans.truncate(ALIGNED_SPANS);
        spans.into_iter().map(|(_, first, last)| (first, last)).collect()
    }
}

/// Full support first, then what says nothing otherwise, then coverage, then the shorter span.
fn rank(support: &Support) -> (bool, bool, f64, Reverse<usize>, Reverse<usize>) {
    let is_agreed = support.conflict.is_none();
    (
        support.is_full(),
        is_agreed,
        support.coverage,
        Reverse(support.doubts),
        Reverse(support.span.len()),
    )
}
