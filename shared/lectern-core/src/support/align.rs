//! Which token of a claim stands for which token of a text.
//!
//! A local alignment (Smith and Waterman, "Identification of Common Molecular Subsequences", 1981) whose path may
//! jump, at a price, to another place of the text: a clause that was moved is followed there, a name that was
//! swapped for one from elsewhere is not worth two jumps and shows as a substitution.

use std::ops::Range;

use super::tokens::Token;

/// Price of going on elsewhere in the text where a clause of the claim begins.
const CLAUSE_JUMP: f32 = 1.5;
/// Price of going on elsewhere in the text anywhere else.
const JUMP: f32 = 3.0;
/// Price of taking one token for another, as a share of their weight.
const SUBSTITUTION: f32 = 0.25;
/// Price of a token of the claim that the text does not have, as a share of its weight.
const INSERTION: f32 = 0.35;
/// Price of a token of the text that the claim leaves out, as a share of its weight.
const DELETION: f32 = 0.25;
/// Price of going on from one sentence of the text to the next.
const NEXT_SENTENCE: f32 = 0.8;
/// Tokens beside a place from which the path jumps that count as standing there.
const REACH: usize = 2;

/// What stands between two aligned tokens, or before the first or behind the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// Tokens of the claim.
    pub(super) claim: Range<usize>,
    /// Tokens of the text in the same place. Where the path jumps there are two places.
    pub(super) text: [Range<usize>; 2],
}

/// The best alignment of a claim with a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Alignment {
    /// For each token of the claim the token of the text.
    pub(super) to_text: Vec<Option<usize>>,
    /// For each token of the text the token of the claim.
    pub(super) to_claim: Vec<Option<usize>>,
    pub(super) gaps: Vec<Gap>,
}

#[derive(Clone, Copy, PartialEq)]
enum Move {
    Start,
    Pair,
    SkipClaim,
    SkipText,
    Jump,
}

/// A pair on the path, and whether the path jumped to it.
struct Step {
    claim: usize,
    text: usize,
    jumped: bool,
}

/// Aligns `claim` with `text`. Time and space are the product of their lengths.
pub(super) fn align(claim: &[Token], text: &[Token]) -> Alignment {
    let steps = path(claim, text);
    let mut alignment = Alignment {
        to_text: vec![None; claim.len()],
        to_claim: vec![None; text.len()],
        gaps: Vec::new(),
    };
    for step in &steps {
        alignment.to_text[step.claim] = Some(step.text);
        alignment.to_claim[step.text] = Some(step.claim);
    }
    alignment.gaps = gaps(&steps, claim, text);
    alignment
}

fn path(claim: &[Token], text: &[Token]) -> Vec<Step> {
    let width = text.len() + 1;
    let mut scores = vec![0.0_f32; (claim.len() + 1) * width];
    let mut moves = vec![Move::Start; (claim.len() + 1) * width];
    let mut best_columns = vec![0_usize; claim.len() + 1];
    for (row, wanted) in claim.iter().enumerate() {
        let above = row * width;
        let here = above + width;
        let jump = if wanted.opens { CLAUSE_JUMP } else { JUMP };
        let elsewhere = scores[above + best_columns[row]] - jump;
        for column in 0..width {
            let mut best = (scores[above + column] - INSERTION * wanted.weight(), Move::SkipClaim);
            let mut consider = |score: f32, by: Move| {
                if score > best.0 {
                    best = (score, by);
                }
            };
            if column > 0 {
                let found = &text[column - 1];
                let is_equal = wanted.equals(found);
                let gained = pair_score(wanted, found, is_equal);
                consider(scores[above + column - 1] + gained, Move::Pair);
                if is_equal {
                    consider(elsewhere + gained, Move::Jump);
                }
                let border = if found.is_first { NEXT_SENTENCE } else { 0.0 };
                let left_out = DELETION * found.weight() + border;
                consider(scores[here + column - 1] - left_out, Move::SkipText);
            }
            (scores[here + column], moves[here + column]) = best;
            if best.0 > scores[here + best_columns[row + 1]] {
                best_columns[row + 1] = column;
            }
        }
    }
    trace(claim, text, &moves, &best_columns)
}

fn pair_score(wanted: &Token, found: &Token, is_equal: bool) -> f32 {
    if is_equal {
        return wanted.weight();
    }
    let heavier = wanted.weight().max(found.weight());
    // A content word seldom stands for a stop word.
    let penalty =
        if wanted.is_content() == found.is_content() { SUBSTITUTION } else { 2.0 * SUBSTITUTION };
    -heavier * penalty
}

fn trace(claim: &[Token], text: &[Token], moves: &[Move], best_columns: &[usize]) -> Vec<Step> {
    let width = text.len() + 1;
    let (mut row, mut column) = (claim.len(), best_columns[claim.len()]);
    let mut steps = Vec::new();
    while row > 0 {
        match moves[row * width + column] {
            Move::Start => break,
            Move::SkipClaim => row -= 1,
            Move::SkipText => column -= 1,
            by @ (Move::Pair | Move::Jump) => {
                (row, column) = (row - 1, column - 1);
                if claim[row].equals(&text[column]) {
                    steps.push(Step { claim: row, text: column, jumped: by == Move::Jump });
                }
                if by == Move::Jump {
                    column = best_columns[row];
                }
            }
        }
    }
    steps.reverse();
    steps
}

fn gaps(steps: &[Step], claim: &[Token], text: &[Token]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut previous: Option<&Step> = None;
    for step in steps {
        let first = previous.map_or(0, |before| before.claim + 1);
        let between = first..step.claim;
        // A path may also go backwards by a pair behind a jump over nothing aligned.
        let place = match previous.filter(|before| !step.jumped && before.text < step.text) {
            Some(before) => [before.text + 1..step.text, 0..0],
            None => [after(text, previous, between.len()), before(text, step.text, between.len())],
        };
        gaps.push(Gap { claim: between, text: place });
        previous = Some(step);
    }
    let rest = previous.map_or(0, |last| last.claim + 1)..claim.len();
    let place = [after(text, previous, rest.len()), 0..0];
    gaps.push(Gap { claim: rest, text: place });
    gaps
}

/// Returns the tokens right behind a place, as far as its clause goes.
fn after(text: &[Token], step: Option<&Step>, wanted: usize) -> Range<usize> {
    let Some(step) = step.filter(|_| wanted > 0) else { return 0..0 };
    let start = step.text + 1;
    let reach = text[start..].iter().take(wanted + REACH).take_while(|token| !token.opens).count();
    start..start + reach
}

/// Returns the tokens right before a place, as far as its clause goes.
fn before(text: &[Token], place: usize, wanted: usize) -> Range<usize> {
    if wanted == 0 || text[place].opens {
        return 0..0;
    }
    let mut start = place;
    for at in (place.saturating_sub(wanted + REACH)..place).rev() {
        start = at;
        if text[at].opens {
            break;
        }
    }
    start..place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::reader::tokens;

    fn aligned(claim: &str, text: &str) -> Vec<Option<usize>> {
        align(&tokens(claim, "eng"), &tokens(text, "eng")).to_text
    }

    #[test]
    fn equal_sentences_align_token_by_token() {
        assert_eq!(
            aligned("Rollo swore fealty", "Rollo swore fealty"),
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!(aligned("", "Rollo"), []);
        assert_eq!(aligned("Rollo", ""), [None]);
    }

    #[test]
    fn a_moved_clause_is_followed() {
        let text = "In the tenth century, raiders from Denmark settled along the northern coast.";
        let claim = "Raiders from Denmark settled along the northern coast in the tenth century.";
        let aligned = aligned(claim, text);
        assert!(aligned.iter().all(Option::is_some), "{aligned:?}");
    }

    #[test]
    fn a_swapped_name_is_not() {
        let text =
            "Rollo swore fealty to King Charles of Francia, and Robert Guiscard conquered Sicily.";
        let claim = "Robert Guiscard swore fealty to King Charles of Francia.";
        let alignment = align(&tokens(claim, "eng"), &tokens(text, "eng"));
        assert_eq!(alignment.to_text[..2], [None, None]);
        assert_eq!(alignment.gaps[0].claim, 0..2);
    }
}
