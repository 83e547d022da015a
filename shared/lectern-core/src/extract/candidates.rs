//! The sentences that may answer, and what of the question each of them holds.

use std::collections::{BTreeMap, HashSet};

use super::wanted::{Offer, Wanted};
use crate::{
    analysis::{self, is_in_latin_letters},
    passage::{Passage, ScoredPassage, Span},
    question::Question,
    sentences::sentences,
    support::Claim,
};

/// Most passages whose sentences compete.
pub const MAX_PASSAGES: usize = 8;
/// Most sentences that compete.
pub const MAX_CANDIDATES: usize = 400;

/// The question as far as words show it.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its content terms.
    pub(super) terms: HashSet<String>,
    /// Its numbers, names and words.
    pub(super) offer: Offer,
    /// What kind of answer it wants.
    pub(super) wanted: Wanted,
    /// Whether it denies something.
    pub(super) negated: bool,
}

impl Asked {
    fn of(question: &Question, language: &str) -> Self {
        let text = question.as_str();
        Self {
            terms: analysis::content_terms(text, language).into_iter().collect(),
            offer: Offer::of(text),
            wanted: Wanted::of(text),
            negated: Claim::of(text, language).denies(),
        }
    }
}

/// A sentence that may answer.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) passage: &'a Passage,
    /// Number of the passage, best first.
    pub(super) rank: usize,
    /// The passage's score as a share of the best one's.
    pub(super) relative: f64,
    /// Where it stands in the passage's text.
    pub(super) span: Span,
    /// Whether the passage begins with it.
    pub(super) is_first: bool,
    pub(super) terms: HashSet<String>,
    /// Terms of its headings and of the sentences beside it.
    pub(super) context: HashSet<String>,
    pub(super) offer: Offer,
    /// Cosine to the question, once compared.
    pub(super) cosine: Option<f64>,
}

impl Candidate<'_> {
    pub(super) fn text(&self) -> &str {
        self.span.of(&self.passage.text).unwrap_or("")
    }
}

/// Everything that is compared for one question.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    pub(super) asked: Asked,
    pub(super) sentences: Vec<Candidate<'a>>,
    /// The terms of each passage with its headings, by rank.
    pub(super) passages: Vec<HashSet<String>>,
    /// Weight of each question term; see [`information`].
    pub(super) information: BTreeMap<String, f64>,
    /// Sum of the weights.
    pub(super) total: f64,
    /// Language of the best passage.
    pub(super) language: &'a str,
    /// Whether the best passage is written in Latin letters.
    pub(super) is_in_latin_letters: bool,
}

impl<'a> Candidates<'a> {
    pub(super) fn of(question: &Question, found: &'a [ScoredPassage]) -> Self {
        let language = found.first().map_or("und", |best| best.passage.language.as_str());
        let is_in_latin_letters =
            found.first().is_some_and(|best| is_in_latin_letters(&best.passage.text));
        let asked = Asked::of(question, language);
        let best = found.iter().map(|found| f64::from(found.score)).fold(0.0, f64::max);
        let mut candidates = Vec::new();
        let mut passages = Vec::new();
        for (rank, found) in found.iter().take(MAX_PASSAGES).enumerate() {
            let relative = if best > 0.0 { (f64::from(found.score) / best).max(0.0) } else { 0.0 };
            passages.push(add(&found.passage, rank, relative, &mut candidates));
        }
        candidates.truncate(MAX_CANDIDATES);
        let information = information(&asked.terms, &candidates);
        let total = information.values().sum();
        Self {
            asked,
            sentences: candidates,
            passages,
            information,
            total,
            language,
            is_in_latin_letters,
        }
    }

    /// Returns the share of the question's information that is in terms for which `holds`.
    pub(super) fn share(&self, holds: impl Fn(&str) -> bool) -> f64 {
        if self.total <= 0.0 {
            return 0.0;
        }
        // A sorted map: the same input is added in the same order and gives the same bits.
        let held = self.information.iter().filter(|(term, _)| holds(term));
        held.map(|(_, weight)| *weight).sum::<f64>() / self.total
    }
}

/// Adds the sentences of a passage and returns all its terms.
fn add<'a>(
    passage: &'a Passage,
    rank: usize,
    relative: f64,
    candidates: &mut Vec<Candidate<'a>>,
) -> HashSet<String> {
    let terms = |text: &str| -> HashSet<String> {
        analysis::content_terms(text, &passage.language).into_iter().collect()
    };
    let heading = terms(&passage.heading);
    let spans = sentences(&passage.text);
    let each: Vec<HashSet<String>> =
        spans.iter().map(|span| terms(span.of(&passage.text).unwrap_or(""))).collect();
    let instructions = passage.instructions(&spans);
    for (at, span) in spans.iter().enumerate() {
        let text = span.of(&passage.text).unwrap_or("");
        if instructions[at] {
            // What a machine is told to say is no answer.
            continue;
        }
        if spans.len() > 1 && passage.heading.split(" › ").any(|heading| heading == text) {
            // A heading says what follows is about, not what is so.
            continue;
        }
        let mut context = heading.clone();
        for near in [at.checked_sub(1), Some(at + 1)].into_iter().flatten() {
            context.extend(each.get(near).into_iter().flatten().cloned());
        }
        candidates.push(Candidate {
            passage,
            rank,
            relative,
            span: *span,
            is_first: at == 0,
            terms: each[at].clone(),
            context,
            offer: Offer::of(text),
            cosine: None,
        });
    }
    let mut all = heading;
    all.extend(each.into_iter().flatten());
    all
}

/// Returns the weight of each question term: ln(1 + N / n) over the N candidate sentences, n of which hold
/// it (a local inverse document frequency, Spärck Jones 1972). A term that occurs nowhere weighs most: it is
/// what the passages fail to say.
#[expect(clippy::cast_precision_loss, reason = "a few hundred sentences")]
fn information(asked: &HashSet<String>, candidates: &[Candidate<'_>]) -> BTreeMap<String, f64> {
    let total = candidates.len() as f64;
    let weight = |term: &String| {
        let holding = candidates.iter().filter(|candidate| candidate.terms.contains(term)).count();
        (1.0 + total / (holding.max(1)) as f64).ln()
    };
    asked.iter().map(|term| (term.clone(), weight(term))).collect()
}
