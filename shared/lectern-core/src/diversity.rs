//! Which of the ranked passages are returned: repetitions are left out, variety and a share for each
//! document are seen to where asked.
//!
//! What is alike is decided by words, not by vectors: the vectors of two hundred candidates would make
//! the index's answer larger by 0.3 MB (384 dimensions) to 2.4 MB (3 072) for every question.

mod words;

use std::collections::HashMap;

use self::words::{Fingerprint, Vocabulary};
use crate::{ids::DocumentId, passage::ScoredPassage, settings::Mmr};

/// Best passages among which MMR chooses, unless more are wanted.
pub const MMR_POOL: usize = 50;
/// Most passages that are chosen, whatever is asked for.
pub const MAX_CHOSEN: usize = 100;

/// What is wanted of a ranking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrangement {
    /// Most passages; most documents when grouped.
    pub limit: usize,
    /// Share of common pairs of neighbouring words from which a passage repeats a better one; 0 for never.
    pub collapse: f32,
    /// Maximal marginal relevance.
    pub mmr: Option<Mmr>,
    /// Most passages of one document.
    pub per_document: Option<usize>,
    /// Whether the passages of a document stand together, documents in the order of their best.
    pub grouped: bool,
}

/// Returns the places in `ranked` (best first) of the passages to return, in the order to return them.
///
/// A passage repeats another when both name the same numbers and share enough pairs of words: texts made
/// from one form, of which each says another number, are kept. Equal input gives equal output.
#[must_use]
pub fn arrange(ranked: &[ScoredPassage], wanted: &Arrangement) -> Vec<usize> {
    let mut chosen = Chosen::new(ranked, *wanted);
    match wanted.mmr {
        Some(mmr) => choose_by_mmr(ranked, mmr, wanted.limit, &mut chosen),
        None => chosen.offer_all(0..ranked.len()),
    }
    chosen.into_order()
}

/// What was chosen so far.
struct Chosen<'a> {
    ranked: &'a [ScoredPassage],
    wanted: Arrangement,
    places: Vec<usize>,
    fingerprints: Vec<Fingerprint>,
    documents: HashMap<&'a DocumentId, usize>,
}

impl<'a> Chosen<'a> {
    fn new(ranked: &'a [ScoredPassage], wanted: Arrangement) -> Self {
        let (places, fingerprints) = (Vec::new(), Vec::new());
        Self { ranked, wanted, places, fingerprints, documents: HashMap::new() }
    }

    fn is_full(&self) -> bool {
        let most = if self.wanted.grouped { MAX_CHOSEN } else { self.wanted.limit.min(MAX_CHOSEN) };
        self.places.len() >= most
    }

    /// Returns whether the passage was taken.
    fn offer(&mut self, place: usize) -> bool {
        let passage = &self.ranked[place].passage;
        let taken = self.documents.get(&passage.document_id).copied().unwrap_or(0);
        let is_new = taken == 0;
        let document_is_full = self.wanted.per_document.is_some_and(|most| taken >= most);
        let no_more_documents =
            self.wanted.grouped && is_new && self.documents.len() >= self.wanted.limit;
        if self.is_full() || document_is_full || no_more_documents {
            return false;
        }
        if self.wanted.collapse > 0.0 {
            let fingerprint = Fingerprint::of(&passage.text);
            let share = self.wanted.collapse;
            if self.fingerprints.iter().any(|other| fingerprint.repeats(other, share)) {
                return false;
            }
            self.fingerprints.push(fingerprint);
        }
        *self.documents.entry(&passage.document_id).or_default() += 1;
        self.places.push(place);
        true
    }

    fn offer_all(&mut self, places: std::ops::Range<usize>) {
        for place in places {
            if self.is_full() {
                return;
            }
            self.offer(place);
        }
    }

    fn into_order(self) -> Vec<usize> {
        let Self { ranked, wanted, mut places, .. } = self;
        if wanted.grouped {
            let mut order: HashMap<&DocumentId, usize> = HashMap::new();
            for place in &places {
                let next = order.len();
                order.entry(&ranked[*place].passage.document_id).or_insert(next);
            }
            places.sort_by_key(|place| order.get(&ranked[*place].passage.document_id).copied());
        }
        places
    }
}

/// Offers the best passages in the order of maximal marginal relevance, then the others by rank.
fn choose_by_mmr(ranked: &[ScoredPassage], mmr: Mmr, limit: usize, chosen: &mut Chosen<'_>) {
    let pool = ranked.len().min(limit.max(MMR_POOL));
    let relevance = relevance(&ranked[..pool]);
    let vocabulary = Vocabulary::of(ranked[..pool].iter().map(|found| found.passage.text.as_str()));
    let mut similarity = vec![0.0_f32; pool];
    let mut left: Vec<usize> = (0..pool).collect();
    while !left.is_empty() && !chosen.is_full() {
        let gain =
            |place: usize| mmr.lambda * relevance[place] - (1.0 - mmr.lambda) * similarity[place];
        // The first of equals: the order of the ranking.
        let best = (1..left.len())
            .fold(0, |best, at| if gain(left[at]) > gain(left[best]) { at } else { best });
        let place = left.remove(best);
        if chosen.offer(place) {
            for other in &left {
                let alike = vocabulary.similarity(place, *other);
                similarity[*other] = similarity[*other].max(alike);
            }
        }
    }
    chosen.offer_all(pool..ranked.len());
}

/// Returns the scores stretched to 0..1, so that lambda weighs like against like.
fn relevance(ranked: &[ScoredPassage]) -> Vec<f32> {
    let scores = ranked.iter().map(|found| found.score);
    let low = scores.clone().fold(f32::INFINITY, f32::min);
    let range = scores.clone().fold(f32::NEG_INFINITY, f32::max) - low;
    let place = |score: f32| if range > 0.0 { (score - low) / range } else { 1.0 };
    scores.map(place).collect()
}

#[cfg(test)]
#[path = "diversity/tests.rs"]
mod tests;
