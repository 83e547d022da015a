//! The words of a text in order, each with its place: for comparing texts word by word.

use unicode_segmentation::UnicodeSegmentation;

use super::{
    is_empty_word, stems,
    words::{Unit, is_unspaced, words},
};
use crate::passage::Span;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// Where it stands.
    pub span: Span,
    /// The word, normalised.
    pub word: String,
    /// The term its language's stemmer makes of it.
    pub term: String,
    /// Whether it is a stop word.
    pub is_function: bool,
    /// Whether it is one character of a script without spaces.
    pub is_unspaced: bool,
}

/// Returns the words of `text` in order, with repetitions and stop words, analysed by `language`. Scripts without
/// spaces give each character.
#[must_use]
pub fn lexemes(text: &str, language: &str) -> Vec<Lexeme> {
    let mut found = Vec::new();
    for (start, surface) in text.unicode_word_indices() {
        if surface.starts_with(is_unspaced) {
            for (at, cluster) in surface.grapheme_indices(true) {
                found.extend(lexeme(start + at, cluster, language, true));
            }
        } else {
            found.extend(lexeme(start, surface, language, false));
        }
    }
    found
}

/// Returns the word at `start`; of those a compound is indexed under (`example.com`) the longest.
fn lexeme(start: usize, surface: &str, language: &str, is_unspaced: bool) -> Option<Lexeme> {
    let parts = words(surface).into_iter().filter(|word| word.unit != Unit::Pair);
    let word = parts.max_by_key(|word| word.text.len())?;
    Some(Lexeme {
        span: Span { start, end: start + surface.len() },
        term: stems::document_term(&word, language),
        is_function: is_empty_word(&word, &[language]),
        word: word.text,
        is_unspaced,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_places() {
        let text = "The backups’ 数据";
        let found = lexemes(text, "eng");
        let told: Vec<(&str, &str, bool)> = found
            .iter()
            .map(|word| (word.span.of(text).unwrap(), word.term.as_str(), word.is_function))
            .collect();
        let expected = [
            ("The", "the", true),
            ("backups", "backup", false),
            ("数", "数", false),
            ("据", "据", false),
        ];
        assert_eq!(told, expected);
    }
}
