//! The closed-class words of each language by which a follow-up shows itself, from `followup/lexicon/*.txt`.
//!
//! A file has one list per line: its name, a colon, and its entries, separated by spaces or, where they hold spaces,
//! by `|`. Stop words of [`crate::analysis`] need not be repeated.

use std::{collections::HashSet, sync::LazyLock};

use unicode_segmentation::UnicodeSegmentation;

use super::words::Capitals;
use crate::analysis;

/// The words of one language.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// ISO 639-3.
    pub(super) code: &'static str,
    pub(super) capitals: Capitals,
    /// Words are not separated by spaces.
    pub(super) is_unspaced: bool,
    /// Words of substance, by [`super::words::Word::weight`], with which a question names its own topic.
    pub(super) many_terms: usize,
    /// Words of substance before a pronoun that it then refers to. Chinese names a topic first.
    pub(super) antecedents: usize,
    /// Who, what, when; and the verbs a question without these begins with.
    pub(super) asks: HashSet<String>,
    /// Say what is asked, but not what about.
    pub(super) generic: HashSet<String>,
    /// Say nothing, beyond the stop words.
    pub(super) empty: HashSet<String>,
    /// Refer to what was spoken of.
    pronouns: HashSet<String>,
    /// Endings of words that hold a pronoun, such as `-arlo`.
    pronoun_endings: Vec<String>,
    /// Pronouns in small letters only; in capitals they address the reader (`Sie`).
    formal: HashSet<String>,
    /// Pronouns that refer to nothing after one of `dummy_before`, or before one of `dummy_after`.
    dummies: HashSet<String>,
    dummy_before: HashSet<String>,
    dummy_after: HashSet<String>,
    /// Open the clause that such a pronoun stands for.
    clause: HashSet<String>,
    /// Word sequences a continuation opens with, longest first.
    openings: Vec<Vec<String>>,
    /// Word sequences a continuation closes with.
    closings: Vec<Vec<String>>,
}

type Source = (&'static str, Capitals, bool, &'static str);

const SOURCES: [Source; 8] = [
    ("eng", Capitals::Names, false, include_str!("lexicon/eng.txt")),
    ("deu", Capitals::Nouns, false, include_str!("lexicon/deu.txt")),
    ("spa", Capitals::Names, false, include_str!("lexicon/spa.txt")),
    ("fra", Capitals::Names, false, include_str!("lexicon/fra.txt")),
    ("urd", Capitals::Absent, false, include_str!("lexicon/urd.txt")),
    ("ara", Capitals::Absent, false, include_str!("lexicon/ara.txt")),
    ("hin", Capitals::Absent, false, include_str!("lexicon/hin.txt")),
    ("cmn", Capitals::Absent, true, include_str!("lexicon/cmn.txt")),
];

static LEXICONS: LazyLock<Vec<Lexicon>> =
    LazyLock::new(|| SOURCES.iter().map(Lexicon::parse).collect());

/// Words by which a language is recognised; more of a question are not needed.
const RECOGNISED_WORDS: usize = 40;
/// How many words before a pronoun can make it refer to nothing.
const DUMMY_REACH: usize = 2;
/// Fewest letters before an ending that makes a word hold a pronoun.
const MIN_BEFORE_ENDING: usize = 3;

/// Returns the one spelling that words are compared in, that of the search index. Accents stay: `él` is a pronoun,
/// `el` is not.
pub(super) fn spelling(word: &str) -> String {
    analysis::normalize(word)
}

impl Lexicon {
    fn parse((code, capitals, is_unspaced, text): &Source) -> Self {
        let entries = |name: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            let listed = lines.filter(|(list, _)| *list == name).map(|(_, entries)| entries);
            let cut = |entries: &'static str| -> Vec<&'static str> {
                if entries.contains('|') {
                    entries.split('|').collect()
                } else {
                    entries.split_whitespace().collect()
                }
            };
            listed.flat_map(cut).map(|entry| spelling(entry.trim())).collect()
        };
        let set = |name: &str| entries(name).into_iter().collect();
        let sequences = |name: &str| -> Vec<Vec<String>> {
            let words = |entry: &String| entry.split_whitespace().map(str::to_owned).collect();
            let mut sequences: Vec<Vec<String>> = entries(name).iter().map(words).collect();
            sequences.sort_by_key(|words| std::cmp::Reverse(words.len()));
            sequences
        };
        Self {
            code,
            capitals: *capitals,
            is_unspaced: *is_unspaced,
            // Only nouns count where they can be told from verbs.
            many_terms: if *capitals == Capitals::Nouns { 3 } else { 4 },
            antecedents: if *is_unspaced { 1 } else { 2 },
            asks: set("asks"),
            generic: set("generic"),
            empty: set("empty"),
            pronouns: set("pronouns"),
            pronoun_endings: entries("pronoun endings"),
            formal: set("formal"),
            dummies: set("dummies"),
            dummy_before: set("dummy before"),
            dummy_after: set("dummy after"),
            clause: set("clause"),
            openings: sequences("openings"),
            closings: sequences("closings"),
        }
    }

    /// Returns the lexicon that knows most words of `question`; of equals the one that knows most of the last one,
    /// so that `And in Berlin?` is in the language of the conversation. `None` when none knows a word of either.
    pub(super) fn of(question: &str, last: &str) -> Option<&'static Self> {
        let (question, last) = (Recognised::of(question), Recognised::of(last));
        let counted = LEXICONS.iter().rev().map(|lexicon| {
            let known = (lexicon.known(&question), lexicon.known(&last));
            (known, lexicon)
        });
        let best = counted.max_by_key(|(known, _)| *known);
        best.filter(|(known, _)| *known != (0, 0)).map(|(_, lexicon)| lexicon)
    }

    /// Returns how many words of a text are in the lists or are stop words of the language.
    fn known(&self, text: &Recognised) -> usize {
        if self.is_unspaced {
            let lists = [&self.asks, &self.pronouns, &self.empty].into_iter().flatten();
            let held = lists.filter(|word| text.joined.contains(word.as_str())).count();
            return if text.has_kana { 0 } else { held };
        }
        let is_known = |word: &&String| {
            self.pronouns.contains(*word)
                || self.asks.contains(*word)
                || self.empty.contains(*word)
                || self.openings.iter().any(|opening| opening.len() == 1 && opening[0] == **word)
                || analysis::is_stop_word(word, self.code)
        };
        text.words.iter().filter(is_known).count()
    }

    /// Returns how many words the opening of a continuation takes, 0 when there is none.
    pub(super) fn opening_length(&self, words: &[String]) -> usize {
        let opens = |opening: &&Vec<String>| words.starts_with(opening);
        self.openings.iter().find(opens).map_or(0, Vec::len)
    }

    /// Whether the last words are those of a continuation, such as `呢`.
    pub(super) fn closes_as_continuation(&self, words: &[String]) -> bool {
        self.closings.iter().any(|closing| words.ends_with(closing))
    }

    /// Whether the word at `at` refers to what was spoken of. `is_formal` says that it has a capital within
    /// a sentence.
    pub(super) fn refers(&self, at: usize, words: &[String], is_formal: bool) -> bool {
        let word = words[at].as_str();
        if self.dummies.contains(word) && self.is_dummy(at, words) {
            return false;
        }
        if self.pronouns.contains(word) {
            return !(is_formal && self.formal.contains(word));
        }
        self.pronoun_endings.iter().any(|ending| {
            word.strip_suffix(ending.as_str())
                .is_some_and(|rest| rest.chars().count() >= MIN_BEFORE_ENDING)
        })
    }

    /// Whether a pronoun stands for a clause or for nothing: `how long does it take to …`.
    fn is_dummy(&self, at: usize, words: &[String]) -> bool {
        let before = &words[at.saturating_sub(DUMMY_REACH)..at];
        let after = &words[at + 1..];
        let continues = after.get(1..).unwrap_or_default().iter();
        before.iter().any(|word| self.dummy_before.contains(word))
            || (after.first().is_some_and(|word| self.dummy_after.contains(word))
                && continues.clone().any(|word| self.clause.contains(word)))
    }

    /// Returns the length in bytes of the longest word of the lists that `text` begins with.
    pub(super) fn known_prefix(&self, text: &str) -> Option<usize> {
        let lists = [&self.asks, &self.pronouns, &self.generic, &self.empty].into_iter().flatten();
        let sequences =
            self.openings.iter().chain(&self.closings).filter_map(|words| words.first());
        let begins = |word: &&String| text.starts_with(word.as_str());
        lists.chain(sequences).filter(begins).map(String::len).max()
    }
}

/// The words of a text by which its language is recognised.
struct Recognised {
    words: Vec<String>,
    joined: String,
    has_kana: bool,
}

impl Recognised {
    fn of(text: &str) -> Self {
        let words: Vec<String> =
            text.unicode_words().take(RECOGNISED_WORDS).map(spelling).collect();
        let joined = words.concat();
        let has_kana = joined.contains(|character| matches!(character, '\u{3040}'..='\u{30ff}'));
        Self { words, joined, has_kana }
    }
}
