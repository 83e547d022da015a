//! What leaves: a model's text, without links and HTML that its sources do not have.
//!
//! A model that was told to by a document can put what it knows into the address of an image, which a page loads without
//! asking, or send a reader elsewhere. An address is let through only when it stands in the passages or the question, letter
//! by letter and from end to end, and so is a tag; of others the text around them stays. Two rules keep that so behind the
//! filter: where something is taken out between two characters a blank is left, so that nothing is joined, and what has
//! passed once passes again as it is.
//!
//! The text is taken as it arrives: no piece is held longer than its last word, or a tag that is open. Time is linear in
//! the text and its sources; what is held is bounded by [`MAX_WORD_BYTES`].
//!
//! | what renderers make a link or load | what is done about it |
//! |---|---|
//! | `<…>`: elements, comments, autolinks | whole in a source, or taken out; a `<` that nothing closes is taken out |
//! | `](…)`, also behind white space, `](<…>)` | all up to its bracket is an address of a source, or is taken out, whatever it looks like |
//! | `[b]: …` | the same, where it has a scheme, two slashes, a backslash or a character reference |
//! | `https://…`, `//host.name/…`, `https:…`, `javascript:…`, `www.…`, `a@b.example` in text | up to white space, but for closing signs, an address of a source, or taken out |
//! | `host.name/path` in text, which chat clients link | an address of a source, or a blank parts name and path |
//! | any of these spelled with `\:`, `&colon;`, `&#58;` | read as a renderer shows it |
//! | control characters, by which terminals link | taken out |
//!
//! Not done: a name alone (`host.name`) is text, although some clients link it; so is what wikis link, `[[…]]`. Schemes in
//! percent-encoding are none to any browser. HTML of a source leaves as it is: a page that shows answers as HTML must clean
//! them as it would the source. And an address of a source is let through as often as a model writes it, in what order it
//! likes, a few closing signs behind it: a document that lists an address for each letter has a model spell with them.

mod addresses;
mod sent;
mod sources;
mod tags;
mod units;

pub(crate) use self::addresses::is_closing;
pub use self::sources::Sources;
use self::{
    addresses::Found,
    sent::{Awaits, Sent},
    units::Unit,
};

/// Longest tag in bytes; what is longer is none.
const MAX_TAG_BYTES: usize = 512;
/// Longest word that is looked at whole, in bytes; a longer one is parted by a blank.
const MAX_WORD_BYTES: usize = 2_048;
/// Most closing signs behind an address, in bytes, that some renderers count to it: they could spell something.
const MAX_CLOSING_BYTES: usize = 16;

/// A text on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    sources: &'a Sources,
    held: String,
    sent: Sent,
}

impl<'a> Outgoing<'a> {
    /// Returns the way out for a text made from these sources.
    #[must_use]
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, held: String::new(), sent: Sent::default() }
    }

    /// Takes the next piece; returns what may leave by now. However a text is cut, the same leaves.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        self.pass(false)
    }

    /// Returns what was held back, at the end of the text.
    pub fn finish(&mut self) -> String {
        self.pass(true)
    }

    fn pass(&mut self, is_over: bool) -> String {
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_str();
        while let Some((unit, length)) = units::first(rest, is_over, self.sent.awaits()) {
            let text;
            (text, rest) = rest.split_at(length);
            match unit {
                Unit::Blank => self.sent.leave(text),
                Unit::Letter => {
                    self.sent.part_from_address();
                    self.sent.leave(text);
                }
                Unit::Refused => self.sent.part(),
                Unit::Tag => self.tag(text),
                Unit::Word => self.word(text),
            }
        }
        rest.clone_into(&mut self.held);
        self.sent.take()
    }

    fn tag(&mut self, tag: &str) {
        let inner = &tag[1..tag.len() - 1];
        let address = addresses::first(inner);
        let is_autolink = address == Some(Found::Address { start: 0 }) && self.sources.has(inner);
        if !is_autolink && !self.sources.has_tag(tag) {
            self.sent.part();
            return;
        }
        self.sent.part_from_address();
        self.sent.leave(tag);
        if address.is_some() {
            self.sent.end_address();
        }
    }

    fn word(&mut self, word: &str) {
        if !addresses::is_closing(word) {
            self.sent.part_from_address();
        }
        let mut rest = word;
        while !rest.is_empty() {
            rest = match (self.sent.awaits(), addresses::first(rest)) {
                (Awaits::Target, _) => self.target(rest),
                (Awaits::Definition, _) if addresses::leads_away(rest) => self.address(rest, 0),
                (_, None) => self.plain(rest, ""),
                (_, Some(Found::Opening { behind })) => {
                    let (opening, target) = rest.split_at(behind);
                    self.plain(opening, target)
                }
                (_, Some(Found::Address { start } | Found::Name { start, .. })) if start > 0 => {
                    let (before, address) = rest.split_at(start);
                    self.plain(before, "");
                    if addresses::joins(before, address) {
                        self.sent.part();
                    }
                    address
                }
                (_, Some(Found::Address { .. })) => self.address(rest, MAX_CLOSING_BYTES),
                (_, Some(Found::Name { path, .. })) => self.name(rest, path),
            };
        }
        if word.len() >= MAX_WORD_BYTES {
            // It may go on.
            self.sent.part();
        }
    }

    /// Lets through text without addresses, unless it is spelled so that it shows one; returns what is behind it.
    fn plain<'w>(&mut self, text: &str, behind: &'w str) -> &'w str {
        if addresses::spells(text) && !self.sources.has(addresses::without_closing(text)) {
            self.sent.part();
        } else {
            self.sent.leave(text);
        }
        behind
    }

    /// Lets through what a Markdown link leads to, if a source has all of it; returns what is behind.
    fn target<'w>(&mut self, rest: &'w str) -> &'w str {
        let end = addresses::bracket(rest).filter(|end| self.sources.has(&rest[..*end]));
        if let Some(end) = end {
            self.sent.leave(&rest[..end]);
        }
        let Some(bracket) = end.or_else(|| rest.find(')')) else { return "" };
        self.sent.leave(")");
        let behind = &rest[bracket + 1..];
        if end.is_some() {
            self.end_address(behind);
        }
        behind
    }

    /// Lets through an address at the beginning of a word, if a source has it with all that a renderer could count to it,
    /// or where a blank can part it from that; returns what is still to be looked at.
    fn address<'w>(&mut self, rest: &'w str, most_closing: usize) -> &'w str {
        let (address, closing) = rest.split_at(addresses::closing(rest));
        if self.sources.has(address) {
            self.sent.leave(address);
            self.sent.end_address();
            if closing.len() > most_closing {
                self.sent.part();
                return closing;
            }
            self.sent.leave(closing);
            return "";
        }
        let (address, behind) = rest.split_at(addresses::cut(rest));
        if self.sources.has(address) {
            self.sent.leave(address);
            self.end_address(behind);
            return behind;
        }
        self.sent.part();
        &rest[addresses::ascii(rest)..]
    }

    /// Parts an address that has left from what stands behind it: it could be counted to it.
    fn end_address(&mut self, behind: &str) {
        self.sent.end_address();
        if !addresses::is_closing(behind) {
            self.sent.part();
        }
    }

    /// Lets through an address without a scheme, if a source has it, or its name alone; returns what is still to be looked at.
    fn name<'w>(&mut self, rest: &'w str, path: usize) -> &'w str {
        let has = |end: usize| self.sources.has(&rest[..end]);
        if has(addresses::closing(rest)) || has(addresses::cut(rest)) {
            return self.address(rest, MAX_CLOSING_BYTES);
        }
        self.sent.leave(&rest[..path]);
        self.sent.part();
        &rest[path..]
    }
}

#[cfg(test)]
mod tests;
