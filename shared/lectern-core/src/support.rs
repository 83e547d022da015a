//! How far a passage says what a sentence claims.
//!
//! A claim is aligned with each few neighbouring sentences of a passage that share words with it, and the
//! alignment is judged: how much of the claim stands there, and whether the text has another number, date, unit
//! or name in a place, or denies what the claim does not. Everything is arithmetic on words; a semantic check can
//! be given as a function and only ever helps paraphrases over the threshold, never past a conflict.
//!
//! | module | answers |
//! |---|---|
//! | `tokens` | what is compared |
//! | `reader`, `dates` | how a sentence is read |
//! | `numbers`, `lexicon` | which spellings are one number, date or unit; which words deny |
//! | `align` | which token of the claim stands for which of the text |
//! | `judge` | what that says |
//! | `evidence` | passages, prepared once per answer; the best span |

mod align;
mod dates;
mod evidence;
mod judge;
mod lexicon;
mod numbers;
mod reader;
mod tokens;

pub use self::{
    evidence::{Evidence, Similarity},
    judge::Conflict,
};
use self::{
    judge::Judgement,
    reader::tokens,
    tokens::{Cue, Token},
};
use crate::passage::Span;

// These thresholds were chosen on the tuning half of the testkit's corrupted sentences (`verifier_eval tune sweep`).
// F1 is flat from 0.65 to 0.8 of coverage; of equals the lower one stands, because models paraphrase more than
// that set does. To let one doubt pass would raise F1 over all, but also let half of the swapped names pass in
// scripts without capitals.

/// Share of a claim's content, by weight, that a span must hold to support it.
pub const SUPPORTED_COVERAGE: f64 = 0.7;
/// Share of a claim's content that a span must hold to support part of it.
pub const PARTIAL_COVERAGE: f64 = 0.35;
/// Words in a row of which a span may hold nothing and still support the claim.
pub const MAX_MISSING_RUN: usize = 2;
/// Similarity from which a semantic check makes up for words that are missing.
pub const SUPPORTED_SIMILARITY: f32 = 0.8;

/// What a sentence claims, as far as words show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    tokens: Vec<Token>,
}

impl Claim {
    /// Returns what `sentence` claims, read as `language` (ISO 639-3).
    #[must_use]
    pub fn of(sentence: &str, language: &str) -> Self {
        Self { tokens: tokens(sentence, language) }
    }

    /// Whether nothing is claimed that words could show, such as `It is so.`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.tokens.iter().any(Token::is_content)
    }

    /// Whether the sentence denies something.
    #[must_use]
    pub fn denies(&self) -> bool {
        self.tokens.iter().any(|token| token.cue == Some(Cue::Denies))
    }
}

/// How well a span supports a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    /// The span, in the passage's text.
    pub span: Span,
    /// Share of the claim's content in the span, 0 to 1.
    pub coverage: f64,
    /// What the span says otherwise.
    pub conflict: Option<Conflict>,
    /// Words of the claim that stand in the place of other words of the span and may be names.
    pub doubts: usize,
    /// Longest run of words of the claim of which the span has nothing.
    pub longest_missing: usize,
    /// What the semantic check found, where one was asked.
    pub similarity: Option<f32>,
}

impl Support {
    fn of(span: Span, judged: Judgement) -> Self {
        Self {
            span,
            coverage: judged.coverage,
            conflict: judged.conflict,
            doubts: judged.doubts,
            longest_missing: judged.longest_missing,
            similarity: None,
        }
    }

    /// Returns the support of a sentence by itself.
    fn verbatim(span: Span) -> Self {
        Self {
            span,
            coverage: 1.0,
            conflict: None,
            doubts: 0,
            longest_missing: 0,
            similarity: None,
        }
    }

    /// Whether the span says the claim.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let by_words = self.coverage >= SUPPORTED_COVERAGE
            && self.doubts == 0
            && self.longest_missing <= MAX_MISSING_RUN;
        let by_meaning =
            self.similarity.is_some_and(|similarity| similarity >= SUPPORTED_SIMILARITY);
        self.conflict.is_none() && (by_words || (by_meaning && self.coverage >= PARTIAL_COVERAGE))
    }

    /// Whether the span says part of the claim, and nothing otherwise.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.conflict.is_none() && self.coverage >= PARTIAL_COVERAGE
    }
}

#[cfg(test)]
mod tests;
