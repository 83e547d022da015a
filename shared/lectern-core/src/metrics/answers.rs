//! Metrics of an answer against gold answers.
//!
//! [`exact_match`] and [`token_f1`] are those of SQuAD (Rajpurkar et al. 2016; with the rule of SQuAD 2.0 for
//! empty answers): lower case, without punctuation and without the articles a, an, the. As in MLQA (Lewis et
//! al. 2020) punctuation is that of every script, and each character of a script written without
//! spaces is a token. [`is_hit`] asks less: a gold answer stands somewhere in the text.

use std::collections::HashMap;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

const ARTICLES: [&str; 3] = ["a", "an", "the"];
/// Punctuation of other scripts that [`is_hit`] takes for a space, beside ASCII's.
const FULL_STOPS: [char; 9] = ['。', '،', '؟', '۔', '！', '？', '「', '」', '、'];
/// The Devanagari full stop, which Unicode counts as punctuation too.
const DANDA: char = '।';

/// Returns the tokens of an answer as SQuAD compares them.
#[must_use]
pub fn tokens(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for character in text.to_lowercase().chars() {
        if is_punctuation(character) {
            continue;
        }
        if is_written_without_spaces(character) {
            plain.extend([' ', character, ' ']);
        } else {
            plain.push(character);
        }
    }
    without_articles(&plain).split_whitespace().map(str::to_owned).collect()
}

/// Returns text with a space where the words a, an, the stood.
fn without_articles(text: &str) -> String {
    let is_same_kind = |one: char, other: char| one.is_alphanumeric() == other.is_alphanumeric();
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|next| !is_same_kind(first, next)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        kept.push_str(if ARTICLES.contains(&run) { " " } else { run });
        rest = after;
    }
    kept
}

/// ASCII's punctuation holds symbols too (`string.punctuation` of Python, which SQuAD uses).
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || !character.is_ascii()
            && character.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// Han, Hiragana, Katakana, Thai, Lao, Myanmar and Khmer.
fn is_written_without_spaces(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Whether an answer equals a gold answer, as SQuAD compares them.
#[must_use]
pub fn exact_match(answer: &str, gold: &[String]) -> bool {
    let said = tokens(answer);
    gold.iter().any(|gold| tokens(gold) == said)
}

/// Returns the best F1 of the answer's tokens against those of a gold answer, 0 without gold answers.
/// Where one of the two has no token both must have none.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "answers have few tokens")]
pub fn token_f1(answer: &str, gold: &[String]) -> f64 {
    let said = tokens(answer);
    let f1 = |gold: &String| {
        let gold = tokens(gold);
        if said.is_empty() || gold.is_empty() {
            return f64::from(u8::from(said == gold));
        }
        // 2PR / (P + R), with precision common / said and recall common / gold.
        2.0 * common(&said, &gold) as f64 / (said.len() + gold.len()) as f64
    };
    gold.iter().map(f1).fold(0.0, f64::max)
}

/// Returns how many tokens both have, counting repetitions.
fn common(one: &[String], other: &[String]) -> usize {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for token in one {
        *counts.entry(token).or_default() += 1;
    }
    let mut take = |token: &&String| match counts.get_mut(token.as_str()) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    other.iter().filter(|token| take(token)).count()
}

/// Whether a gold answer stands in the answer: a substring once both are lower case, with punctuation as
/// space, without articles, and white space collapsed. An answer of nothing else hits nothing.
#[must_use]
pub fn is_hit(answer: &str, gold: &[String]) -> bool {
    let said = loosely(answer);
    gold.iter().map(|gold| loosely(gold)).any(|gold| !gold.is_empty() && said.contains(&gold))
}

fn loosely(text: &str) -> String {
    let is_space = |character: char| {
        character.is_ascii_punctuation() || FULL_STOPS.contains(&character) || character == DANDA
    };
    let plain: String = text
        .to_lowercase()
        .chars()
        .map(|character| if is_space(character) { ' ' } else { character })
        .collect();
    let plain = without_articles(&plain);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "answers/tests.rs"]
mod tests;
