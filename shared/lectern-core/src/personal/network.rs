//! IP addresses, but those of the machine itself and those that mean none.

use std::{net::Ipv6Addr, ops::Range};

use super::{
    context::{self, Subject},
    glyphs,
    numeral::{Joint, Place},
};

/// Most characters of an IPv6 address (RFC 4291, with an IPv4 address at its end).
const MAX_VERSION_6: usize = 45;
/// Least part of an IPv4 address that numbers of sections and versions seldom reach.
const MIN_PART: u32 = 32;

/// Returns the IPv4 address that a number is.
pub(super) fn version_4(place: &Place) -> Option<Range<usize>> {
    let joints = place.joints(4);
    if joints != [Joint::Dot; 3] {
        return None;
    }
    let part = |index: usize| -> Option<u32> {
        let group = place.groups.get(index)?;
        let digits = place.digits.get(group.first..group.first + group.len)?;
        let is_padded = digits.len() > 1 && digits.first() == Some(&0);
        (digits.len() <= 3 && !is_padded)
            .then(|| digits.iter().fold(0, |value, &digit| value * 10 + u32::from(digit)))
            .filter(|&value| value <= 255)
    };
    let parts = [part(0)?, part(1)?, part(2)?, part(3)?];
    let span = place.start..place.end(4);
    let rest = place.rest(4);
    let byte = |index: usize| rest.get(index).map_or(b' ', |glyph| glyph.byte);
    let has_port = matches!(byte(0), b':' | b'/') && byte(1).is_ascii_digit();
    // Between two addresses a dash is a range; after a smaller number it begins a version's revision.
    let is_range = parts[0] >= MIN_PART && byte(0) == b'-' && byte(1).is_ascii_digit();
    // From 240 on they are masks, or nobody's (RFC 1112, 4).
    if matches!(parts[0], 0 | 127 | 240..) || !(has_port || is_range || ends(byte(0), byte(1))) {
        return None;
    }
    let (is_clean, in_address) = begins(place.text, place.start);
    let in_log = rest.iter().take(4).map(|glyph| glyph.byte).eq(*b" - -");
    let label = context::label(place.text, place.start);
    if !is_clean || matches!(label, Some(Subject::Version | Subject::Thing)) {
        return None;
    }
    let is_said = || context::mentions(place.text, &span, Subject::Network);
    let is_shown = has_port || in_address || in_log;
    (is_shown || is_plain(parts) && !place.is_after_number() || is_said()).then_some(span)
}

/// Whether four numbers are an address by themselves. Four small ones are a version or a section more often, and those that
/// begin with up to 2 and up to 39 an object identifier.
fn is_plain(parts: [u32; 4]) -> bool {
    let large = parts.iter().filter(|&&part| part >= MIN_PART).count();
    let is_object = parts[0] <= 2 && parts[1] < 40;
    parts[0] >= MIN_PART || large > 1 && !is_object
}

/// Whether an address may begin at `start`, and whether what goes before says that one does: a URL, a bracket, a name and `=`.
fn begins(text: &str, start: usize) -> (bool, bool) {
    let mut before = glyphs::before(text, start).map(|glyph| glyph.byte);
    let (first, second) = (before.next().unwrap_or(b' '), before.next().unwrap_or(b' '));
    let in_url = first == b'/' && second == b'/' || matches!(first, b'@' | b'[' | b'=');
    let in_range = first == b'-' && second.is_ascii_digit();
    (in_url || in_range || glyphs::begins_clean(text, start), in_url)
}

/// Whether an address may end before two glyphs. A colon after it is of the sentence or of a log.
fn ends(next: u8, second: u8) -> bool {
    match next {
        b'-' | b'.' | b'_' | b'@' | b'+' => !glyphs::is_wordy(second) && next != b'_',
        b'/' => true,
        _ => !glyphs::is_wordy(next),
    }
}

/// Returns the IPv6 address that the digit at `anchor` is part of.
pub(super) fn version_6(text: &str, anchor: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let floor = anchor.saturating_sub(MAX_VERSION_6);
    let before = bytes.get(floor..anchor)?.iter().rev().take_while(|byte| is_part(byte)).count();
    let after = bytes.get(anchor..)?.iter().take(MAX_VERSION_6 + 1);
    let after = after.take_while(|byte| is_part(byte) || **byte == b'.').count();
    let run = text.get(anchor - before..anchor + after)?;
    // Nearly every digit is told from an address here.
    if run.len() > MAX_VERSION_6 || run.bytes().filter(|&byte| byte == b':').count() < 2 {
        return None;
    }
    let run = run.trim_end_matches('.');
    let run = if run.ends_with("::") { run } else { run.trim_end_matches(':') };
    let address: Ipv6Addr = run.parse().ok()?;
    let start = anchor - before;
    let span = start..start + run.len();
    let lens: Vec<usize> = run.split([':', '.']).map(str::len).collect();
    // Eight pairs of hexadecimal digits are an EUI-64 or a piece of a fingerprint, and `A1::B2` a name in a program.
    let is_short = lens.iter().filter(|&&len| len > 0).count() < 3;
    let is_block = lens.iter().filter(|&&len| len > 0).count() < 2;
    let is_other =
        lens.iter().all(|&len| len == 2) || is_short && !is_allocated(address) || is_block;
    let next = glyphs::after(text, span.end).next().map_or(b' ', |glyph| glyph.byte);
    let goes_on = glyphs::is_wordy(next) || matches!(next, b'_' | b':' | b'-' | b'@');
    let (is_clean, _) = begins(text, start);
    let is_own = address.is_loopback() || address.is_unspecified();
    (is_clean && !is_other && !goes_on && !is_own && span.contains(&anchor)).then_some(span)
}

/// Whether an address lies in a block that is in use: global, local, of the link or multicast (RFC 4291, 2.4; RFC 4193).
fn is_allocated(address: Ipv6Addr) -> bool {
    matches!(address.segments()[0], 0x2000..=0x3fff | 0xfc00..=0xfdff | 0xfe80..=0xfebf | 0xff00..=0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_no_address() {
        let longest = "2001:0db8:0000:0000:0000:ffff:192.168.100.200";
        assert_eq!(longest.len(), MAX_VERSION_6);
        assert_eq!(version_6(longest, 0), Some(0..MAX_VERSION_6));
        assert_eq!(version_6(&format!("{longest}0"), 0), None);
    }

    #[test]
    fn small_parts_need_a_word() {
        let found = |text: &str| version_4(&Place::read(text, glyphs::anchor(text, 0)?)?);
        assert!(found(&format!("{MIN_PART}.1.1.1")).is_some());
        assert!(found(&format!("{}.1.1.1", MIN_PART - 1)).is_none());
        assert!(found(&format!("9.1.{MIN_PART}.{MIN_PART}")).is_some());
        assert!(found(&format!("9.1.1.{MIN_PART}")).is_none());
        assert!(found("1.3.200.200").is_none());
        assert!(found("ping 1.1.1.1").is_some());
    }
}
