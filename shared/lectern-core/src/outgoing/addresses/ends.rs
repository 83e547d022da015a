//! Where addresses end.

use super::super::MAX_CLOSING_BYTES;

/// Signs behind an address that seldom belong to it. A `)` whose `(` stands in the address does.
pub(super) const CLOSING: [char; 39] = [
    ')', ']', '}', '>', '"', '\'', '`', '*', '_', '~', '|', '.', ',', ';', ':', '!', '?', '۔', '؟',
    '،', '؛', '।', '॥', '。', '、', '，', '；', '：', '！', '？', '）', '】', '」', '』', '”', '’',
    '»', '›', '…',
];
/// Signs within a word at which an address ends for whoever wrote it.
const CUTS: [char; 13] = ['"', '\'', '`', '<', '>', '|', '\\', '{', '}', '^', ',', ';', '*'];

/// Returns what a link leads to, up to the bracket that closes it.
pub(in super::super) fn target(word: &str) -> &str {
    &word[..bracket(word).unwrap_or(word.len())]
}

/// Returns the place of the bracket that closes what a link leads to.
pub(in super::super) fn bracket(target: &str) -> Option<usize> {
    let mut open = 0_usize;
    target.bytes().position(|byte| match byte {
        b'(' => {
            open += 1;
            false
        }
        b')' if open > 0 => {
            open -= 1;
            false
        }
        other => other == b')',
    })
}

/// Returns where the signs behind an address begin, and citations: `[1]`.
pub(in super::super) fn closing(word: &str) -> usize {
    let count = |sign: char| word.matches(sign).count();
    let mut unopened = count(')').saturating_sub(count('('));
    let mut rest = word;
    loop {
        rest = match rest.chars().next_back() {
            Some(')') if unopened == 0 => return rest.len(),
            Some(sign) if CLOSING.contains(&sign) => {
                unopened -= usize::from(sign == ')');
                &rest[..rest.len() - sign.len_utf8()]
            }
            Some('0'..='9') => {
                let before = rest.trim_end_matches(|c: char| c.is_ascii_digit() || c == ',');
                let Some(before) = before.strip_suffix('[') else { return rest.len() };
                before
            }
            _ => return rest.len(),
        }
    }
}

/// Whether a word is but a few signs that close, and citations.
pub(crate) fn is_closing(word: &str) -> bool {
    word.len() <= MAX_CLOSING_BYTES && closing(word) == 0
}

/// Returns a word without the signs behind it.
pub(in super::super) fn without_closing(word: &str) -> &str {
    &word[..closing(word)]
}

/// Returns where an address ends at the latest for whoever wrote it: at a sign or a character that is not ASCII.
pub(in super::super) fn cut(address: &str) -> usize {
    let is_end = |c: char| !c.is_ascii() || CUTS.contains(&c);
    let end = address.find(is_end).unwrap_or(address.len());
    let end = bracket(&address[..end]).unwrap_or(end);
    let end = address[..end].find(']').unwrap_or(end);
    closing(&address[..end])
}

/// Returns how much is taken out where no source has an address: its ASCII, at least one character.
pub(in super::super) fn ascii(address: &str) -> usize {
    let end = address.find(|c: char| !c.is_ascii()).unwrap_or(address.len());
    let least = address.chars().next().map_or(0, char::len_utf8);
    closing(&address[..end]).max(least)
}
