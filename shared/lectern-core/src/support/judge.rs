//! What an alignment says about a claim: how much of it the text holds, and what the text says otherwise.

use super::{
    align::{Alignment, Gap, align},
    lexicon::are_opposites,
    tokens::{Cue, Kind, Token},
};

/// Tokens on each side of a place in which a denial counts as standing there.
const DENIAL_REACH: usize = 4;

/// What a text says otherwise than a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A number or date is another one, or stands for something else.
    Number,
    /// A unit of measure is another one.
    Unit,
    /// A name is another one, or stands in another's place.
    Name,
    /// One denies or restricts what the other does not.
    Negation,
}

/// How a text stands to a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Judgement {
    /// Share of the claim's content the text holds, by weight.
    pub(super) coverage: f64,
    pub(super) conflict: Option<Conflict>,
    /// Words that stand in the place of other words, where nothing shows whether they are names.
    pub(super) doubts: usize,
    /// Longest run of content of which the text has nothing.
    pub(super) longest_missing: usize,
}

/// Judges `claim` by `text`; `is_known` says whether a token occurs in the passage or its headings.
pub(super) fn judge(
    claim: &[Token],
    text: &[Token],
    is_known: &dyn Fn(&Token) -> bool,
) -> Judgement {
    let alignment = align(claim, text);
    let case = Case { claim, text, alignment: &alignment, is_known };
    let mut doubts = 0;
    let mut conflict = case.negation();
    for gap in &alignment.gaps {
        let mut in_run = false;
        for at in gap.claim.clone() {
            let found = case.misplaced(at, gap);
            match found {
                Some(Finding::Conflict(found)) => conflict = conflict.or(Some(found)),
                // Characters of one word are one doubt.
                Some(Finding::Doubt) if !(in_run && claim[at].is_unspaced) => doubts += 1,
                Some(Finding::Doubt) | None => {}
            }
            in_run = matches!(found, Some(Finding::Doubt));
        }
    }
    let (coverage, longest_missing) = case.coverage();
    Judgement { coverage, conflict, doubts, longest_missing }
}

/// Whether a token that fulfils a condition stands where the claim has another.
type Replaced<'a> = dyn Fn(&dyn Fn(&Token) -> bool) -> bool + 'a;

#[derive(Clone, Copy)]
enum Finding {
    Conflict(Conflict),
    Doubt,
}

struct Case<'a> {
    claim: &'a [Token],
    text: &'a [Token],
    alignment: &'a Alignment,
    is_known: &'a dyn Fn(&Token) -> bool,
}

impl Case<'_> {
    fn coverage(&self) -> (f64, usize) {
        let (mut held, mut total) = (0.0, 0.0);
        let (mut missing, mut longest_missing) = (0.0_f32, 0.0_f32);
        for (at, token) in self.claim.iter().enumerate().filter(|(_, token)| token.is_content()) {
            total += token.weight();
            if self.alignment.to_text[at].is_some() || self.occurs(token) {
                held += token.weight();
                missing = 0.0;
            } else {
                missing += if token.is_unspaced { 0.5 } else { 1.0 };
                longest_missing = longest_missing.max(missing);
            }
        }
        let coverage = if total == 0.0 { 1.0 } else { f64::from(held / total) };
        (coverage, longest_missing as usize)
    }

    fn occurs(&self, token: &Token) -> bool {
        self.text.iter().any(|found| found.equals(token))
    }

    /// Judges a token of the claim that has no counterpart where it stands.
    fn misplaced(&self, at: usize, gap: &Gap) -> Option<Finding> {
        let token = &self.claim[at];
        let place = || gap.text.iter().flat_map(|range| &self.text[range.clone()]);
        if token.kind == Kind::Function || place().any(|found| found.equals(token)) {
            return None;
        }
        let in_claim =
            |found: &Token| self.claim[gap.claim.clone()].iter().any(|own| own.equals(found));
        let replaced = |is_mate: &dyn Fn(&Token) -> bool| {
            place().any(|found| is_mate(found) && !in_claim(found))
        };
        match token.kind {
            Kind::Number | Kind::Month => {
                let is_mate = |found: &Token| matches!(found.kind, Kind::Number | Kind::Month);
                let wrong = replaced(&is_mate) || !self.moved_with_neighbour(at);
                wrong.then_some(Finding::Conflict(Conflict::Number))
            }
            Kind::Unit if self.measures(at) => {
                let wrong =
                    replaced(&|found| found.kind == Kind::Unit) || !self.moved_with_neighbour(at);
                wrong.then_some(Finding::Conflict(Conflict::Unit))
            }
            Kind::Name => self.misplaced_name(at, &replaced),
            Kind::Word | Kind::Unit => self.misplaced_word(token, &replaced),
            Kind::Function => None,
        }
    }

    fn misplaced_name(&self, at: usize, replaced: &Replaced<'_>) -> Option<Finding> {
        let token = &self.claim[at];
        let another =
            replaced(&|found| found.kind == Kind::Name || (found.is_capital && found.is_content()));
        // Without another name in its place it may stand for `it` or `the city`, if the passage knows it.
        let is_known = self.occurs(token) || (self.is_known)(token);
        if token.is_noun && !is_known {
            // Any noun: another word for a thing, or another thing.
            return another.then_some(Finding::Doubt);
        }
        let wrong = another || !is_known || self.changed_sides(at);
        wrong.then_some(Finding::Conflict(Conflict::Name))
    }

    fn misplaced_word(&self, token: &Token, replaced: &Replaced<'_>) -> Option<Finding> {
        if replaced(&|found| are_opposites(&found.word, &token.word)) {
            return Some(Finding::Conflict(Conflict::Negation));
        }
        if token.is_caseless {
            return replaced(&|found| found.is_content()).then_some(Finding::Doubt);
        }
        // A capital at the beginning of a sentence may be a name.
        let may_be_name = token.is_first && token.is_capital;
        let replaces_name =
            may_be_name && replaced(&|found| found.is_capital && found.is_content());
        replaces_name.then_some(if (self.is_known)(token) {
            Finding::Conflict(Conflict::Name)
        } else {
            Finding::Doubt
        })
    }

    /// Whether a unit follows or precedes a number.
    fn measures(&self, at: usize) -> bool {
        let is_number = |at: Option<usize>| {
            at.and_then(|at| self.claim.get(at)).is_some_and(|token| token.kind == Kind::Number)
        };
        is_number(at.checked_sub(1)) || is_number(Some(at + 1))
    }

    /// Whether the text has the token elsewhere beside one that it stands beside in the claim too.
    fn moved_with_neighbour(&self, at: usize) -> bool {
        let beside = |tokens: &[Token], at: usize, step: isize| {
            at.checked_add_signed(step).and_then(|at| tokens.get(at)).cloned()
        };
        (0..self.text.len()).filter(|place| self.text[*place].equals(&self.claim[at])).any(
            |place| {
                [-1, 1].into_iter().any(|step| {
                    let own = beside(self.claim, at, step);
                    let found = beside(self.text, place, step);
                    matches!((own, found), (Some(own), Some(found)) if own.equals(&found))
                })
            },
        )
    }

    /// Whether the text has the token on the other side of the word it stands beside, as `Oracle` in `Oracle
    /// bought Sun` and `Sun bought Oracle`.
    fn changed_sides(&self, at: usize) -> bool {
        let beside = |tokens: &'_ [Token], at: usize, step: isize| -> Option<Token> {
            let near = at.checked_add_signed(step).and_then(|at| tokens.get(at));
            near.filter(|token| token.kind == Kind::Word).cloned()
        };
        (0..self.text.len()).filter(|place| self.text[*place].equals(&self.claim[at])).any(
            |place| {
                [-1, 1].into_iter().any(|step| {
                    let own = beside(self.claim, at, step);
                    let found = beside(self.text, place, -step);
                    matches!((own, found), (Some(own), Some(found)) if own.equals(&found))
                })
            },
        )
    }

    /// Whether claim and text deny the same.
    fn negation(&self) -> Option<Conflict> {
        let claim = Side { tokens: self.claim, aligned: &self.alignment.to_text };
        let text = Side { tokens: self.text, aligned: &self.alignment.to_claim };
        let differs = claim.has_alone(Cue::Denies, &text)
            || claim.has_alone(Cue::Restricts, &text)
            || text.has_alone(Cue::Denies, &claim);
        differs.then_some(Conflict::Negation)
    }
}

/// A claim or a text, and for each of its tokens the other's.
struct Side<'a> {
    tokens: &'a [Token],
    aligned: &'a [Option<usize>],
}

impl Side<'_> {
    /// Whether a cue belongs to something that `other` says without one.
    fn has_alone(&self, cue: Cue, other: &Side<'_>) -> bool {
        let free = |side: &Side<'_>, at: usize| {
            side.tokens[at].cue == Some(cue) && side.aligned[at].is_none()
        };
        (0..self.tokens.len()).filter(|at| free(self, *at)).any(|at| {
            let Some(place) = self.counterpart(at) else { return false };
            let end = (place + DENIAL_REACH + 1).min(other.tokens.len());
            !(place.saturating_sub(DENIAL_REACH)..end).any(|near| free(other, near))
        })
    }

    /// Returns where the other says what a cue at `at` stands beside: the next word that says something, and at
    /// the end of a clause the one before. `None` when the other leaves that out.
    fn counterpart(&self, at: usize) -> Option<usize> {
        let says = |at: &usize| self.tokens[*at].is_content();
        let clause_end = (at + 1..self.tokens.len())
            .find(|next| self.tokens[*next].opens)
            .unwrap_or(self.tokens.len());
        let clause_start = (0..=at).rev().find(|before| self.tokens[*before].opens).unwrap_or(0);
        let next = (at + 1..clause_end).find(says);
        let before = (clause_start..at).rev().find(says).and_then(|before| self.aligned[before]);
        let Some(next) = next else { return before };
        self.aligned[next].or_else(|| {
            // The word itself may be another one; then its neighbours show the place.
            let beyond = (next + 1..clause_end).find(says).and_then(|beyond| self.aligned[beyond]);
            let leading = at.checked_sub(1).and_then(|leading| self.aligned[leading]);
            match (before, beyond) {
                (Some(before), Some(_)) => Some(before),
                (Some(before), None) if next + 1 >= clause_end => Some(before),
                (None, Some(beyond)) if leading.is_some() => Some(beyond),
                _ => None,
            }
        })
    }
}
