//! What the words around a number say it is.

mod words;

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};

use self::words::{FILLERS, WORDS};
use super::glyphs::{self, OTHER};

/// How far before a number words speak of it, in bytes.
const MAX_BEFORE: usize = 64;
/// How far after a number words speak of it, in bytes.
const MAX_AFTER: usize = 32;
/// Most bytes between a label and the number it labels.
const MAX_GAP: usize = 40;

/// Fewest digits of a number that another of its kind may follow after a label.
const MIN_NUMBER: usize = 6;

/// What a word says a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Phone,
    Card,
    Network,
    /// Of any state.
    TaxId,
    SocialSecurity,
    NationalInsurance,
    Nhs,
    SteuerId,
    Bsn,
    Pesel,
    Personnummer,
    Kimlik,
    Aadhaar,
    Cpf,
    Cnic,
    /// A version, a section or an object identifier.
    Version,
    /// Nothing personal: a book, an order, a part, a case.
    Thing,
}

/// Finds the words of [`WORDS`], the longest of those that begin together. It would be none if they were too many; a test
/// knows that they are not.
static FINDER: LazyLock<Option<(AhoCorasick, Vec<Subject>)>> = LazyLock::new(|| {
    let words =
        WORDS.iter().flat_map(|(subject, words)| words.split('|').map(|word| (word, *subject)));
    // Only the letters of ASCII are found in either case.
    let words: Vec<(String, Subject)> = words
        .flat_map(|(word, subject)| {
            [word.to_owned(), capitalised(word), word.to_uppercase()].map(|word| (word, subject))
        })
        .collect();
    let finder = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .ascii_case_insensitive(true)
        .build(words.iter().map(|(word, _)| word))
        .ok()?;
    Some((finder, words.into_iter().map(|(_, subject)| subject).collect()))
});

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Returns the words in a range of a text, with where they end.
fn words(text: &str, range: Range<usize>) -> impl Iterator<Item = (Subject, usize)> {
    let from = range.start;
    let matches = FINDER.iter().flat_map(move |(finder, subjects)| {
        let found = finder.find_iter(text.get(range.clone()).unwrap_or_default());
        found.filter_map(|found| Some((subjects.get(found.pattern().as_usize())?, found)))
    });
    matches.filter_map(move |(subject, found)| {
        let (start, end) = (from + found.start(), from + found.end());
        let first = glyphs::after(text, start).next()?.byte;
        let last = glyphs::before(text, end).next()?.byte;
        let before = glyphs::before(text, start).next().map_or(OTHER, |glyph| glyph.byte);
        let after = glyphs::after(text, end).next().map_or(OTHER, |glyph| glyph.byte);
        let is_letter = |byte: u8| glyphs::is_wordy(byte) && !byte.is_ascii_digit();
        let goes_on = is_letter(first) && is_letter(before) || is_letter(last) && is_letter(after);
        (!goes_on).then_some((*subject, end))
    })
}

/// Whether a word nearby, and in the same paragraph, says that the number at `span` is of this subject.
pub(super) fn mentions(text: &str, span: &Range<usize>, subject: Subject) -> bool {
    let from = text.floor_char_boundary(span.start.saturating_sub(MAX_BEFORE));
    let to = text.floor_char_boundary(span.end + MAX_AFTER);
    let break_before = text.get(from..span.start).and_then(|before| before.rfind("\n\n"));
    let break_after = text.get(span.end..to).and_then(|after| after.find("\n\n"));
    let before = break_before.map_or(from, |at| from + at)..span.start;
    let after = span.end..break_after.map_or(to, |at| span.end + at);
    [before, after].into_iter().any(|range| words(text, range).any(|(named, _)| named == subject))
}

/// Returns what the nearest label before `at` says the number there is. Between a label and its number stand only words such
/// as `number is`, or, after the first of several telephone numbers, the others.
pub(super) fn label(text: &str, at: usize) -> Option<Subject> {
    let from = text.floor_char_boundary(at.saturating_sub(MAX_BEFORE));
    let (subject, end) = words(text, from..at).last()?;
    let gap = text.get(end..at)?;
    let digits = gap.chars().filter(|&character| glyphs::fold(character).is_ascii_digit()).count();
    let is_next = digits == 0 || digits >= MIN_NUMBER && subject == Subject::Phone;
    // A line that begins with a number is its own, unless the one before says what is to come.
    let is_parted = gap.contains('\n') && !gap.contains([':', '：']) || gap.contains("\n\n");
    (gap.len() <= MAX_GAP && is_next && !is_parted && is_filler(gap)).then_some(subject)
}

/// Whether the words of a gap say nothing of their own.
fn is_filler(gap: &str) -> bool {
    let words =
        gap.split(|character: char| !character.is_alphabetic()).filter(|word| !word.is_empty());
    // Words of scripts without spaces hang together with their particles.
    let says_nothing = |word: &str| {
        !word.chars().any(|character| glyphs::is_wordy(glyphs::fold(character)))
            || FILLERS.split('|').any(|filler| filler.eq_ignore_ascii_case(word))
    };
    words.into_iter().all(says_nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_near() {
        for (text, expected) in [
            ("Tel. ", Some(Subject::Phone)),
            ("my phone number is ", Some(Subject::Phone)),
            ("the phone weighs ", None),
            ("hotel ", None),
            ("Order no. ", Some(Subject::Thing)),
            ("Order 5, ", None),
            ("phone: 12345678, ", Some(Subject::Phone)),
            ("phone 1454 ", None),
            ("call\n", None),
            ("phone:\n", Some(Subject::Phone)),
            ("order by phone: ", Some(Subject::Phone)),
            ("联系电话：", Some(Subject::Phone)),
            ("رقم الهاتف: ", Some(Subject::Phone)),
            ("phone\n\n", None),
        ] {
            assert_eq!(label(text, text.len()), expected, "{text}");
        }
        let far = format!("phone {}", ".".repeat(MAX_GAP));
        assert_eq!(label(&far, far.len()), None);
        assert_eq!(label(&far, far.len() - 1), Some(Subject::Phone));
    }

    #[test]
    fn mentions_are_nearby() {
        assert!(mentions("SSN of the applicant 1", &(21..22), Subject::SocialSecurity));
        assert!(mentions("1 (BSN)", &(0..1), Subject::Bsn));
        assert!(!mentions("1 (BSN)", &(0..1), Subject::Pesel));
        assert!(mentions("BSN\n1", &(4..5), Subject::Bsn));
        assert!(!mentions("BSN\n\n1\n\nBSN", &(5..6), Subject::Bsn));
        let before = format!("BSN {}1", " ".repeat(MAX_BEFORE - 4));
        assert!(mentions(&before, &(MAX_BEFORE..MAX_BEFORE + 1), Subject::Bsn));
        let before = format!("BSN {}1", " ".repeat(MAX_BEFORE - 3));
        assert!(!mentions(&before, &(MAX_BEFORE + 1..MAX_BEFORE + 2), Subject::Bsn));
        let after = format!("1{}BSN", " ".repeat(MAX_AFTER - 3));
        assert!(mentions(&after, &(0..1), Subject::Bsn));
        let after = format!("1{}BSN", " ".repeat(MAX_AFTER - 2));
        assert!(!mentions(&after, &(0..1), Subject::Bsn));
    }
}
