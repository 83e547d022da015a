//! What is measured of a sentence, and of the best sentence of a question, before weighing.

use super::{
    candidates::{Candidate, Candidates},
    wanted::Wanted,
};
use crate::support::Claim;

/// What is measured of a sentence, in order.
pub const SENTENCE: [&str; 18] = [
    "own",
    "heaviest",
    "near",
    "elsewhere",
    "cosine",
    "relative",
    "rank",
    "length",
    "new_terms",
    "first",
    "quantity_number",
    "quantity_word",
    "time_time",
    "time_number",
    "person_names",
    "place_names",
    "names",
    "numbers",
];
/// What is measured of a question's best sentence, in order.
pub const QUESTION: [&str; 29] = [
    "own",
    "near",
    "cosine",
    "best_cosine",
    "own_cosine",
    "missing_in_passage",
    "missing_everywhere",
    "heaviest_missing",
    "terms_missing",
    "terms",
    "names_missing_in_sentence",
    "names_missing_in_passage",
    "numbers_missing_in_sentence",
    "numbers_missing_in_passage",
    "negated",
    "negation_differs",
    "offered",
    "probability",
    "gap",
    "relative",
    "best_own",
    "own_squared",
    "cosine_squared",
    "length",
    "held",
    "held_in_passage",
    "best_passage",
    "own_terms",
    "missing_everywhere_squared",
];

/// Returns [`SENTENCE`] of a candidate.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(super) fn of_sentence(
    all: &Candidates<'_>,
    candidate: &Candidate<'_>,
) -> [f64; SENTENCE.len()] {
    let own = all.share(|term| candidate.terms.contains(term));
    let near =
        all.share(|term| !candidate.terms.contains(term) && candidate.context.contains(term));
    let passage = &all.passages[candidate.rank];
    let elsewhere = all.share(|term| {
        passage.contains(term)
            && !candidate.terms.contains(term)
            && !candidate.context.contains(term)
    });
    let asked = &all.asked;
    let new_terms = candidate.terms.iter().filter(|term| !asked.terms.contains(*term)).count();
    let flag = |on: bool| f64::from(u8::from(on));
    let wants = |wanted: Wanted| flag(asked.wanted == wanted);
    let numbers = flag(candidate.offer.new_numbers(&asked.offer) > 0);
    let number_words = flag(candidate.offer.new_number_words(&asked.offer) > 0);
    let times = flag(candidate.offer.new_times(&asked.offer) > 0);
    let names = candidate.offer.new_names(&asked.offer).min(4) as f64;
    [
        own,
        heaviest(all, |term| candidate.terms.contains(term)),
        near,
        elsewhere,
        candidate.cosine.unwrap_or(0.0),
        candidate.relative,
        candidate.rank as f64,
        (1.0 + candidate.span.len() as f64).ln(),
        new_terms.min(12) as f64,
        flag(candidate.is_first),
        wants(Wanted::Quantity) * numbers,
        wants(Wanted::Quantity) * number_words,
        wants(Wanted::Time) * times,
        wants(Wanted::Time) * numbers,
        wants(Wanted::Person) * names,
        wants(Wanted::Place) * names,
        names,
        numbers,
    ]
}

/// Returns the weight of the heaviest question term for which `holds`, as a share of the most a term can weigh.
#[expect(clippy::cast_precision_loss, reason = "a few hundred sentences")]
fn heaviest(all: &Candidates<'_>, holds: impl Fn(&str) -> bool) -> f64 {
    let held = all.information.iter().filter(|(term, _)| holds(term));
    held.map(|(_, weight)| *weight).fold(0.0, f64::max) / (1.0 + all.sentences.len() as f64).ln()
}

/// Returns [`QUESTION`] for the best of scored candidates (score and position, best first).
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(super) fn of_question(all: &Candidates<'_>, scored: &[(f64, usize)]) -> [f64; QUESTION.len()] {
    let Some((score, best)) = scored.first().copied() else { return [0.0; QUESTION.len()] };
    let candidate = &all.sentences[best];
    let asked = &all.asked;
    let passage = &all.passages[candidate.rank];
    let own = all.share(|term| candidate.terms.contains(term));
    let near =
        all.share(|term| !candidate.terms.contains(term) && candidate.context.contains(term));
    let cosine = candidate.cosine.unwrap_or(0.0);
    let cosines = all.sentences.iter().filter_map(|candidate| candidate.cosine);
    let best_own = all.sentences.iter().map(|other| all.share(|term| other.terms.contains(term)));
    let heaviest_missing = heaviest(all, |term| !candidate.terms.contains(term));
    let terms_missing = asked.terms.iter().filter(|term| !candidate.terms.contains(*term)).count();
    let passage_words = super::wanted::Offer::of(&candidate.passage.text).words;
    let lacking = |mine: &std::collections::HashSet<String>,
                   words: &std::collections::HashSet<String>| {
        mine.iter().filter(|word| !words.contains(*word)).count().min(3) as f64
    };
    let words = &candidate.offer.words;
    let offered = match asked.wanted {
        Wanted::Quantity => {
            candidate.offer.new_numbers(&asked.offer)
                + candidate.offer.new_number_words(&asked.offer)
                > 0
        }
        Wanted::Time => {
            candidate.offer.new_times(&asked.offer) + candidate.offer.new_numbers(&asked.offer) > 0
        }
        Wanted::Person | Wanted::Place => candidate.offer.new_names(&asked.offer) > 0,
        Wanted::Other => true,
    };
    let missing_everywhere =
        all.share(|term| all.passages.iter().all(|passage| !passage.contains(term)));
    let flag = |on: bool| f64::from(u8::from(on));
    let exponentials: f64 = scored.iter().map(|(other, _)| (other - score).exp()).sum();
    let negation_differs = Claim::of(candidate.text(), all.language).denies() != asked.negated;
    [
        own,
        near,
        cosine,
        cosines.fold(0.0, f64::max),
        own * cosine,
        all.share(|term| !passage.contains(term)),
        missing_everywhere,
        heaviest_missing,
        terms_missing.min(12) as f64,
        asked.terms.len().min(20) as f64,
        lacking(&asked.offer.names, words),
        lacking(&asked.offer.names, &passage_words),
        lacking(&asked.offer.numbers, words),
        lacking(&asked.offer.numbers, &passage_words),
        flag(asked.negated),
        flag(negation_differs),
        flag(offered),
        1.0 / exponentials.max(1.0),
        scored.get(1).map_or(0.0, |(second, _)| score - second),
        candidate.relative,
        best_own.fold(0.0, f64::max),
        own * own,
        cosine * cosine,
        (1.0 + candidate.span.len() as f64).ln(),
        (asked.terms.len() - terms_missing).min(12) as f64,
        asked.terms.iter().filter(|term| passage.contains(*term)).count().min(12) as f64,
        all.passages
            .iter()
            .map(|passage| all.share(|term| passage.contains(term)))
            .fold(0.0, f64::max),
        own * (1.0 + asked.terms.len() as f64).ln(),
        missing_everywhere * missing_everywhere,
    ]
}
