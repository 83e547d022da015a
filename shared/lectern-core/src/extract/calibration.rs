//! Weights learned from judged questions; how and from which stands in docs/EVALUATION.md.
//!
//! Sentences are ordered by a linear score, fitted so that its softmax over a question's candidates gives the
//! sentences that hold a judged answer the most probability (ListNet with k = 1, Cao et al. 2007). Two
//! logistic regressions read what is measured of the best sentence: the relevance tells questions these documents
//! are about from questions about something else, and decides refusals; the confidence tells answered questions
//! from near misses as well, and is reported.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::features::{QUESTION, SENTENCE};

const WEIGHTS: &str = include_str!("calibration.json");
/// Stands for every language without a threshold of its own.
const ANY_LANGUAGE: &str = "*";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sentence: BTreeMap<String, f64>,
    confidence: Logistic,
    relevance: Logistic,
    /// By ISO 639-3 code; `*` is every other language.
    refuse_below: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logistic {
    intercept: f64,
    weights: BTreeMap<String, f64>,
}

/// What sentences were compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Compared {
    /// By words.
    Words,
    /// By words and meaning, in the language the embedding model was made for.
    Meaning,
    /// By words and meaning, in another language.
    MeaningElsewhere,
}

/// One set of weights.
#[derive(Debug)]
pub(super) struct Calibration {
    sentence: [f64; SENTENCE.len()],
    confidence: (f64, [f64; QUESTION.len()]),
    relevance: (f64, [f64; QUESTION.len()]),
    refuse_below: BTreeMap<String, f64>,
}

static ALL: LazyLock<BTreeMap<Compared, Calibration>> = LazyLock::new(|| {
    let written: BTreeMap<Compared, Written> =
        serde_json::from_str(WEIGHTS).expect("calibration.json is tested");
    written.iter().map(|(compared, written)| (*compared, Calibration::of(written))).collect()
});

impl Calibration {
    /// Returns the weights for what was compared.
    pub(super) fn get(compared: Compared) -> &'static Self {
        &ALL[&compared]
    }

    fn of(written: &Written) -> Self {
        let of =
            |weights: &BTreeMap<String, f64>, name: &str| weights.get(name).copied().unwrap_or(0.0);
        let logistic = |written: &Logistic| {
            (written.intercept, QUESTION.map(|name| of(&written.weights, name)))
        };
        Self {
            sentence: SENTENCE.map(|name| of(&written.sentence, name)),
            confidence: logistic(&written.confidence),
            relevance: logistic(&written.relevance),
            refuse_below: written.refuse_below.clone(),
        }
    }

    /// Returns a sentence's score: comparable within one question, e^score being relative odds.
    pub(super) fn score(&self, features: &[f64; SENTENCE.len()]) -> f64 {
        dot(&self.sentence, features)
    }

    /// Returns the relevance below which a question of documents in `language` is refused. How much of a question
    /// stands in its answer depends on how a language builds words; where nothing was measured, the lower quartile holds.
    pub(super) fn refuse_below(&self, language: &str) -> f64 {
        let least = self.refuse_below.get(language).or_else(|| self.refuse_below.get(ANY_LANGUAGE));
        least.copied().unwrap_or_default()
    }

    /// Returns the probability that the best sentence answers the question, near misses considered.
    pub(super) fn confidence(&self, features: &[f64; QUESTION.len()]) -> f64 {
        logistic(&self.confidence, features)
    }

    /// Returns the probability that the passages are about what is asked.
    pub(super) fn relevance(&self, features: &[f64; QUESTION.len()]) -> f64 {
        logistic(&self.relevance, features)
    }
}

fn logistic((intercept, weights): &(f64, [f64; QUESTION.len()]), features: &[f64]) -> f64 {
    1.0 / (1.0 + (-(intercept + dot(weights, features))).exp())
}

fn dot(weights: &[f64], features: &[f64]) -> f64 {
    weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_is_for_something_that_is_measured() {
        let all: BTreeMap<Compared, Written> = serde_json::from_str(WEIGHTS).unwrap();
        assert_eq!(all.len(), 3);
        for written in all.values() {
            assert!(written.sentence.keys().all(|name| SENTENCE.contains(&name.as_str())));
            for logistic in [&written.confidence, &written.relevance] {
                assert!(logistic.weights.keys().all(|name| QUESTION.contains(&name.as_str())));
            }
            assert!(written.refuse_below.values().all(|least| (0.0..1.0).contains(least)));
            assert!(written.refuse_below.contains_key(ANY_LANGUAGE));
        }
    }
}
