//! National identity numbers: what each looks like, and its check digits.
//!
//! What has a form of its own or several check digits is known by that. Of the others any number of the length would be
//! one in ten or so, and they need a word nearby.

mod rules;

use std::ops::Range;

use self::rules::RULES;
use super::{
    context::{self, Subject},
    glyphs::{self, Glyph},
    numeral::Place,
};

/// Most words of letters before the one with the first digit. An Italian tax code that is spaced has two.
const MAX_WORDS_BEFORE: usize = 2;

/// Fewest digits of any, those of a National Insurance number.
const MIN_DIGITS: usize = 6;

/// What a national identity number looks like.
struct Rule {
    /// `9` a digit, `A` a capital letter, `X` a digit or letter, `_` one space, `?` one space or dash or nothing, others
    /// themselves.
    pattern: &'static str,
    /// What a word nearby must say, if one must.
    needs: Option<Subject>,
    /// Whether the characters without separators are one.
    is_valid: fn(&[u8]) -> bool,
}

/// Returns the national identity number that a number is.
pub(super) fn at(place: &Place) -> Option<Range<usize>> {
    let digits = place.glyphs.iter().filter(|glyph| glyph.byte.is_ascii_digit()).count();
    if digits < MIN_DIGITS {
        return None;
    }
    if let Some(span) = beginning_at(place, place.start, &place.glyphs) {
        return Some(span);
    }
    // Letters in groups of their own go before some.
    let mut start = place.start;
    for _ in 0..MAX_WORDS_BEFORE {
        start = capitals_before(place.text, start)?;
        let glyphs: Vec<Glyph> =
            glyphs::after(place.text, start).take(place.glyphs.len() + 8).collect();
        if let Some(span) = beginning_at(place, start, &glyphs) {
            return Some(span);
        }
    }
    None
}

/// Returns where the two or three capitals begin that stand before `at` and a space.
fn capitals_before(text: &str, at: usize) -> Option<usize> {
    let mut before = glyphs::before(text, at);
    before.next().filter(|glyph| glyph.byte == b' ')?;
    let word: Vec<Glyph> =
        before.take(4).take_while(|glyph| glyphs::is_wordy(glyph.byte)).collect();
    let is_short = matches!(word.len(), 2 | 3);
    (is_short && word.iter().all(|glyph| glyph.byte.is_ascii_uppercase()))
        .then(|| word.last().map(|glyph| glyph.start))?
}

fn beginning_at(place: &Place, start: usize, glyphs: &[Glyph]) -> Option<Range<usize>> {
    if !glyphs::begins_clean(place.text, start) {
        return None;
    }
    RULES.iter().find_map(|rule| {
        let next = matched(rule.pattern, glyphs)?;
        let bytes = glyphs.iter().take(next).map(|glyph| glyph.byte.to_ascii_uppercase());
        let characters: Vec<u8> = bytes.filter(u8::is_ascii_alphanumeric).collect();
        let end = glyphs.get(next.checked_sub(1)?)?.end;
        let span = start..end;
        let is_clean = glyphs::ends_clean(glyphs.get(next..).unwrap_or_default());
        let is_fine = is_clean
            && end > place.start
            && (rule.is_valid)(&characters)
            // What is only digits may be one of many numbers of any kind.
            && (rule.needs.is_some()
                || characters.len() != next && !place.is_in_row(end)
                || characters.len() == next && !place.is_listed_with(end, |digits| !(rule.is_valid)(digits)))
            && rule.needs.is_none_or(|subject| context::mentions(place.text, &span, subject));
        is_fine.then_some(span)
    })
}

/// Returns the glyph after a number that looks like `pattern`.
fn matched(pattern: &str, glyphs: &[Glyph]) -> Option<usize> {
    let mut at = 0;
    for wanted in pattern.bytes() {
        let byte = glyphs.get(at).map_or(b'\n', |glyph| glyph.byte);
        let fits = match wanted {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            b'X' => byte.is_ascii_alphanumeric(),
            b'?' => {
                at += usize::from(matches!(byte, b' ' | b'-'));
                continue;
            }
            b'_' => byte == b' ',
            _ => byte == wanted,
        };
        if !fits {
            return None;
        }
        at += 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_words_go_before() {
        let found = |text: &str| {
            let anchor = glyphs::anchor(text, 0).unwrap();
            at(&Place::read(text, anchor).unwrap()).map(|span| text[span].to_owned())
        };
        assert_eq!(found("RSS MRA 85T10 A562S").unwrap(), "RSS MRA 85T10 A562S");
        assert_eq!(found("AB RSS MRA 85T10 A562S").unwrap(), "RSS MRA 85T10 A562S");
        let parted = "RS SM RA 85T10 A562S";
        assert_eq!(
            parted.split(' ').take_while(|word| word.len() == 2).count(),
            MAX_WORDS_BEFORE + 1
        );
        assert_eq!(found(parted), None);
    }
}
