//! Characters as the numbers in them are read, whatever script a digit, a dash or a space is of.

/// What a letter reads as that has no ASCII counterpart and belongs to a word with its neighbours.
pub(super) const LETTER: u8 = 1;
/// What any other character reads as, among them letters of scripts that are written without spaces.
pub(super) const OTHER: u8 = 0;

/// The zeros of scripts whose ten digits follow each other (Unicode, general category Nd).
const ZEROS: [char; 19] = [
    '0',
    '\u{660}',
    '\u{6f0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{17e0}',
    '\u{ff10}',
    '\u{1d7ce}',
];
/// The scripts from here on write letters that digits may stand beside without a space.
const FIRST_UNSPACED: char = '\u{590}';

/// A character of a text, as it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glyph {
    /// Its ASCII counterpart, [`LETTER`] or [`OTHER`].
    pub(super) byte: u8,
    /// Where it begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// Returns what a character reads as.
pub(super) fn fold(character: char) -> u8 {
    match character {
        '\u{2}'..='\u{7f}' => character as u8,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => b' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => b'-',
        // The full-width forms repeat ASCII from `!` to `~`.
        '\u{ff01}'..='\u{ff5e}' => {
            u8::try_from(character as u32 - 0xff01).map_or(OTHER, |at| at + b'!')
        }
        _ => match digit(character) {
            Some(value) => b'0' + value,
            None if character < FIRST_UNSPACED && character.is_alphabetic() => LETTER,
            None => OTHER,
        },
    }
}

fn digit(character: char) -> Option<u8> {
    // The mathematical digits come in five styles.
    if matches!(character, '\u{1d7ce}'..='\u{1d7ff}') {
        return u8::try_from((character as u32 - 0x1d7ce) % 10).ok();
    }
    let values = ZEROS.iter().filter_map(|&zero| (character as u32).checked_sub(zero as u32));
    values.filter(|&value| value < 10).find_map(|value| u8::try_from(value).ok())
}

/// Whether a glyph belongs to a word.
pub(super) fn is_wordy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == LETTER
}

/// Returns the glyphs from `at` on.
pub(super) fn after(text: &str, at: usize) -> impl Iterator<Item = Glyph> {
    let rest = text.get(at..).unwrap_or_default();
    rest.char_indices().map(move |(offset, character)| glyph(at + offset, character))
}

/// Returns the glyphs before `at`, the nearest first.
pub(super) fn before(text: &str, at: usize) -> impl Iterator<Item = Glyph> {
    let rest = text.get(..at).unwrap_or_default();
    rest.char_indices().rev().map(|(offset, character)| glyph(offset, character))
}

fn glyph(start: usize, character: char) -> Glyph {
    Glyph { byte: fold(character), start, end: start + character.len_utf8() }
}

/// Returns the first place from `from` on where personal data may be recognised: a digit, an `@` or an opening bracket.
pub(super) fn anchor(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| MAY_ANCHOR[usize::from(byte)])?;
        let character = text.get(at..)?.chars().next()?;
        if character.is_ascii() || matches!(fold(character), b'0'..=b'9' | b'@') {
            return Some(at);
        }
        at += character.len_utf8();
    }
}

/// Which bytes a character may begin with that is an anchor. One look in a table is all that most bytes get.
const MAY_ANCHOR: [bool; 256] = {
    let mut table = [false; 256];
    // Of other scripts: what the UTF-8 of their digits, or of the full-width `@`, begins with.
    let firsts = b"0123456789@([{\xd9\xdb\xe0\xe1\xef\xf0";
    let mut index = 0;
    while index < firsts.len() {
        table[firsts[index] as usize] = true;
        index += 1;
    }
    table
};

/// Whether a digit stands at `at`.
pub(super) fn is_digit_at(text: &str, at: usize) -> bool {
    after(text, at).next().is_some_and(|glyph| glyph.byte.is_ascii_digit())
}

/// Returns where the digits at `at` end; after one character where there are none.
pub(super) fn end_of_digits(text: &str, at: usize) -> usize {
    let digits = after(text, at).take_while(|glyph| glyph.byte.is_ascii_digit());
    let end = digits.last().or_else(|| after(text, at).next());
    end.map_or(text.len(), |glyph| glyph.end)
}

/// Whether a number may begin at `at`, from what stands before it: it does not go on from a word, a decimal, a price or a path.
pub(super) fn begins_clean(text: &str, at: usize) -> bool {
    let mut nearest = before(text, at);
    let Some(first) = nearest.next() else { return true };
    let second = nearest.next().map_or(OTHER, |glyph| glyph.byte);
    match first.byte {
        b'_' | b'@' | b'#' | b'$' | b'%' | b'^' | b'\\' | b'~' | b'&' => false,
        b'-' | b'.' | b'/' | b'+' | b',' | b'\'' => !is_wordy(second) && second != first.byte,
        b':' => !second.is_ascii_digit(),
        OTHER => !is_currency(text, first),
        byte => !is_wordy(byte),
    }
}

/// Whether a number may end before `rest`: it does not go on as a word, a decimal, a range or a path.
pub(super) fn ends_clean(rest: &[Glyph]) -> bool {
    let byte = |index: usize| rest.get(index).map_or(OTHER, |glyph| glyph.byte);
    match byte(0) {
        b'_' | b'@' | b'%' | b'^' | b'\\' | b'~' | b'=' => false,
        b'-' | b'.' | b'/' | b'+' | b'\'' => !is_wordy(byte(1)),
        b':' | b',' => !byte(1).is_ascii_digit(),
        next => !is_wordy(next),
    }
}

fn is_currency(text: &str, glyph: Glyph) -> bool {
    let character = text.get(glyph.start..glyph.end).and_then(|symbol| symbol.chars().next());
    matches!(
        character,
        Some('£' | '¥' | '¢' | '§' | '№' | '°' | '±' | '×' | '\u{20a0}'..='\u{20cf}')
    )
}

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    use super::*;

    #[test]
    fn digits_of_all_scripts_are_digits() {
        for zero in ZEROS {
            for value in 0..10 {
                let character = char::from_u32(zero as u32 + u32::from(value)).unwrap();
                assert_eq!(character.general_category(), GeneralCategory::DecimalNumber);
                assert_eq!(fold(character), b'0' + value, "{character}");
                assert_eq!(anchor(&format!("é{character}"), 0), Some(2), "{character}");
            }
        }
        assert_eq!(fold('\u{1d7d8}'), b'0');
        assert_eq!(fold('\u{1d7ff}'), b'9');
    }

    #[test]
    fn other_characters_read_as_their_counterparts() {
        for (character, byte) in [
            ('\u{a0}', b' '),
            ('–', b'-'),
            ('＋', b'+'),
            ('＠', b'@'),
            ('（', b'('),
            ('Ａ', b'A'),
            ('ü', LETTER),
            ('ж', LETTER),
            ('电', OTHER),
            ('ه', OTHER),
            ('\0', OTHER),
            ('\u{1}', OTHER),
            ('\n', b'\n'),
            ('²', OTHER),
        ] {
            assert_eq!(fold(character), byte, "{character}");
        }
        assert_eq!(anchor("plain text, ohne Ziffern، بلا أرقام", 0), None);
        assert_eq!(anchor("ab＠c", 0), Some(2));
    }
}
