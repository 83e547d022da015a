//! Cutting a text that is too long: at line, sentence, word, grapheme and at last character
//! boundaries, always in linear time.

use unicode_segmentation::UnicodeSegmentation;

use super::tokens::tenths;
use crate::{passage::Span, sentences::sentences};

/// Bytes of text whose sentences are looked for at once.
const WINDOW_BYTES: usize = 4_096;
/// Characters in a row without letter or digit after which a window ends. The sentence rules of Unicode
/// look ahead from each of them (SB8), which would be quadratic in a line of brackets.
const MAX_UNSPOKEN_RUN: usize = 64;

/// Where a text may be cut, from the best place to the last resort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    Line,
    Sentence,
    Word,
    Grapheme,
    Character,
}

/// Returns contiguous spans that cover `span`, each costing at most `budget` tenths of a token, cut at
/// the best boundaries of `order` that make them fit. A budget under one token is taken as one.
pub(super) fn split(text: &str, span: Span, order: &[Boundary], budget: u64) -> Vec<Span> {
    let mut pieces = Vec::new();
    split_into(text, span, order, budget.max(super::tokens::TENTHS), &mut pieces);
    pieces
}

fn split_into(text: &str, span: Span, order: &[Boundary], budget: u64, pieces: &mut Vec<Span>) {
    let (Some(raw), Some((boundary, finer))) = (span.of(text), order.split_first()) else {
        pieces.push(span);
        return;
    };
    let mut start = span.start;
    for cut in cuts(raw, *boundary) {
        let part = Span { start, end: span.start + cut };
        start = part.end;
        if part.of(text).map_or(0, tenths) <= budget {
            pieces.push(part);
        } else {
            split_into(text, part, finer, budget, pieces);
        }
    }
}

/// Returns the ends of the parts of `raw`, ascending; the last is its length.
fn cuts(raw: &str, boundary: Boundary) -> Vec<usize> {
    let ends = |parts: &mut dyn Iterator<Item = &str>| {
        let lengths = parts.scan(0, |end, part| {
            *end += part.len();
            Some(*end)
        });
        lengths.collect()
    };
    match boundary {
        Boundary::Line => ends(&mut raw.split_inclusive('\n')),
        Boundary::Sentence => sentence_cuts(raw),
        Boundary::Word => ends(&mut raw.split_word_bounds()),
        Boundary::Grapheme => ends(&mut raw.graphemes(true)),
        Boundary::Character => raw.char_indices().map(|(at, c)| at + c.len_utf8()).collect(),
    }
}

/// Returns where sentences end, white space after them included.
fn sentence_cuts(raw: &str) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut start = 0;
    while start < raw.len() {
        let end = window_end(raw, start);
        let mut starts: Vec<usize> =
            sentences(&raw[start..end]).iter().skip(1).map(|found| start + found.start).collect();
        if end == raw.len() {
            starts.push(end);
        }
        // The last sentence of a window may go on; the next window begins with it.
        let next = starts.last().copied().unwrap_or(end);
        if starts.is_empty() {
            starts.push(end);
        }
        cuts.extend(starts);
        start = next;
    }
    cuts
}

fn window_end(raw: &str, start: usize) -> usize {
    let mut unspoken = 0;
    for (at, character) in raw[start..].char_indices() {
        unspoken = if character.is_alphanumeric() { 0 } else { unspoken + 1 };
        if at >= WINDOW_BYTES || unspoken >= MAX_UNSPOKEN_RUN {
            return start + at + character.len_utf8();
        }
    }
    raw.len()
}

/// Returns the first word boundary at or before `at`, not before `floor`, from which the text up to `at`
/// costs at most `budget` tenths of a token; a sentence's start where one lies in that stretch.
pub(super) fn lead_in(text: &str, floor: usize, at: usize, budget: u64) -> usize {
    // No script has words that cost less than a tenth of a token in four bytes.
    let reach = usize::try_from(budget).unwrap_or(usize::MAX).saturating_mul(4);
    let begin = text.ceil_char_boundary(floor.max(at.saturating_sub(reach)));
    let Some(window) = text.get(begin..at) else { return at };
    let mut cost = 0;
    let mut first = at;
    for (offset, word) in window.split_word_bound_indices().rev() {
        cost += tenths(word);
        // The window may begin inside a word.
        if cost > budget || (offset == 0 && begin > floor) {
            break;
        }
        first = begin + offset;
    }
    let stretch = Span { start: first, end: at };
    let starts = stretch.of(text).map(sentence_cuts).unwrap_or_default();
    let sentence =
        starts.first().map(|cut| first + cut).filter(|start| *start < at && first > floor);
    let chosen = sentence.unwrap_or(first);
    chosen + (text[chosen..at].len() - text[chosen..at].trim_start().len())
}
