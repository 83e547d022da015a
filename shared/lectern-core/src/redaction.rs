//! Personal data covered: in a document before anything of it is stored, or in a passage before anybody sees it.
//!
//! What is personal is decided over a document's whole text, with all kinds: where a chunk was cut, or which kinds are to be
//! covered, changes nothing about what is found. So the same bytes are covered in a passage and in the text it is from, and
//! what is quoted from one stands in the other.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    chunking::{Chunk, HEADING_SEPARATOR},
    passage::{Passage, indexed_text},
    personal::{Found, Kind, Kinds, find},
    text::ParsedText,
};

/// What a byte of personal data is covered by.
const COVER: u8 = b'*';

/// A place of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

impl Place {
    fn range(self) -> Range<usize> {
        self.start..self.end
    }

    fn moved(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by, ..self }
    }

    /// Returns what of the place is in `range`, counted from its start.
    fn within(self, range: Range<usize>) -> Option<Self> {
        let (start, end) = (self.start.max(range.start), self.end.min(range.end));
        (start < end).then(|| Self { start: start - range.start, end: end - range.start, ..self })
    }
}

impl From<Found> for Place {
    fn from(found: Found) -> Self {
        Self { start: found.span.start, end: found.span.end, kind: found.kind }
    }
}

/// Where a passage holds personal data of any kind, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Places {
    /// In its heading.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heading: Vec<Place>,
    /// In its text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<Place>,
}

impl Places {
    /// Returns the places of this passage and of one that follows it under the same headings, whose text begins `distance`
    /// bytes after this one's.
    #[must_use]
    pub fn followed_by(&self, next: &Self, distance: usize) -> Self {
        let text = self.text.iter().copied();
        let text = in_order(text.chain(next.text.iter().map(|place| place.moved(distance))));
        Self { heading: self.heading.clone(), text }
    }

    /// Whether all places are in heading and text, and cut no character.
    fn fit(&self, heading: &str, text: &str) -> bool {
        let fit = |places: &[Place], text: &str| {
            places.iter().all(|place| text.get(place.range()).is_some())
        };
        fit(&self.heading, heading) && fit(&self.text, text)
    }

    fn without(mut self, kinds: Kinds) -> Self {
        self.heading.retain(|place| !kinds.contains(place.kind));
        self.text.retain(|place| !kinds.contains(place.kind));
        self
    }
}

/// Where a whole document holds personal data of any kind.
#[derive(Clone, Debug)]
pub struct Survey(Vec<Place>);

impl Survey {
    /// Reads a document's text in time linear in its length.
    #[must_use]
    pub fn of(document: &ParsedText) -> Self {
        Self(places(&document.text))
    }

    /// Returns where a chunk of the document holds personal data.
    #[must_use]
    pub fn places(&self, chunk: &Chunk) -> Places {
        let text = within(&self.0, chunk.span.start..chunk.span.end);
        Places { heading: in_heading(&chunk.heading), text }
    }
}

/// Returns `text`, a whole document's, with personal data of these kinds covered.
#[must_use]
pub fn redacted(mut text: String, kinds: Kinds) -> String {
    if !kinds.is_empty() {
        let places = places(&text);
        cover(&mut text, &places, kinds);
    }
    text
}

impl ParsedText {
    /// Covers personal data of these kinds in text and title. Length and blocks stay as they are.
    pub fn redact(&mut self, kinds: Kinds) {
        if kinds.is_empty() {
            return;
        }
        if let Some(title) = &mut self.title {
            let places = in_heading(title);
            cover(title, &places, kinds);
        }
        let places = places(&self.text);
        cover(&mut self.text, &places, kinds);
    }
}

impl Passage {
    /// Covers personal data of these kinds in heading and text: where ingestion found it, or, where nobody looked then, where
    /// they show it by themselves.
    pub fn redact(&mut self, kinds: Kinds) {
        if kinds.is_empty() {
            return;
        }
        let known = self.personal.take().filter(|places| places.fit(&self.heading, &self.text));
        let places = known.unwrap_or_else(|| Places {
            heading: in_heading(&self.heading),
            text: places(&self.text),
        });
        let in_heading = cover(&mut self.heading, &places.heading, kinds);
        let in_text = cover(&mut self.text, &places.text, kinds);
        if in_heading || in_text {
            // The hash of what was covered would tell what it was to whoever tries all numbers.
            let indexed = indexed_text(&self.heading, &self.text);
            self.text_sha256 = hex::encode(Sha256::digest(indexed));
        }
        self.personal = Some(places.without(kinds));
    }
}

fn places(text: &str) -> Vec<Place> {
    find(text, &Kind::ALL).into_iter().map(Place::from).collect()
}

/// Returns what headings that are joined say each by itself, as they do in the text, and what they say together.
fn in_heading(heading: &str) -> Vec<Place> {
    let mut found = places(heading);
    let mut start = 0;
    for name in heading.split(HEADING_SEPARATOR) {
        found.extend(places(name).into_iter().map(|place| place.moved(start)));
        start += name.len() + HEADING_SEPARATOR.len();
    }
    in_order(found.into_iter())
}

fn in_order(places: impl Iterator<Item = Place>) -> Vec<Place> {
    let mut places: Vec<Place> = places.collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Returns what of some places, in order and without overlap, is in `range`, counted from its start.
fn within(places: &[Place], range: Range<usize>) -> Vec<Place> {
    let first = places.partition_point(|place| place.end <= range.start);
    let near = places[first..].iter().take_while(|place| place.start < range.end);
    near.filter_map(|place| place.within(range.clone())).collect()
}

/// Covers the places of these kinds, which cut no character, and returns whether there were any.
fn cover(text: &mut String, places: &[Place], kinds: Kinds) -> bool {
    let mut wanted = places.iter().filter(|place| kinds.contains(place.kind)).peekable();
    if wanted.peek().is_none() {
        return false;
    }
    let mut bytes = std::mem::take(text).into_bytes();
    for place in wanted {
        bytes[place.range()].fill(COVER);
    }
    *text = String::from_utf8(bytes).expect("whole characters are covered");
    true
}

#[cfg(test)]
#[path = "redaction/tests.rs"]
mod tests;
