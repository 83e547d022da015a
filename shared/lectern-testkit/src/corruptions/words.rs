//! Words of eight languages that paraphrases and corruptions are made with. Written for the tests alone and kept
//! apart from the verifier's own lists, so that it is not measured by what it knows.

mod arabic_script;
mod asian;
mod english;
mod european;

use self::{
    arabic_script::{ARABIC, URDU},
    asian::{CHINESE, HINDI},
    english::ENGLISH,
    european::{GERMAN, SPANISH},
};

/// What is done to sentences of one language.
#[derive(Debug)]
pub(super) struct Words {
    pub(in crate::corruptions) language: &'static str,
    /// Words that may stand for each other.
    pub(in crate::corruptions) synonyms: &'static [(&'static str, &'static str)],
    /// Words that can be left out.
    pub(in crate::corruptions) fillers: &'static [&'static str],
    /// What a sentence can be introduced with.
    pub(in crate::corruptions) frames: &'static [&'static str],
    /// Words a clause of place or time begins with; it can be left out or moved to the end.
    pub(in crate::corruptions) adverbial: &'static [&'static str],
    /// Joins two sentences.
    pub(in crate::corruptions) and: &'static str,
    /// What adds a denial: a word and what it becomes.
    pub(in crate::corruptions) denials: &'static [(&'static str, &'static str)],
    /// What takes a denial away: a phrase and what it becomes.
    pub(in crate::corruptions) affirmations: &'static [(&'static str, &'static str)],
    /// Groups of units that can stand for each other in a sentence but not in fact.
    pub(in crate::corruptions) units: &'static [&'static [&'static str]],
    pub(in crate::corruptions) months: &'static [&'static str],
    /// Spelled-out numbers.
    pub(in crate::corruptions) numbers: &'static [(&'static str, &'static str)],
    /// Names, where no capitals show them.
    pub(in crate::corruptions) names: &'static [&'static str],
}

pub(super) const LANGUAGES: [&Words; 7] =
    [&ENGLISH, &GERMAN, &SPANISH, &ARABIC, &HINDI, &URDU, &CHINESE];

/// Returns the words of a language, English for those without.
pub(super) fn words_of(language: &str) -> &'static Words {
    LANGUAGES.into_iter().find(|words| words.language == language).unwrap_or(&ENGLISH)
}
