//! What a Markdown renderer shows for backslashes and character references.

/// Names of characters that addresses need.
const NAMES: [(&str, char); 5] =
    [("colon", ':'), ("sol", '/'), ("bsol", '\\'), ("period", '.'), ("commat", '@')];
/// Most digits of a character reference.
const MAX_DIGITS: usize = 7;

/// Returns a text as it is shown; `None` when that is as it stands.
pub(in super::super) fn shown(text: &str) -> Option<String> {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&']) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        let (character, length) =
            escaped(from).or_else(|| reference(from)).unwrap_or_else(|| first(from));
        shown.push(character);
        rest = &from[length..];
    }
    shown.push_str(rest);
    (shown != text).then_some(shown)
}

fn first(text: &str) -> (char, usize) {
    let character = text.chars().next().unwrap_or_default();
    (character, character.len_utf8())
}

/// Reads `\:`.
fn escaped(text: &str) -> Option<(char, usize)> {
    let next = text.strip_prefix('\\')?.chars().next()?;
    next.is_ascii_punctuation().then_some((next, 2))
}

/// Reads `&colon;`, `&#58;` or `&#x3a;`; browsers need no semicolon behind digits.
fn reference(text: &str) -> Option<(char, usize)> {
    let name = text.strip_prefix('&')?;
    let named = |(known, character): &(&str, char)| {
        let behind = name.strip_prefix(known)?;
        behind.starts_with(';').then_some((*character, known.len() + 2))
    };
    if let Some(found) = NAMES.iter().find_map(named) {
        return Some(found);
    }
    let (digits, radix, mark) = match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        Some(digits) => (digits, 16, 3),
        None => (name.strip_prefix('#')?, 10, 2),
    };
    let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let number = digits.get(..length).filter(|digits| digits.len() <= MAX_DIGITS)?;
    let character = char::from_u32(u32::from_str_radix(number, radix).ok()?)?;
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((character, mark + length + semicolon))
}
