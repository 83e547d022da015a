//! What kind of answer a question wants, and whether a sentence offers one.

mod words;

use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation;

use self::words::{ASKING, NUMBER_WORDS, TIME_WORDS};

/// The kind of answer a question asks for, by its question word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Quantity,
    Time,
    Person,
    Place,
    Other,
}

impl Wanted {
    /// Returns what `question` asks for.
    pub(super) fn of(question: &str) -> Self {
        let lower = question.to_lowercase();
        let spaced: String = lower
            .chars()
            .map(|c| if c.is_alphanumeric() || is_mark(c) { c } else { ' ' })
            .collect();
        let spaced = format!(" {} ", spaced.split_whitespace().collect::<Vec<_>>().join(" "));
        let asks = |phrase: &str| {
            let unspaced =
                phrase.chars().next().is_some_and(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            if unspaced { spaced.contains(phrase) } else { spaced.contains(&format!(" {phrase} ")) }
        };
        let found = ASKING.iter().find(|(_, phrases)| phrases.split("; ").any(asks));
        found.map_or(Self::Other, |(wanted, _)| *wanted)
    }
}

/// Vowel signs of Devanagari and Arabic are part of a word, though not letters.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{900}'..='\u{97f}' | '\u{610}'..='\u{65f}' | '\u{6d6}'..='\u{6ed}')
        && character != '\u{964}'
}

/// What a text offers that could be an answer: the numbers, times and names in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// Runs of digits with inner separators.
    pub(super) numbers: HashSet<String>,
    /// Numbers that look like years, and words for times.
    pub(super) times: HashSet<String>,
    /// Words for numbers.
    pub(super) number_words: HashSet<String>,
    /// Capitalised words that do not begin the text, in lower case.
    pub(super) names: HashSet<String>,
    /// All words in lower case.
    pub(super) words: HashSet<String>,
}

impl Offer {
    /// Returns what `text` offers.
    pub(super) fn of(text: &str) -> Self {
        let mut offer = Self::default();
        for (position, word) in text.unicode_words().enumerate() {
            let lower = word.to_lowercase();
            if word.chars().next().is_some_and(char::is_numeric) {
                if is_year(&lower) {
                    offer.times.insert(lower.clone());
                }
                offer.numbers.insert(lower.clone());
            } else if NUMBER_WORDS.contains(lower.as_str()) {
                offer.number_words.insert(lower.clone());
            } else if TIME_WORDS.contains(lower.as_str()) {
                offer.times.insert(lower.clone());
            } else if position > 0 && word.chars().next().is_some_and(char::is_uppercase) {
                offer.names.insert(lower.clone());
            }
            offer.words.insert(lower);
        }
        offer
    }

    /// Returns how many of `mine` the question did not bring itself.
    fn new_words(mine: &HashSet<String>, asked: &Self) -> usize {
        mine.iter().filter(|word| !asked.words.contains(*word)).count()
    }

    /// Returns how many numbers are offered that `asked` does not hold.
    pub(super) fn new_numbers(&self, asked: &Self) -> usize {
        Self::new_words(&self.numbers, asked)
    }

    /// Returns how many words for numbers are offered that `asked` does not hold.
    pub(super) fn new_number_words(&self, asked: &Self) -> usize {
        Self::new_words(&self.number_words, asked)
    }

    /// Returns how many times are offered that `asked` does not hold.
    pub(super) fn new_times(&self, asked: &Self) -> usize {
        Self::new_words(&self.times, asked)
    }

    /// Returns how many names are offered that `asked` does not hold.
    pub(super) fn new_names(&self, asked: &Self) -> usize {
        Self::new_words(&self.names, asked)
    }
}

/// Whether a word is a year or a decade: `1066`, `1990s`, `٢٠٢٠`.
fn is_year(word: &str) -> bool {
    let digits = word.strip_suffix('s').unwrap_or(word);
    digits.chars().count() == 4
        && digits.chars().all(char::is_numeric)
        && (!digits.is_ascii() || digits.starts_with('1') || digits.starts_with("20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_words_tell_what_is_wanted() {
        for (question, wanted) in [
            ("How many people live there?", Wanted::Quantity),
            ("In what year did it end?", Wanted::Time),
            ("Wer hat es erfunden?", Wanted::Person),
            ("¿Dónde está?", Wanted::Place),
            ("کب ختم ہوا؟", Wanted::Time),
            ("कितने लोग?", Wanted::Quantity),
            ("这是哪一年发生的？", Wanted::Time),
            ("Whoever wins, what is it?", Wanted::Other),
        ] {
            assert_eq!(Wanted::of(question), wanted, "{question}");
        }
    }

    #[test]
    fn offers_only_what_the_question_did_not_say() {
        let asked = Offer::of("When did Rollo arrive in 911?");
        let offer = Offer::of("In 911, and again in May 1066, Rollo met King Charles.");
        assert_eq!(offer.new_numbers(&asked), 1);
        assert_eq!(offer.new_times(&asked), 2);
        assert_eq!(offer.new_names(&asked), 2);
    }

    #[test]
    fn knows_numbers_and_times_in_words() {
        let asked = Offer::default();
        for number in ["zehn Jahre", "दस गुना अधिक", "ثلاثة أيام", "دس سال", "diez años"]
        {
            assert_eq!(Offer::of(number).new_number_words(&asked), 1, "{number}");
        }
        for time in ["im März", "अप्रैल में", "في مايو", "اپریل میں", "en el siglo"]
        {
            assert_eq!(Offer::of(time).new_times(&asked), 1, "{time}");
        }
    }
}
