//! Which words mean about the same, so that what was learned of one holds for the others.
//!
//! A line of the file is a narrow sense: the number of the wide sense it belongs to, and its words.

use std::{collections::HashMap, sync::LazyLock};

const FILE: &str = include_str!("senses.txt");
/// Endings of words that the file may hold without.
const ENDINGS: &[&str] = &["'s", "s", "es", "ed", "d", "ing", "ly"];
/// Fewest letters of a word without its ending.
const MIN_STEM: usize = 3;

/// The sense of a word; 0 is that of words that are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sense {
    pub(super) narrow: u16,
    pub(super) wide: u16,
}

static SENSES: LazyLock<HashMap<&'static str, Sense>> = LazyLock::new(|| {
    let mut senses = HashMap::new();
    for (narrow, line) in (1..).zip(FILE.lines().filter(|line| !line.starts_with('#'))) {
        let mut words = line.split(' ');
        let wide = words.next().and_then(|wide| wide.parse().ok()).unwrap_or_default();
        senses.extend(words.map(|word| (word, Sense { narrow, wide })));
    }
    senses
});

/// Returns the sense of a folded word.
pub(super) fn of(word: &str) -> Sense {
    let known = |word: &str| SENSES.get(word).copied();
    let stem = |ending: &&str| {
        let stem = word.strip_suffix(*ending).filter(|stem| stem.len() >= MIN_STEM)?;
        known(stem)
    };
    known(word).or_else(|| ENDINGS.iter().find_map(stem)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_with_their_endings() {
        assert_ne!(of("chatbot"), Sense::default());
        assert_eq!(of("chatbot's"), of("chatbot"));
        assert_eq!(of("zzqxv"), Sense::default());
    }
}
