//! Where sentences begin and end.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use crate::passage::Span;

/// Longest sentence in characters; a longer run (a table row, text without full stops) is cut at a word.
/// Characters and not bytes: a sentence in Hindi takes three times the bytes of one in English.
pub const MAX_SENTENCE_CHARACTERS: usize = 800;

/// Most characters in a row that are neither letters nor digits before the text is handed to the segmenter
/// in pieces.
const MAX_PUNCTUATION_RUN: usize = 64;

/// Words whose full stop does not end a sentence although a capital or digit follows.
const ABBREVIATIONS: [&str; 45] = [
    "mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "no.", "nos.", "fig.", "figs.", "eq.", "sec.",
    "vs.", "cf.", "al.", "inc.", "ltd.", "co.", "approx.", "jan.", "feb.", "aug.", "sept.", "oct.",
    "nov.", "dec.", "bzw.", "ca.", "nr.", "vgl.", "jh.", "jhd.", "sog.", "abs.", "sr.", "sra.",
    "dra.", "art.", "pág.", "núm.", "ee.", "uu.", "mme.", "mlle.", "डॉ.",
];
/// Most digits of an ordinal number as German writes it, `12. Mai`, and of a list's numbers.
const ORDINAL_DIGITS: usize = 2;

/// Most letters of an initial as Hindi spells it: `ई`, `आई`.
const INITIAL_LETTERS: usize = 2;

/// Returns the sentences of `text` as byte spans without surrounding white space.
///
/// Boundaries are those of Unicode Standard Annex 29 (line ends included), joined again after
/// abbreviations and initials (in a text that ends its sentences with `।` or `۔`, after any word of that
/// script), and cut at [`MAX_SENTENCE_CHARACTERS`]. Time is linear in the size of the text.
#[must_use]
pub fn sentences(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut joins = false;
    let stops = Stops::of(text);
    for block in blocks(text) {
        for (at, piece) in text[block.start..block.end].split_sentence_bound_indices() {
            let start = block.start + at;
            let end = start + piece.len();
            match spans.last_mut() {
                Some(last) if joins => last.end = end,
                _ => spans.push(Span { start, end }),
            }
            joins = !ends_line(piece)
                && (ends_in_abbreviation(piece) || is_within_name(piece) || stops.joins(piece));
        }
        // Where a run of punctuation was cut, no sentence ends.
        joins = !ends_line(&text[..block.end]);
    }
    let trimmed = spans.into_iter().filter_map(|span| trim(text, span));
    trimmed.flat_map(|span| cut(text, span)).collect()
}

/// Which full stops of its own a text uses. Where it does, `.` behind a word of that script abbreviates it.
struct Stops {
    danda: bool,
    arabic: bool,
}

impl Stops {
    /// Texts that end their sentences with `.` and quote one that does not keep their sentences: the script's own
    /// stop must be the commoner one.
    fn of(text: &str) -> Self {
        let (mut danda, mut arabic) = (0_i64, 0_i64);
        let mut before = None;
        for character in text.chars() {
            match (character, before.and_then(uncased)) {
                ('।', _) => danda += 1,
                ('۔', _) => arabic += 1,
                ('.', Some(Uncased::Devanagari)) => danda -= 1,
                ('.', Some(Uncased::Arabic)) => arabic -= 1,
                _ => {}
            }
            before = Some(character);
        }
        Self { danda: danda > 0, arabic: arabic > 0 }
    }

    fn joins(&self, piece: &str) -> bool {
        let Some(word) = piece.trim_end().strip_suffix('.') else { return false };
        match word.chars().next_back().and_then(uncased) {
            Some(Uncased::Devanagari) => self.danda,
            Some(Uncased::Arabic) => self.arabic,
            None => false,
        }
    }
}

/// A script without capitals, of which the annex cannot see whether a sentence begins.
#[derive(Clone, Copy)]
enum Uncased {
    Devanagari,
    Arabic,
}

/// Returns the script of a letter or vowel sign; digits and punctuation have none.
fn uncased(character: char) -> Option<Uncased> {
    if !character.is_alphabetic() && !is_combining_mark(character) {
        return None;
    }
    match character {
        '\u{900}'..='\u{97f}' => Some(Uncased::Devanagari),
        '\u{600}'..='\u{6ff}' => Some(Uncased::Arabic),
        _ => None,
    }
}

/// Whether a full stop stands within a name, as in `ई.आई.ड्यूपोंट`: the annex breaks letters without case even where
/// no space follows.
fn is_within_name(piece: &str) -> bool {
    let Some(before) = piece.strip_suffix('.') else { return false };
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '.').next().unwrap_or_default();
    let letters = word.chars().filter(|letter| !is_combining_mark(*letter)).count();
    (1..=INITIAL_LETTERS).contains(&letters) && word.chars().all(|c| uncased(c).is_some())
}

/// Whether nothing may be joined to a piece.
fn ends_line(piece: &str) -> bool {
    piece.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

/// Returns `text` in blocks that the segmenter takes linear time for, cut within long runs of punctuation.
///
/// By rule SB8 of the annex the segmenter looks ahead to the next letter from each character behind a full
/// stop that may still belong to it (`A. ((((`). A run of such characters costs its length times the way
/// to the next letter, so its length is bounded.
fn blocks(text: &str) -> Vec<Span> {
    let mut blocks = Vec::new();
    let mut start = 0;
    let mut run = 0;
    for (at, character) in text.char_indices() {
        // Marks are alphabetic in some scripts, and the segmenter passes over them.
        let ends_run = character.is_alphanumeric() && !is_combining_mark(character);
        run = if ends_run { 0 } else { run + 1 };
        if run > MAX_PUNCTUATION_RUN {
            blocks.push(Span { start, end: at });
            (start, run) = (at, 1);
        }
    }
    blocks.push(Span { start, end: text.len() });
    blocks
}

fn ends_in_abbreviation(piece: &str) -> bool {
    let Some(word) = piece.split_whitespace().next_back() else { return false };
    let word = word.trim_start_matches(['(', '[', '"', '\'']).to_lowercase();
    let Some(stem) = word.strip_suffix('.') else { return false };
    // `J.`, `E.I.`, `z.B.`, `U.S.`: letters one by one, with their marks.
    let is_initial = stem.split('.').all(|part| {
        part.starts_with(char::is_alphabetic)
            && part.chars().filter(|letter| !is_combining_mark(*letter)).count() == 1
    });
    let is_ordinal =
        stem.len() <= ORDINAL_DIGITS && stem.bytes().all(|digit| digit.is_ascii_digit());
    let is_initial = is_initial || (is_ordinal && !stem.is_empty());
    is_initial || ABBREVIATIONS.contains(&word.as_str())
}

/// Returns `span` without the white space around it, `None` when nothing is left.
#[must_use]
pub fn trim(text: &str, span: Span) -> Option<Span> {
    let raw = span.of(text)?;
    let start = span.start + (raw.len() - raw.trim_start().len());
    let end = span.end - (raw.len() - raw.trim_end().len());
    (start < end).then_some(Span { start, end })
}

fn cut(text: &str, span: Span) -> Vec<Span> {
    let mut pieces = Vec::new();
    let mut rest = span;
    while let Some(limit) = end_of_longest(text, rest) {
        let window = &text[rest.start..limit];
        let at = window.rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(window.len());
        pieces.extend(trim(text, Span { start: rest.start, end: rest.start + at }));
        rest.start += at;
    }
    pieces.extend(trim(text, rest));
    pieces
}

/// Returns where [`MAX_SENTENCE_CHARACTERS`] of `span` end, when it is longer.
fn end_of_longest(text: &str, span: Span) -> Option<usize> {
    let (at, _) = span.of(text)?.char_indices().nth(MAX_SENTENCE_CHARACTERS)?;
    Some(span.start + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|span| span.of(text).unwrap()).collect()
    }

    #[test]
    fn splits_in_several_scripts() {
        assert_eq!(texts("One. Two!\nThree"), ["One.", "Two!", "Three"]);
        assert_eq!(texts("یہ ایک ہے۔ وہ دو ہے۔"), ["یہ ایک ہے۔", "وہ دو ہے۔"]);
        assert_eq!(texts("यह एक है। वह दो है।"), ["यह एक है।", "वह दो है।"]);
        assert_eq!(texts("第一句。第二句。"), ["第一句。", "第二句。"]);
    }

    #[test]
    fn abbreviations_and_initials_do_not_end_a_sentence() {
        assert_eq!(
            texts("Dr. Smith met J. Doe. They left."),
            ["Dr. Smith met J. Doe.", "They left."]
        );
        assert_eq!(texts("See Fig. 3 for it. Done."), ["See Fig. 3 for it.", "Done."]);
        for whole in [
            "Am 12. Mai 1705 begann das 18. Jahrhundert.",
            "E.I. Du Pont bzw. DuPont liegt ca. 12 km von den U.S. Army Barracks.",
            "Lo dijo el Sr. Presidente de EE. UU. Obama.",
            "1. Close the door.",
            "वह डॉ. राम से मिला।",
        ] {
            assert_eq!(texts(whole), [whole]);
        }
        let hindi = "इतिहासकार फ्रेडरिक डब्ल्यू. मोटे ने लिखा। वे गए।";
        assert_eq!(texts(hindi).len(), 2);
        assert_eq!(texts("वे गए. वे आए.").len(), 2);
        for end in ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"] {
            assert_eq!(texts(&format!("Seen by Dr.{end}Then they left.")).len(), 2, "{end:?}");
        }
        assert_eq!(texts("एक पूर्व छात्र ई.आई.ड्यूपोंट ने").len(), 1);
        for three in [
            "他来了.我走了.他又来了.",
            "انتهى الأمر. ثم بدأ. قال الشاعر۔",
            "वे गए. वे आए. वे बोले।",
            "वे १९४७. वे आए। वे गए।",
        ] {
            assert_eq!(texts(three).len(), 3, "{three}");
        }
        assert_eq!(texts("It began in 1999. They left."), ["It began in 1999.", "They left."]);
    }

    #[test]
    fn a_run_without_full_stops_is_cut() {
        let long = "word ".repeat(1_000);
        assert!(sentences(&long).iter().all(|span| span.len() <= MAX_SENTENCE_CHARACTERS));
        let unbroken = "ہ".repeat(2_000);
        assert_eq!(sentences(&unbroken).len(), 2_000_usize.div_ceil(MAX_SENTENCE_CHARACTERS));
        assert_eq!(
            sentences(&unbroken).iter().map(|span| span.len()).sum::<usize>(),
            unbroken.len()
        );
    }

    /// Returns how many characters rule SB8 looks at: from each character behind a full stop that may still
    /// belong to it, all up to the next letter or full stop.
    fn lookahead(block: &str) -> usize {
        let characters: Vec<char> = block.chars().collect();
        let is_letter = |c: &char| c.is_alphabetic() && !is_combining_mark(*c);
        let stops = |c: &char| is_letter(c) || matches!(*c, '.' | '!' | '?' | '\n');
        let mut looked = 0;
        let mut behind_stop = false;
        for (at, character) in characters.iter().enumerate() {
            if behind_stop {
                looked += characters[at..].iter().take_while(|c| !stops(c)).count();
            }
            behind_stop = matches!(*character, '.' | '!' | '?')
                || (behind_stop && !is_letter(character) && !character.is_numeric());
        }
        looked
    }

    #[test]
    fn the_segmenter_never_looks_far_ahead() {
        for repeated in ["(", " ", "(\u{93e}", ")\u{301}", "\"", " ("] {
            let hostile = format!("A.{}{}", repeated.repeat(20_000), "1".repeat(20_000));
            let looked: usize = blocks(&hostile)
                .iter()
                .map(|block| lookahead(&hostile[block.start..block.end]))
                .sum();
            let bound = hostile.chars().count() * MAX_PUNCTUATION_RUN;
            assert!(looked <= bound, "{repeated:?}: {looked} of {bound}");
            let whole: usize = sentences(&hostile).iter().map(|span| span.len()).sum();
            assert!(whole > 20_000);
        }
    }

    #[test]
    fn a_run_of_punctuation_does_not_end_a_sentence() {
        let rule = format!("Total {} 5 pages", "-".repeat(200));
        assert_eq!(texts(&rule), [rule.as_str()]);
    }

    proptest! {
        #[test]
        fn spans_ascend_on_character_boundaries(text in "\\PC{0,200}") {
            let mut last = 0;
            for span in sentences(&text) {
                prop_assert!(span.start >= last && span.of(&text).is_some_and(|piece| !piece.trim().is_empty()));
                last = span.end;
            }
        }
    }
}
