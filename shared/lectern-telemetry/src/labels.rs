//! What may stand in a label. Each different value is a time series that somebody stores, and on CloudWatch pays for.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Most words that are not written in this source: routes, and models of the settings.
pub const MAX_WORDS: usize = 256;
/// What stands for one more than those.
pub const OTHER: &str = "other";
/// Longest of them in bytes.
const MAX_WORD_BYTES: usize = 128;

static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Returns `word` as a label. For what comes from the program's routes or its settings, never from a request: the first
/// [`MAX_WORDS`] are kept for good, all others are [`OTHER`].
#[must_use]
pub fn word(word: &str) -> &'static str {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(word) {
        return known;
    }
    if words.len() >= MAX_WORDS || word.len() > MAX_WORD_BYTES {
        return OTHER;
    }
    let kept: &'static str = Box::leak(word.to_owned().into_boxed_str());
    words.insert(kept);
    kept
}

/// Returns a status of HTTP as a label: those of three digits.
#[must_use]
pub fn status(code: u16) -> &'static str {
    if (100..1_000).contains(&code) { word(&code.to_string()) } else { OTHER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_once_and_up_to_a_bound() {
        let first = word("/v1/query");
        let same = String::from("/v1/query");
        assert!(std::ptr::eq(first, word(&same)));
        assert_eq!(word(&"x".repeat(MAX_WORD_BYTES + 1)), OTHER);
        let many: Vec<&str> = (0..2 * MAX_WORDS).map(|at| word(&format!("word {at}"))).collect();
        assert_eq!(
            many.iter().filter(|word| **word == OTHER).count(),
            many.len() - (MAX_WORDS - 1)
        );
        assert_eq!(word("/v1/query"), "/v1/query");
    }
}
