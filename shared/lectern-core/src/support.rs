//! How far a span of text says what a sentence claims.

use std::collections::HashSet;

use crate::{analysis, passage::Span, sentences::sentences};

/// Share of a claim's content terms a span must hold to support it.
pub const SUPPORTED_COVERAGE: f64 = 0.6;
/// Share of a claim's content terms a span must hold to support part of it.
pub const PARTIAL_COVERAGE: f64 = 0.35;
/// Most neighbouring sentences that are taken as one span of support.
const MAX_WINDOW: usize = 3;

const NEGATIONS: [&str; 26] = [
    "not",
    "no",
    "never",
    "none",
    "cannot",
    "without",
    "neither",
    "nor",
    "nicht",
    "kein",
    "keine",
    "nie",
    "ne",
    "pas",
    "jamais",
    "nunca",
    "sin",
    "نہیں",
    "نہ",
    "بغیر",
    "لا",
    "ليس",
    "لم",
    "لن",
    "नहीं",
    "没有",
];

/// What a sentence claims, as far as words show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    terms: HashSet<String>,
    numbers: HashSet<String>,
    negated: bool,
}

/// How well a span supports a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    /// The span, in the text that was searched.
    pub span: Span,
    /// Share of the claim's content terms in the span, 0 to 1.
    pub coverage: f64,
    /// Every number of the claim stands in the span.
    pub numbers_agree: bool,
    /// Claim and span agree on whether they deny something.
    pub negation_agrees: bool,
}

impl Support {
    /// Whether the span says the claim.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.coverage >= SUPPORTED_COVERAGE && self.numbers_agree && self.negation_agrees
    }

    /// Whether the span says part of the claim.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.coverage >= PARTIAL_COVERAGE
    }

    fn rank(&self) -> (bool, f64, std::cmp::Reverse<usize>) {
        (self.is_full(), self.coverage, std::cmp::Reverse(self.span.len()))
    }
}

impl Claim {
    /// Returns what `sentence` claims.
    #[must_use]
    pub fn of(sentence: &str, language: &str) -> Self {
        let numbers = numbers(sentence);
        let terms = analysis::content_terms(sentence, language).into_iter().collect();
        Self { terms, numbers, negated: is_negated(sentence) }
    }

    /// Whether nothing is claimed that words could show, such as `Yes.`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.numbers.is_empty()
    }

    /// Returns the span of one to three sentences of `text` that supports the claim best, the
    /// shortest among equals; `None` when the text has no sentence or the claim is empty.
    #[must_use]
    pub fn best_support(&self, text: &str, language: &str) -> Option<Support> {
        if self.is_empty() {
            return None;
        }
        let spans = sentences(text);
        let parts: Vec<Claim> =
            spans.iter().map(|span| Self::of(&text[span.start..span.end], language)).collect();
        let windows = (0..spans.len()).flat_map(|first| {
            (first..spans.len().min(first + MAX_WINDOW)).map(move |last| (first, last))
        });
        let supports = windows.map(|(first, last)| {
            let span = Span { start: spans[first].start, end: spans[last].end };
            self.against(span, &parts[first..=last])
        });
        supports.max_by(|one, other| {
            one.rank().partial_cmp(&other.rank()).unwrap_or(std::cmp::Ordering::Equal)
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "term counts are small")]
    fn against(&self, span: Span, parts: &[Claim]) -> Support {
        let holds = |term: &&String| parts.iter().any(|part| part.terms.contains(*term));
        let held = self.terms.iter().filter(holds).count();
        let coverage =
            if self.terms.is_empty() { 1.0 } else { held as f64 / self.terms.len() as f64 };
        let has = |number: &String| parts.iter().any(|part| part.numbers.contains(number));
        Support {
            span,
            coverage,
            numbers_agree: self.numbers.iter().all(has),
            negation_agrees: self.negation_agrees(parts),
        }
    }
}

impl Claim {
    /// Whether the sentence that carries most of the claim denies as the claim does; the others may.
    fn negation_agrees(&self, parts: &[Claim]) -> bool {
        let shared = |part: &&Claim| part.terms.intersection(&self.terms).count();
        let carrier = parts.iter().rev().max_by_key(shared);
        carrier.is_none_or(|part| part.negated == self.negated)
    }
}

pub(crate) fn is_negated(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    lower
        .split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’')
        .any(|word| NEGATIONS.contains(&word) || word.ends_with("n't") || word.ends_with("n’t"))
}

/// Returns the numbers of `text` in ASCII digits, thousands separators removed.
fn numbers(text: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut current = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if let Some(digit) = digit(character) {
            current.push(digit);
            continue;
        }
        let continues = characters.peek().is_some_and(|next| digit(*next).is_some());
        match character {
            ',' | '٬' | '’' if !current.is_empty() && continues => {}
            '.' | '٫' if !current.is_empty() && continues => current.push('.'),
            _ if !current.is_empty() => {
                found.insert(std::mem::take(&mut current));
            }
            _ => {}
        }
    }
    if !current.is_empty() {
        found.insert(current);
    }
    found
}

/// Returns the ASCII digit of a decimal digit in the scripts the analyser knows.
fn digit(character: char) -> Option<char> {
    let zeros = ['0', '٠', '۰', '०', '০', '０'];
    let value = zeros.iter().find_map(|zero| {
        let distance = u32::from(character).checked_sub(u32::from(*zero))?;
        (distance < 10).then_some(distance)
    });
    value.and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "Backups run daily at 03:00 UTC. They are kept for 30 days. Nobody may delete them.";

    fn support(claim: &str) -> Support {
        Claim::of(claim, "eng").best_support(TEXT, "eng").unwrap()
    }

    #[test]
    fn finds_the_sentence_that_says_it() {
        let found = support("Backups are run daily at 03:00 UTC.");
        assert!(found.is_full());
        assert_eq!(found.span.of(TEXT), Some("Backups run daily at 03:00 UTC."));
    }

    #[test]
    fn a_changed_number_or_an_added_negation_is_not_supported() {
        assert!(!support("Backups are kept for 90 days.").is_full());
        assert!(!support("Backups do not run daily at 03:00 UTC.").is_full());
        assert!(!support("Penguins live in Antarctica.").is_partial());
    }

    #[test]
    fn a_neighbour_that_denies_nothing_does_not_hide_a_negation() {
        let text = "Backups do not run on Sundays. They take an hour.";
        let claim = |sentence: &str| Claim::of(sentence, "eng").best_support(text, "eng").unwrap();
        assert!(!claim("Backups run on Sundays.").is_full());
        assert!(claim("Backups do not run on Sundays.").is_full());
    }

    #[test]
    fn numbers_are_compared_in_any_digits() {
        assert_eq!(numbers("۳۰ دن"), numbers("30 days"));
        assert_eq!(numbers("1,250.5"), numbers("1250.5"));
    }
}
