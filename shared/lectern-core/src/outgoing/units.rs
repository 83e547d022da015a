//! How a text is cut into what is looked at whole.

use super::{MAX_TAG_BYTES, MAX_WORD_BYTES, addresses, sent::Awaits};

/// What stands at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A character of white space.
    Blank,
    /// A character that begins no word: addresses begin in ASCII.
    Letter,
    /// A control character, or a `<` that begins a tag which nothing closes: a page would close it.
    Refused,
    /// A tag.
    Tag,
    /// All up to white space or a tag; without an address in it, all up to a character that is not ASCII. At
    /// [`MAX_WORD_BYTES`] it ends wherever it is.
    Word,
}

/// Returns what stands at the beginning of a text, and its bytes. `None` while its end has not arrived.
pub(super) fn first(rest: &str, is_over: bool, awaits: Awaits) -> Option<(Unit, usize)> {
    let first = rest.chars().next()?;
    match first {
        _ if first.is_ascii_whitespace() => Some((Unit::Blank, 1)),
        _ if first.is_control() => Some((Unit::Refused, first.len_utf8())),
        '<' => match begins_tag(rest, awaits != Awaits::Text) {
            None if !is_over => None,
            Some(true) => tag(rest, is_over),
            None | Some(false) => word(rest, is_over, awaits),
        },
        _ if !first.is_ascii() && awaits == Awaits::Text => Some((Unit::Letter, first.len_utf8())),
        _ => word(rest, is_over, awaits),
    }
}

/// Returns the bytes of the tag a text begins with; `None` when it begins with none that is closed.
pub(super) fn tag_length(rest: &str) -> Option<usize> {
    let within = &rest.as_bytes()[..rest.len().min(MAX_TAG_BYTES)];
    within.iter().position(|byte| *byte == b'>').map(|end| end + 1)
}

/// Whether a `<` begins a tag; `None` while what follows it has not arrived. Where a link leads to something it always does.
pub(super) fn begins_tag(rest: &str, is_target: bool) -> Option<bool> {
    let next = rest[1..].chars().next()?;
    let is_tag = next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?');
    Some(is_tag || is_target)
}

fn tag(rest: &str, is_over: bool) -> Option<(Unit, usize)> {
    match tag_length(rest) {
        Some(length) => Some((Unit::Tag, length)),
        None => (is_over || rest.len() >= MAX_TAG_BYTES).then_some((Unit::Refused, 1)),
    }
}

fn word(rest: &str, is_over: bool, awaits: Awaits) -> Option<(Unit, usize)> {
    let mut has_address = awaits != Awaits::Text;
    for (at, character) in rest.char_indices() {
        let behind = at + character.len_utf8();
        if character.is_ascii_whitespace() || character.is_control() {
            return Some((Unit::Word, at));
        }
        if character == '<' && at > 0 {
            match begins_tag(&rest[at..], addresses::opens(&rest[..at])) {
                None if !is_over => return None,
                Some(true) => return Some((Unit::Word, at)),
                None | Some(false) => {}
            }
        }
        if !character.is_ascii() && !has_address {
            // Whatever follows, it may belong to an address that has begun.
            has_address = addresses::is_within(&format!("{}é.éé", &rest[..at]));
            if !has_address {
                return Some((Unit::Word, at));
            }
        }
        if behind >= MAX_WORD_BYTES {
            return Some((Unit::Word, behind));
        }
    }
    is_over.then_some((Unit::Word, rest.len()))
}
