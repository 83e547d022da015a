//! When two questions may share an answer.
//!
//! Embeddings place "the limits of 2023" beside "the limits of 2024" and "can I …" beside "can I not …", closer
//! than many paraphrases lie to each other. So beside a high cosine two questions must agree in every word
//! that turns an answer around: numbers, names, negations, question words and opposites. What is judged
//! wrongly here costs a cache hit in one direction and a wrong answer in the other; every rule errs towards the first.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

use crate::analysis;

/// Words both questions must hold, or neither: negations of several languages, question words, numbers in
/// words, and English opposites. Lower case.
const MARKED: &str = "
    above after ago aint all always any before below best both can't cannot close create decrease delete
    disable disabled download each earliest eight either enable enabled end every except export external
    few fewer first five four higher highest how import increase input inside internal kein keine keinen
    last latest least less longest lower lowest max maximum min minimum more most neither never new
    newest next nicht nie nine ninguna ninguno no nobody non none nor not nothing nunca off old oldest
    one only open optional out output outside over pas previous private public read receive remove
    required sans second send seven shortest should sin six start stop ten third three today tomorrow
    two under until unless upload what when where which who whom whose why with without worst write
    yesterday zero без не нет никогда بدون غير لا لم لن ليس ما نه نہ نہیں هیچ नहीं
";

/// Whether an answer to `one` may be given to `other`, if the two mean nearly the same: they hold the same
/// numbers, the same capitalised words (in either's capitals), the same negations, question words and opposites.
#[must_use]
pub fn may_share_answer(one: &str, other: &str) -> bool {
    let (one, other) = (Marks::of(one), Marks::of(other));
    one.numbers == other.numbers
        && one.marked == other.marked
        && one.names.is_subset(&other.words)
        && other.names.is_subset(&one.words)
}

/// What of a question has to be found in another.
#[derive(Debug)]
struct Marks {
    numbers: Vec<String>,
    marked: BTreeSet<String>,
    names: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl Marks {
    fn of(question: &str) -> Self {
        // Compatibility forms first: a superscript or full-width digit is that digit.
        let text: String = question.nfkc().map(western_digit).collect();
        let mut marks = Self {
            numbers: Vec::new(),
            marked: BTreeSet::new(),
            names: BTreeSet::new(),
            words: BTreeSet::new(),
        };
        for (position, raw) in text.split_whitespace().enumerate() {
            let word = raw.trim_matches(|letter: char| !letter.is_alphanumeric());
            let lower = word.to_lowercase().replace('’', "'");
            if lower.is_empty() {
                continue;
            }
            if lower.chars().any(|letter| letter.is_ascii_digit()) {
                // With its signs and letters: -5, 1.5, v2 and 10% are not 5, 15, 2 and 10.
                let sign = raw.trim_matches(|letter: char| !is_of_number(letter));
                marks.numbers.push(sign.to_lowercase());
            }
            if is_marked(&lower) {
                marks.marked.insert(lower.clone());
            }
            // The first word is capitalised anyway: it counts when it says something.
            let is_capital = word.chars().any(char::is_uppercase);
            let says = position > 0 || !analysis::content_terms(&lower, "eng").is_empty();
            if is_capital && says && !is_marked(&lower) {
                marks.names.insert(lower.clone());
            }
            marks.words.insert(lower);
        }
        marks.numbers.sort_unstable();
        marks
    }
}

fn is_marked(word: &str) -> bool {
    word.ends_with("n't") || MARKED.split_whitespace().any(|marked| marked == word)
}

/// Whether a sign at the edge of a number belongs to it.
fn is_of_number(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(letter, '-' | '+' | '%' | '$' | '€' | '£' | '°' | '<' | '>')
}

/// Returns the ASCII digit of a decimal digit that Arabic, Persian, Urdu or Devanagari writes.
fn western_digit(letter: char) -> char {
    let zero = match letter {
        '\u{0660}'..='\u{0669}' => 0x0660,
        '\u{06f0}'..='\u{06f9}' => 0x06f0,
        '\u{0966}'..='\u{096f}' => 0x0966,
        _ => return letter,
    };
    char::from_digit(letter as u32 - zero, 10).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_turns_an_answer_around_is_not_shared() {
        for (one, other) in [
            ("What was the budget in 2023?", "What was the budget in 2024?"),
            ("Is -5 degrees fine?", "Is 5 degrees fine?"),
            ("Is a rise of 10 fine?", "Is a rise of 10% fine?"),
            ("Does v2 encrypt backups?", "Does v3 encrypt backups?"),
            ("How many days off in two years?", "How many days off in three years?"),
            ("Can contractors see salaries?", "Can contractors not see salaries?"),
            ("Can I share it?", "Can't I share it?"),
            ("Do backups run with compression?", "Do backups run without compression?"),
            ("When is the Berlin office open?", "When is the Munich office open?"),
            ("Berlin office hours?", "Munich office hours?"),
            ("When do backups run?", "Where do backups run?"),
            ("What is the minimum notice?", "What is the maximum notice?"),
            ("How do I enable logging?", "How do I disable logging?"),
            ("بیک اپ ۲۰۲۳ میں کب چلا؟", "بیک اپ ۲۰۲۴ میں کب چلا؟"),
            ("کیا رسائی ممکن ہے؟", "کیا رسائی ممکن نہیں ہے؟"),
            ("Ist das erlaubt?", "Ist das nicht erlaubt?"),
        ] {
            assert!(!may_share_answer(one, other), "{one} / {other}");
            assert!(!may_share_answer(other, one), "{other} / {one}");
        }
    }

    #[test]
    fn a_paraphrase_is_shared() {
        for (one, other) in [
            ("When do backups run?", "When do the backups run?"),
            ("when does Acme pay invoices", "When are invoices paid by acme?"),
            ("How long are 3 copies kept?", "How long do you keep 3 copies?"),
            ("What was the budget in ۲۰۲۳?", "What was the budget in 2023"),
        ] {
            assert!(may_share_answer(one, other), "{one} / {other}");
        }
    }

    #[test]
    fn marked_words_are_as_they_are_looked_up() {
        for word in MARKED.split_whitespace() {
            assert_eq!(word, word.to_lowercase());
            assert_eq!(word, word.nfkc().collect::<String>());
        }
    }

    proptest! {
        #[test]
        fn sharing_is_mutual_and_with_oneself(one in ".{0,60}", other in ".{0,60}") {
            prop_assert!(may_share_answer(&one, &one));
            prop_assert_eq!(may_share_answer(&one, &other), may_share_answer(&other, &one));
        }

        #[test]
        fn another_number_is_another_question(one in 0_u32..10_000, other in 0_u32..10_000) {
            let ask = |year: u32| format!("What changed in {year}?");
            prop_assert_eq!(may_share_answer(&ask(one), &ask(other)), one == other);
        }
    }
}
