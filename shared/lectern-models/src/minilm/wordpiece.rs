//! Text to token ids, as BERT's uncased tokeniser does: clean, strip accents, lower, split at white space and
//! punctuation, then the longest known piece first (Wu et al., arXiv:1609.08144).
//!
//! Equal to Hugging Face's `BertNormalizer`, `BertPreTokenizer` and `WordPiece` with `vocab.txt`, except for some
//! 950 rare characters that newer versions of Unicode class differently (theirs is older), and except that
//! `[CLS]`, `[SEP]` and the like in a text are ordinary characters: a document cannot smuggle in structure.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::files::ModelError;

/// A word of more characters than this becomes one unknown token.
const MAX_WORD_CHARS: usize = 100;
/// What marks a piece that continues a word.
const CONTINUATION: &str = "##";

/// A WordPiece vocabulary.
#[derive(Debug)]
pub(super) struct WordPiece {
    /// Pieces that begin a word.
    beginnings: HashMap<Box<str>, u32>,
    /// Pieces that continue one, without their mark.
    continuations: HashMap<Box<str>, u32>,
    unknown: u32,
    start: u32,
    end: u32,
}

impl WordPiece {
    /// Returns the vocabulary whose entries are the lines of `vocabulary`; an entry's id is its line from 0.
    ///
    /// # Errors
    /// When `[UNK]`, `[CLS]` or `[SEP]` is absent.
    pub(super) fn parse(vocabulary: &str) -> Result<Self, ModelError> {
        let mut beginnings = HashMap::new();
        let mut continuations = HashMap::new();
        for (line, id) in vocabulary.lines().zip(0_u32..) {
            match line.strip_prefix(CONTINUATION) {
                Some(piece) if !piece.is_empty() => continuations.insert(piece.into(), id),
                _ => beginnings.insert(line.into(), id),
            };
        }
        let special =
            |name: &'static str| beginnings.get(name).copied().ok_or(ModelError::Vocabulary(name));
        let (unknown, start, end) = (special("[UNK]")?, special("[CLS]")?, special("[SEP]")?);
        Ok(Self { beginnings, continuations, unknown, start, end })
    }

    /// Returns the ids of `text` between `[CLS]` and `[SEP]`, at most `limit` with these two. Reads no more of
    /// the text than fills the limit.
    pub(super) fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        let room = limit.saturating_sub(2);
        let mut ids = vec![self.start];
        let mut word = String::new();
        for character in normalised(text) {
            if ids.len() > room {
                break;
            }
            let stands_alone = is_punctuation(character) || is_ideograph(character);
            if !stands_alone && !character.is_whitespace() {
                word.push(character);
                continue;
            }
            self.push_word(&word, &mut ids);
            word.clear();
            if stands_alone {
                self.push_word(character.encode_utf8(&mut [0; 4]), &mut ids);
            }
        }
        self.push_word(&word, &mut ids);
        ids.truncate(room + 1);
        ids.push(self.end);
        ids
    }

    fn push_word(&self, word: &str, ids: &mut Vec<u32>) {
        let before = ids.len();
        let mut rest = word;
        if word.len() > MAX_WORD_CHARS && word.chars().count() > MAX_WORD_CHARS {
            ids.push(self.unknown);
            return;
        }
        while !rest.is_empty() {
            let known =
                if rest.len() == word.len() { &self.beginnings } else { &self.continuations };
            let Some((id, length)) = longest_prefix(known, rest) else {
                ids.truncate(before);
                ids.push(self.unknown);
                return;
            };
            ids.push(id);
            rest = &rest[length..];
        }
    }
}

fn longest_prefix(known: &HashMap<Box<str>, u32>, text: &str) -> Option<(u32, usize)> {
    let ends = text.char_indices().rev().map(|(start, character)| start + character.len_utf8());
    ends.filter_map(|end| known.get(&text[..end]).map(|id| (*id, end))).next()
}

/// Returns the characters of `text` cleaned, decomposed without their accents, and in lower case.
fn normalised(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|character| !is_removed(*character))
        .nfd()
        .filter(|character| character.general_category() != GeneralCategory::NonspacingMark)
        .flat_map(char::to_lowercase)
}

fn is_removed(character: char) -> bool {
    let white_space = matches!(character, '\t' | '\n' | '\r');
    let control = matches!(
        character.general_category(),
        GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::PrivateUse
    );
    character == '\u{fffd}' || (control && !white_space)
}

fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || character.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// Whether `character` lies in the blocks BERT splits into single characters: Han without Kana and Hangul.
fn is_ideograph(character: char) -> bool {
    matches!(u32::from(character),
        0x4E00..=0x9FFF
        | 0x3400..=0x4DBF
        | 0x2_0000..=0x2_A6DF
        | 0x2_A700..=0x2_B73F
        | 0x2_B740..=0x2_B81F
        | 0x2_B820..=0x2_CEAF
        | 0xF900..=0xFAFF
        | 0x2_F800..=0x2_FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> WordPiece {
        let entries = "[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\naffable\n,\n中\ncafe\n##a\n##s";
        WordPiece::parse(entries).unwrap()
    }

    #[test]
    fn takes_the_longest_piece_first() {
        assert_eq!(tiny().encode("unaffable affable", 99), [1, 3, 4, 5, 6, 2]);
    }

    #[test]
    fn cleans_strips_accents_and_lowers() {
        assert_eq!(tiny().encode("\u{0}CAFÉ\u{200b}s\tcafe\u{301}", 99), [1, 9, 11, 9, 2]);
    }

    #[test]
    fn punctuation_and_ideographs_stand_alone() {
        assert_eq!(tiny().encode("un,un中un", 99), [1, 3, 7, 3, 8, 3, 2]);
    }

    #[test]
    fn a_word_with_an_unknown_rest_or_too_many_characters_is_one_unknown() {
        assert_eq!(tiny().encode("unxyz affable", 99), [1, 0, 6, 2]);
        let long = format!("un{}", "a".repeat(99));
        assert_eq!(tiny().encode(&long, 999), [1, 0, 2]);
        let longest = format!("un{}", "a".repeat(98));
        assert_eq!(tiny().encode(&longest, 999).len(), 1 + 99 + 1);
    }

    #[test]
    fn never_exceeds_the_limit_and_always_ends() {
        assert_eq!(tiny().encode("", 4), [1, 2]);
        assert_eq!(tiny().encode("affable affable affable", 4), [1, 6, 6, 2]);
        assert_eq!(tiny().encode("affable unaffable", 4), [1, 6, 3, 2]);
        assert_eq!(tiny().encode("affable", 2), [1, 2]);
    }

    #[test]
    fn names_a_missing_special_entry() {
        let error = WordPiece::parse("[UNK]\n[CLS]\nun").unwrap_err();
        assert_eq!(error.to_string(), "the vocabulary has no entry `[SEP]`");
    }
}
