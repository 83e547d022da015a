//! Which words of a folded text speak of machines, answers, rules, secrets and the like, in many languages.

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use aho_corasick::AhoCorasick;

use super::fold::Folded;

const SOURCES: [&str; 9] = [
    include_str!("lexicon/en.txt"),
    include_str!("lexicon/de.txt"),
    include_str!("lexicon/es.txt"),
    include_str!("lexicon/fr.txt"),
    include_str!("lexicon/it-pt.txt"),
    include_str!("lexicon/ru.txt"),
    include_str!("lexicon/tr.txt"),
    include_str!("lexicon/ar-ur-hi.txt"),
    include_str!("lexicon/zh-ja.txt"),
];

/// Most words of a text that are looked at.
const MAX_WORDS: usize = 20_000;
/// Fewest letters of a word that is looked for where words are not set apart.
const MIN_RUN_TOGETHER: usize = 4;

/// What a word may be; a set, as `answer` is a deed and a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags(u32);

macro_rules! tags {
    ($($name:ident $word:literal,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Bit { $($name,)* }
        impl Tags {
            $(pub(super) const $name: Self = Self(1 << Bit::$name as u32);)*
            fn named(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

tags! {
    MACHINE "machine", HELPER "helper", DEVICE "device", ADDRESS "address", EVERY "every", TOWARD "toward",
    READ "read", MODAL "modal", SAY "say", ORDER "order", EMIT "emit", FAVOUR "favour", DISCARD "discard",
    PRIOR "prior", RULES "rules", SELF "self", YOUR_OUT "yourout", OUT "out", EVERY_OUT "everyout", ASKED "asked",
    USER "user", ALWAYS "always", CONCEAL "conceal", SECRET "secret", ROLE "role", AUTH "auth", SOURCE "source",
    GIST "gist", DESC "desc", DEFINITE "definite", NEVER "never",
}

impl Tags {
    /// Whether the two have a tag in common.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the number of each tag.
    pub(super) fn bits(self) -> impl Iterator<Item = u64> + Clone {
        (0..u64::from(u32::BITS)).filter(move |bit| self.0 >> bit & 1 == 1)
    }

    /// Returns the tags of both.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A word or phrase of the lexicon in a text.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) range: Range<usize>,
    pub(super) tags: Tags,
}

/// How the words of a text are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spacing {
    /// By what is no letter.
    Words,
    /// Not at all: the spaces were lost when it was decoded.
    Lost,
}

struct Entry {
    tags: Tags,
    letters: usize,
    is_bound_left: bool,
    is_bound_right: bool,
}

struct Lexicon {
    matcher: AhoCorasick,
    entries: Vec<Entry>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut tags_of: BTreeMap<String, Tags> = BTreeMap::new();
    for (name, entries) in SOURCES.iter().flat_map(|source| source.lines()).filter_map(definition) {
        let tags = Tags::named(name).expect("the lexicon's tags are fixed");
        for entry in entries.split(", ").map(str::trim).filter(|entry| !entry.is_empty()) {
            let known = tags_of.entry(Folded::of(entry).text).or_default();
            *known = known.or(tags);
        }
    }
    let spellings = tags_of.keys().map(|entry| entry.trim_end_matches('*'));
    let matcher = AhoCorasick::new(spellings).expect("the lexicon fits a matcher");
    let entries = tags_of.iter().map(|(entry, &tags)| Entry::of(entry, tags)).collect();
    Lexicon { matcher, entries }
});

fn definition(line: &str) -> Option<(&str, &str)> {
    let (name, entries) = line.split_once('=')?;
    (!line.starts_with('#')).then_some((name.trim(), entries))
}

impl Entry {
    fn of(spelling: &str, tags: Tags) -> Self {
        let letters = spelling.trim_end_matches('*');
        Self {
            tags,
            letters: letters.len(),
            is_bound_left: letters.chars().next().is_some_and(is_word),
            is_bound_right: letters.ends_with(is_word) && !spelling.ends_with('*'),
        }
    }

    fn fits(&self, text: &str, range: &Range<usize>, spacing: Spacing) -> bool {
        if spacing == Spacing::Lost {
            return self.letters >= MIN_RUN_TOGETHER;
        }
        !(self.is_bound_left && text[..range.start].ends_with(is_word)
            || self.is_bound_right && text[range.end..].starts_with(is_word))
    }
}

/// Whether `c` belongs to a word that is set apart from the next; scripts without spaces have none.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || (!c.is_ascii()
            && c.is_alphanumeric()
            && !matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'))
}

/// Returns the words of the lexicon in a folded text, by where they begin.
pub(super) fn words(text: &str, spacing: Spacing) -> Vec<Word> {
    let lexicon = &*LEXICON;
    let mut words: Vec<Word> = lexicon
        .matcher
        .find_overlapping_iter(text)
        .filter_map(|found| {
            let entry = &lexicon.entries[found.pattern().as_usize()];
            let range = found.range();
            entry.fits(text, &range, spacing).then_some(Word { range, tags: entry.tags })
        })
        .take(MAX_WORDS)
        .collect();
    words.sort_by_key(|word| (word.range.start, word.range.end));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_may_be_several_things_and_stands_by_itself() {
        let found = words("the answer of a chatbot, not answered", Spacing::Words);
        assert!(
            found
                .iter()
                .any(|w| w.range == (4..10) && w.tags.has(Tags::SAY) && w.tags.has(Tags::OUT))
        );
        assert!(found.iter().any(|w| w.tags.has(Tags::MACHINE)));
        assert!(!found.iter().any(|w| w.range.start == 29));
    }

    #[test]
    fn scripts_without_spaces_are_searched_everywhere() {
        assert!(
            words("给人工智能助手的话", Spacing::Words).iter().any(|w| w.tags.has(Tags::MACHINE))
        );
    }
}
