//! Mail addresses: the dot-atoms of RFC 5322 with the limits of RFC 5321, letters of all scripts (RFC 6531), and addresses
//! whose `@` is written out in brackets.

use std::ops::Range;

use super::glyphs::{self, Glyph};

/// Longest local part in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// Longest address in bytes (RFC 5321, 4.5.3.1.3, without the angle brackets).
const MAX_ADDRESS_BYTES: usize = 254;
/// Longest label of a domain in bytes (RFC 1035, 2.3.4).
const MAX_LABEL_BYTES: usize = 63;
/// Longest top-level domain that is believed, in bytes. The longest there is in ASCII has 24.
const MAX_TOP_BYTES: usize = 26;
/// Longest sign that stands for `@` or for a dot, spaces and all, in bytes.
const MAX_SIGN_BYTES: usize = 12;
/// What stands for `@`, in brackets.
const ATS: [&str; 4] = ["at", "@", "ät", "arroba"];
/// What stands for a dot, in brackets.
const DOTS: [&str; 5] = ["dot", ".", "punkt", "punto", "point"];
/// Ends of names of files and units of systemd, which are no top-level domains.
const FILE_ENDS: [&str; 16] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html", "pdf", "txt",
    "service", "socket", "timer", "target",
];

/// Returns the address that the character at `anchor` belongs to: one of its local part, or its `@`.
pub(super) fn at(text: &str, anchor: usize) -> Option<Range<usize>> {
    let sign = sign(text, anchor)?;
    let start = local(text, sign.start)?;
    let end = domain(text, sign.end)?;
    (end - start <= MAX_ADDRESS_BYTES).then_some(start..end)
}

/// Returns where the `@` stands that the local part around `anchor` goes before.
fn sign(text: &str, anchor: usize) -> Option<Range<usize>> {
    let limit = text.floor_char_boundary(anchor + MAX_LOCAL_BYTES + 1);
    let rest = text.get(anchor..limit)?;
    let offset = rest.find(|character| !is_local(character))?;
    let from = anchor + offset;
    let next = text.get(from..)?.chars().next()?;
    if glyphs::fold(next) == b'@' {
        return Some(from..from + next.len_utf8());
    }
    if offset > 0 && !matches!(next, ' ' | '(' | '[' | '{') {
        return None;
    }
    let end = written_out(text, from, &ATS)?;
    // A space belongs to the sign whether it stands before the anchor or after.
    let before = text.get(..from)?;
    Some(before.strip_suffix(' ').map_or(from, str::len)..end)
}

/// Returns where a sign that is written out in brackets at `from` ends, with the spaces around it.
fn written_out(text: &str, from: usize, words: &[&str]) -> Option<usize> {
    let rest = text.get(from..text.floor_char_boundary(from + MAX_SIGN_BYTES))?;
    let open = rest.strip_prefix(' ').unwrap_or(rest);
    let close = match open.chars().next()? {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        _ => return None,
    };
    let (word, after) = open.get(1..)?.split_once(close)?;
    if !words.iter().any(|known| known.eq_ignore_ascii_case(word.trim())) {
        return None;
    }
    Some(from + rest.len() - after.strip_prefix(' ').unwrap_or(after).len())
}

/// Returns where the local part before `end` begins.
fn local(text: &str, end: usize) -> Option<usize> {
    let floor = text.floor_char_boundary(end.saturating_sub(MAX_LOCAL_BYTES + 4));
    let before = text.get(floor..end)?;
    let run = before.rfind(|character| !is_local(character)).map_or(before, |at| {
        let after = before.get(at..).unwrap_or_default();
        let first = after.chars().next().map_or(0, char::len_utf8);
        after.get(first..).unwrap_or_default()
    });
    if run.len() > MAX_LOCAL_BYTES {
        return None;
    }
    let local =
        run.trim_start_matches(|character: char| !character.is_alphanumeric() && character != '_');
    // What stands before the `@` of a URL is no mailbox.
    let in_url = before.strip_suffix(run).is_some_and(|before| before.ends_with("//"));
    let is_fine = !in_url && !local.is_empty() && !local.ends_with('.') && !local.contains("..");
    is_fine.then_some(end - local.len())
}

/// The characters of a local part that people use. Quotes, slashes and `=` end it: they stand around addresses more often.
fn is_local(character: char) -> bool {
    match character {
        '.' | '_' | '+' | '-' | '%' | '&' | '\'' | '~' => true,
        '\0'..='\u{7f}' => character.is_ascii_alphanumeric(),
        // Scripts without spaces run on from the sentence into the address.
        _ => glyphs::is_wordy(glyphs::fold(character)) && !is_full_width(character),
    }
}

fn is_full_width(character: char) -> bool {
    matches!(character, '\u{ff01}'..='\u{ff5e}')
}

/// Returns where the domain that begins at `start` ends.
fn domain(text: &str, start: usize) -> Option<usize> {
    let limit = text.floor_char_boundary(start + MAX_ADDRESS_BYTES + MAX_SIGN_BYTES);
    let mut at = start;
    // The end of the last label that a domain may end with.
    let mut end = None;
    let mut labels = 0;
    loop {
        let label = label(text.get(at..limit)?);
        if label.is_empty() || label.len() > MAX_LABEL_BYTES {
            break;
        }
        labels += 1;
        at += label.len();
        end = if labels > 1 && is_top(label) { Some(at) } else { None };
        let rest = text.get(at..limit)?;
        match rest.chars().next() {
            Some('.' | '。') if !label_after_dot(rest).is_empty() => {
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
            Some(' ' | '(' | '[' | '{') => match written_out(text, at, &DOTS) {
                Some(next) => at = next,
                None => break,
            },
            _ => break,
        }
    }
    let end = end?;
    let mut rest = glyphs::after(text, end);
    let byte = |glyph: Option<Glyph>| glyph.map_or(b' ', |glyph| glyph.byte);
    let (next, second) = (byte(rest.next()), byte(rest.next()));
    // `git@host:path` and `a@b(c)` are no addresses of people.
    let goes_on = match next {
        b':' => glyphs::is_wordy(second) || second == b'/',
        b'_' | b'@' | b'(' | b'[' => true,
        _ => false,
    };
    (!goes_on).then_some(end)
}

/// Returns the label that a text begins with: letters, digits and hyphens, the hyphens within.
fn label(rest: &str) -> &str {
    let end = rest
        .find(|character: char| {
            !(character.is_alphanumeric() || character == '-' || is_mark(character))
        })
        .unwrap_or(rest.len());
    let label = rest.get(..end).unwrap_or_default();
    if label.starts_with('-') { "" } else { label.trim_end_matches('-') }
}

fn label_after_dot(rest: &str) -> &str {
    rest.char_indices().nth(1).and_then(|(at, _)| rest.get(at..)).map_or("", label)
}

/// Vowel signs of Indic scripts belong to words.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}')
}

/// Whether a label may be a top-level domain.
fn is_top(label: &str) -> bool {
    let is_idn = label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"));
    let is_file = FILE_ENDS.iter().any(|end| end.eq_ignore_ascii_case(label));
    let is_word =
        !is_file && label.chars().all(|character| character.is_alphabetic() || is_mark(character));
    label.chars().nth(1).is_some()
        && (is_idn
            || is_word && label.len() <= MAX_TOP_BYTES * if label.is_ascii() { 1 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let anchor = text.find(['@', '(', '[']).unwrap();
        at(text, anchor).map(|span| &text[span])
    }

    #[test]
    fn parts_have_their_limits() {
        let local = "a".repeat(MAX_LOCAL_BYTES);
        let address = format!("{local}@example.com");
        assert_eq!(found(&address), Some(address.as_str()));
        assert_eq!(found(&format!("a{address}")), None);
        let label = "b".repeat(MAX_LABEL_BYTES);
        let address = format!("a@{label}.com");
        assert_eq!(found(&address), Some(address.as_str()));
        assert_eq!(found(&format!("a@b{label}.com")), None);
        let top = "c".repeat(MAX_TOP_BYTES);
        assert!(found(&format!("a@b.{top}")).is_some());
        assert_eq!(found(&format!("a@b.c{top}")), None);
        let longest = format!("a@{}.{}.{}.{}.com", label, label, label, "d".repeat(56));
        assert_eq!(longest.len(), MAX_ADDRESS_BYTES);
        assert_eq!(found(&longest), Some(longest.as_str()));
        assert_eq!(found(&format!("a{longest}")), None);
        assert!(found(&format!("a (at{}) b.com", " ".repeat(MAX_SIGN_BYTES - 6))).is_some());
        assert!(found(&format!("a (at{}) b.com", " ".repeat(MAX_SIGN_BYTES - 3))).is_none());
    }
}
