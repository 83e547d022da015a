//! The words and marks of a folded sentence.

use std::ops::Range;

use super::{
    lexicon::is_word,
    senses::{self, Sense},
};

/// Most tokens of a sentence.
const MAX_TOKENS: usize = 160;
/// Longest ending after an apostrophe, in letters.
const MAX_ENDING: usize = 2;
/// What a number of a few digits, and one of many, are read as: it matters that it is one, not which.
const NUMBERS: [&str; 2] = ["0", "2000"];
/// Digits of a long number.
const LONG_NUMBER: usize = 4;

/// A word, or a mark.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Its bytes of the text.
    pub(super) range: Range<usize>,
    /// Its spelling, hashed.
    pub(super) word: u64,
    pub(super) sense: Sense,
}

/// Returns the tokens of `text` within `range`.
pub(super) fn tokens(text: &str, range: &Range<usize>) -> Vec<Token> {
    let sentence = &text[range.clone()];
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = sentence[at..].chars().next() {
        if found.len() == MAX_TOKENS {
            break;
        }
        let end = at + if is_word(c) { word_length(&sentence[at..]) } else { c.len_utf8() };
        if !c.is_whitespace() && c != '_' {
            found.push(Token::of(&sentence[at..end], range.start + at));
        }
        at = end;
    }
    found
}

/// Returns the bytes of the word that `text` begins with, an ending after an apostrophe included.
fn word_length(text: &str) -> usize {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let Some(after) = text[end..].strip_prefix('\'') else { return end };
    let ending = after.find(|c| !is_word(c)).unwrap_or(after.len());
    if (1..=MAX_ENDING).contains(&ending) { end + 1 + ending } else { end }
}

impl Token {
    fn of(spelling: &str, start: usize) -> Self {
        let range = start..start + spelling.len();
        let read = if spelling.bytes().all(|byte| byte.is_ascii_digit()) {
            NUMBERS[usize::from(spelling.len() >= LONG_NUMBER)]
        } else {
            spelling
        };
        Self { range, word: hashed(read), sense: senses::of(read) }
    }
}

/// Returns the FNV-1a hash of a word.
fn hashed(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        let whole = 0..text.len();
        tokens(text, &whole).into_iter().map(|token| &text[token.range]).collect()
    }

    #[test]
    fn words_marks_and_signs_stand_apart() {
        assert_eq!(of("don't say: \"5 %\""), ["don't", "say", ":", "\"", "5", "%", "\""]);
        assert_eq!(of("给ai的"), ["给", "ai", "的"]);
    }

    #[test]
    fn numbers_are_alike_and_long_sentences_are_cut() {
        let text = "12 7 1999 2024";
        let found = tokens(text, &(0..text.len()));
        assert!(found[0].word == found[1].word && found[1].word != found[2].word);
        assert_eq!(of(&"a ".repeat(2 * MAX_TOKENS)).len(), MAX_TOKENS);
    }
}
