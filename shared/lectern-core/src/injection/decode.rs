//! What a text says once it is decoded: hidden characters, codes, ciphers, and words that are spelled apart.
//!
//! | module | answers |
//! |---|---|
//! | `invisible` | what is written in characters that show nothing |
//! | `codes` | what runs of Base64, hexadecimal, escapes and the like stand for |
//! | `ciphers` | what shifted, mirrored or replaced letters stand for |
//! | `spelling` | which words are broken up or spelled with digits |

mod ciphers;
mod codes;
mod invisible;
mod spelling;

use std::{collections::BTreeSet, ops::Range};

use super::{
    features::Feature,
    fold::Folded,
    lexicon::{self, Spacing},
};

/// Most decoded texts of one text.
const MAX_READINGS: usize = 48;
/// Fewest different words that are disguised on purpose.
const MIN_UNMASKED: usize = 4;
/// Longest decoded text in bytes; what follows is left out.
const MAX_DECODED: usize = 16 * 1024;

/// Another way to read a text, or a part of it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// What it says.
    pub(super) folded: Folded,
    /// The part of the original that says it; `None` if the folded text knows.
    pub(super) region: Option<Range<usize>>,
    /// How it was hidden.
    pub(super) how: Feature,
    /// Whether its words are set apart.
    pub(super) spacing: Spacing,
    /// The decoded text, if it may hold something that is encoded again.
    pub(super) inner: Option<String>,
}

impl Reading {
    /// Returns the reading of `region` as `decoded`.
    fn of(decoded: String, region: Range<usize>, how: Feature) -> Self {
        let mut decoded = decoded;
        decoded.truncate(decoded.floor_char_boundary(MAX_DECODED));
        let folded = Folded::of(&decoded);
        Self { folded, region: Some(region), how, spacing: Spacing::Words, inner: Some(decoded) }
    }

    /// Returns the reading of the whole text with some letters changed.
    fn respelled(folded: Folded, how: Feature) -> Self {
        Self { folded, region: None, how, spacing: Spacing::Words, inner: None }
    }
}

/// Returns the other ways to read `text`, of which `folded` shows the letters.
pub(super) fn readings(text: &str, folded: &Folded) -> Vec<Reading> {
    let mut readings = Vec::new();
    invisible::read(text, &mut readings);
    codes::read(text, &mut readings);
    ciphers::read(folded, &mut readings);
    spelling::read(folded, &mut readings);
    readings.extend(folded.latinised().and_then(|latin| unmasked(folded, latin)));
    readings.truncate(MAX_READINGS);
    readings
}

/// Returns the reading of `folded` with letters changed to `respelled`, if that shows words of the lexicon that could
/// not be read before. Formulas and names of genes hold digits and Greek letters too, but show none.
fn unmasked(folded: &Folded, respelled: Folded) -> Option<Reading> {
    let spellings = |folded: &Folded| -> BTreeSet<String> {
        let words = lexicon::words(&folded.text, Spacing::Words);
        words.into_iter().map(|word| folded.text[word.range].to_owned()).collect()
    };
    let how = match spellings(&respelled).difference(&spellings(folded)).count() {
        0 => return None,
        shown if shown < MIN_UNMASKED => Feature::Disguised,
        _ => Feature::Mirrored,
    };
    Some(Reading::respelled(respelled, how))
}

/// Whether `decoded` is text: hardly any of it is a control character.
fn is_text(decoded: &str) -> bool {
    let count = decoded.chars().count();
    let odd = decoded
        .chars()
        .filter(|c| c.is_control() && !c.is_whitespace() || *c == '\u{fffd}')
        .count();
    count > 3 && odd * 20 <= count
}
