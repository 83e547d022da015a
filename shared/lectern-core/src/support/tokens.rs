//! What sentences are compared by: numbers by value, units by one name, words by stem.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::numbers::MAX_READINGS;

/// What a token is, as far as it is checked differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Month,
    Unit,
    /// Capitalised within a sentence, or a mixture of letters and digits.
    Name,
    Word,
    /// A stop word.
    Function,
}

/// What a token does to the words beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    Denies,
    Restricts,
}

/// A token of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// What it is compared by: equal when one is shared. 0 is none.
    pub(super) keys: [u64; MAX_READINGS],
    /// The word, normalised.
    pub(super) word: String,
    pub(super) kind: Kind,
    pub(super) cue: Option<Cue>,
    /// Written with a capital letter.
    pub(super) is_capital: bool,
    /// Written in a language that gives every noun a capital letter.
    pub(super) is_noun: bool,
    /// Its script has no capitals, so that names look like words.
    pub(super) is_caseless: bool,
    /// One character of a script without spaces.
    pub(super) is_unspaced: bool,
    /// Punctuation or a sentence's beginning stands before it.
    pub(super) opens: bool,
    /// First of its sentence.
    pub(super) is_first: bool,
}

impl Token {
    /// Whether both mean the same.
    pub(super) fn equals(&self, other: &Token) -> bool {
        self.keys.iter().any(|key| *key != 0 && other.keys.contains(key))
    }

    /// Whether it says something by itself.
    pub(super) fn is_content(&self) -> bool {
        self.kind != Kind::Function
    }

    /// Returns how much it counts.
    pub(super) fn weight(&self) -> f32 {
        let weight = match self.kind {
            Kind::Number | Kind::Name => 1.2,
            Kind::Month | Kind::Word => 1.0,
            Kind::Unit => 0.8,
            Kind::Function => 0.3,
        };
        if self.is_unspaced { weight * 0.5 } else { weight }
    }

    pub(super) fn number(values: &[f64], word: String) -> Self {
        let mut keys = [0; MAX_READINGS];
        for (key, value) in keys.iter_mut().zip(values) {
            *key = number_key(*value);
        }
        Self::of(keys, word, Kind::Number)
    }

    pub(super) fn month(months: &[u32], word: String) -> Self {
        let mut keys = [0; MAX_READINGS];
        for (key, month) in keys.iter_mut().zip(months) {
            *key = key_of("month", &month.to_string());
        }
        Self::of(keys, word, Kind::Month)
    }

    pub(super) fn unit(name: &str) -> Self {
        Self::of([key_of("unit", name), 0], name.to_owned(), Kind::Unit)
    }

    pub(super) fn of(keys: [u64; MAX_READINGS], word: String, kind: Kind) -> Self {
        Self {
            keys,
            word,
            kind,
            cue: None,
            is_capital: false,
            is_noun: false,
            is_caseless: false,
            is_unspaced: false,
            opens: false,
            is_first: false,
        }
    }
}

pub(super) fn key_of(space: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (space, text).hash(&mut hasher);
    hasher.finish().max(1)
}

pub(super) fn number_key(value: f64) -> u64 {
    key_of("number", &format!("{value:.6}"))
}
