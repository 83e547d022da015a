//! The addresses and tags that the sources of an answer have.

use std::collections::HashSet;

use super::{
    MAX_WORD_BYTES, Outgoing,
    addresses::{self, Found},
    tags, units,
};

/// What a text may carry out: the addresses and tags of its sources.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    addresses: HashSet<String>,
    tags: HashSet<String>,
}

impl Sources {
    /// Returns what these texts have.
    #[must_use]
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut sources = Self::default();
        for text in texts {
            sources.read_tags(text);
            let mut before = "";
            for words in text.split_ascii_whitespace() {
                if addresses::opens(before) {
                    sources.add_target(words);
                }
                sources.read_words(words);
                before = words;
            }
        }
        sources
    }

    /// Whether all of a text would leave as it is.
    #[must_use]
    pub fn lets_out(&self, text: &str) -> bool {
        let mut outgoing = Outgoing::new(self);
        outgoing.push(text) + &outgoing.finish() == text
    }

    /// Whether a source has an address that begins and ends where this one does.
    pub(super) fn has(&self, address: &str) -> bool {
        self.addresses.contains(address)
    }

    /// Whether a source has a tag.
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.tags.contains(tag)
    }

    fn read_tags(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            rest = &rest[at..];
            let is_tag = units::begins_tag(rest, false) == Some(true);
            let Some(length) = units::tag_length(rest).filter(|_| is_tag) else {
                rest = &rest[1..];
                continue;
            };
            let tag = &rest[..length];
            self.add_tag(tag);
            // The first `<` may have been less-than.
            self.add_tag(&tag[tag.rfind('<').unwrap_or_default()..]);
            rest = &rest[length..];
        }
    }

    fn add_tag(&mut self, tag: &str) {
        if tags::is_closed(tag) {
            self.tags.insert(tag.to_owned());
        }
    }

    /// Reads what stands between blanks, cut as it is in an answer.
    fn read_words(&mut self, words: &str) {
        let mut rest = words;
        while !rest.is_empty() {
            let word;
            (word, rest) = rest.split_at(rest.floor_char_boundary(MAX_WORD_BYTES));
            self.read_word(word);
        }
    }

    /// Where an address ends in a source is less sure than in an answer: `"https://a.example/b","c"`. It is known up to the
    /// end of its word, and up to the first sign that seldom stands in an address.
    fn read_word(&mut self, word: &str) {
        let mut rest = word;
        while let Some(found) = addresses::first(rest) {
            rest = match found {
                Found::Opening { behind } => {
                    self.add_target(&rest[behind..]);
                    &rest[behind..]
                }
                Found::Address { start } | Found::Name { start, .. } => {
                    let whole = &rest[start..];
                    let cut = addresses::cut(whole);
                    self.add(addresses::without_closing(whole));
                    self.add(&whole[..cut]);
                    &whole[cut.max(1)..]
                }
            };
        }
        if addresses::spells(word) {
            self.add(addresses::without_closing(word));
        }
    }

    fn add_target(&mut self, word: &str) {
        let target = addresses::target(word);
        self.add(target);
        self.add(addresses::without_closing(target));
    }

    fn add(&mut self, address: &str) {
        for known in [Some(address), address.split_once("://").map(|(_, behind)| behind)] {
            if let Some(known) = known.filter(|known| !known.is_empty()) {
                self.addresses.insert(known.to_owned());
            }
        }
    }
}
