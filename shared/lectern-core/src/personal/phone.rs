//! Telephone numbers: international ones by their country code (ITU-T E.164), national ones by the way each country groups
//! them, and any that is called one.

mod countries;
mod national;

use std::ops::Range;

use self::countries::{Country, country};
use super::{
    context::{self, Subject},
    glyphs,
    numeral::{Group, Joint, Place},
};

/// Most digits of a number (ITU-T E.164, 6.2.1).
const MAX_DIGITS: usize = 15;
/// Fewest digits of a number that is called one.
const MIN_DIGITS: usize = 6;
/// Most digits of an extension.
const MAX_EXTENSION: usize = 6;
/// Most groups of digits of a number.
const MAX_GROUPS: usize = 8;

/// Returns the telephone number that a number is.
pub(super) fn at(place: &Place) -> Option<Range<usize>> {
    if place.digits.len() < MIN_DIGITS {
        return None;
    }
    let start = opening(place);
    let label = context::label(place.text, start);
    let count = international(place, label)
        .or_else(|| labelled(place, start, label))
        .or_else(|| unlabelled(place, start, label))?;
    Some(start..extended(place, count))
}

/// Returns where a number begins with the plus and the bracket that belong to it.
fn opening(place: &Place) -> usize {
    let mut before = glyphs::before(place.text, place.start);
    let (first, second) = (before.next(), before.next());
    let closes = place.groups.iter().any(|group| group.joint == Joint::Close);
    match (first, second) {
        (Some(plus), Some(open)) if plus.byte == b'+' && open.byte == b'(' && closes => open.start,
        (Some(plus), _) if plus.byte == b'+' => plus.start,
        (Some(open), _) if open.byte == b'(' && closes => open.start,
        _ => place.start,
    }
}

/// Returns how many groups belong to a number with a plus or two zeros before its country code.
fn international(place: &Place, label: Option<Subject>) -> Option<usize> {
    let before = glyphs::before(place.text, place.start).next();
    let has_plus = before.is_some_and(|glyph| glyph.byte == b'+');
    let zeros = if has_plus { 0 } else { 2 };
    let is_clean = if has_plus {
        glyphs::begins_clean(place.text, opening(place))
    } else {
        label != Some(Subject::Thing) && has_zeros(place)
    };
    if !is_clean {
        return None;
    }
    let country = country(place.digits.get(zeros..)?)?;
    let count = (1..=place.groups.len().min(MAX_GROUPS)).rev().find(|&count| {
        let trunk = trunk_digits(place, count, zeros + country.code_len);
        let len = place.digits(count).len().saturating_sub(zeros + trunk);
        let joints = place.joints(count);
        (country.shortest..=country.longest).contains(&len)
            && !joints.contains(&Joint::Wide)
            && ends(place, count)
    })?;
    let fits = country.fits(place.digits(count).get(zeros..)?);
    let is_said = label == Some(Subject::Phone);
    (fits && (is_said || !is_quantity(place, count, has_plus))).then_some(count)
}

/// Whether two zeros begin a number of several groups that does not go on from others.
fn has_zeros(place: &Place) -> bool {
    let first = place.groups.first().map_or(0, |group| group.len);
    place.digits.starts_with(&[0, 0])
        && first > 1
        && place.groups.len() > 1
        && place.digits_before(b' ') == 0
        && glyphs::begins_clean(place.text, place.start)
}

/// Whether what looks like an international number is a decimal, a round number, a date, or bytes or code points in
/// hexadecimal, which begin with two zeros too.
fn is_quantity(place: &Place, count: usize, has_plus: bool) -> bool {
    let lens = place.lens(count);
    let is_decimal = count == 2 && place.joints(count) == [Joint::Dot];
    let is_round = place.digits(count).ends_with(&[0; 6]);
    let is_each = |wanted: usize| lens.iter().all(|&len| len == wanted);
    let is_hexadecimal = !has_plus && (is_each(2) || is_each(4));
    is_decimal || is_round || is_hexadecimal || national::is_date(place, count)
}

/// Returns how many digits are a `(0)` that is dialled within the country only.
fn trunk_digits(place: &Place, count: usize, code_end: usize) -> usize {
    let is_trunk =
        |group: &&Group| group.first == code_end && group.len == 1 && group.joint == Joint::Open;
    place.groups.iter().take(count).filter(is_trunk).count()
}

/// Returns how many groups belong to a number that is called one.
fn labelled(place: &Place, start: usize, label: Option<Subject>) -> Option<usize> {
    if label != Some(Subject::Phone) || !begins(place, start) {
        return None;
    }
    (1..=place.groups.len().min(MAX_GROUPS)).rev().find(|&count| {
        let joints = place.joints(count);
        let len = place.digits(count).len();
        (MIN_DIGITS..=MAX_DIGITS).contains(&len)
            && !joints.contains(&Joint::Wide)
            && !national::is_date(place, count)
            && !(joints.contains(&Joint::Dot) && (count == 2 || place.lens(count).contains(&1)))
            && !(place.digits(count).ends_with(&[0; 5]))
            && ends(place, count)
    })
}

/// Returns how many groups belong to a number that is grouped as telephone numbers are.
fn unlabelled(place: &Place, start: usize, label: Option<Subject>) -> Option<usize> {
    if matches!(label, Some(Subject::Thing | Subject::Version | Subject::Card))
        || !begins(place, start)
    {
        return None;
    }
    let is_open = glyphs::after(place.text, start).next().is_some_and(|glyph| glyph.byte == b'(');
    (1..=place.groups.len().min(MAX_GROUPS)).rev().find(|&count| {
        national::is_number(place, count, is_open) && ends(place, count) && !is_in_row(place, count)
    })
}

/// Whether a number that has spaces within stands in a row of numbers with spaces between.
fn is_in_row(place: &Place, count: usize) -> bool {
    let has_space = place.joints(count).contains(&Joint::Space);
    let next = place.groups.get(count).is_some_and(|next| next.joint == Joint::Space);
    has_space && (next || place.is_after_number())
}

fn begins(place: &Place, start: usize) -> bool {
    let before = glyphs::before(place.text, start).next().map_or(b' ', |glyph| glyph.byte);
    before != b'=' && glyphs::begins_clean(place.text, start)
}

/// Whether a number may end after `count` groups: its brackets are closed, and it does not go on.
fn ends(place: &Place, count: usize) -> bool {
    let is_open = place.joints(count).last() == Some(&Joint::Open);
    !is_open && (extension(place, count).is_some() || glyphs::ends_clean(place.rest(count)))
}

/// Returns where a number ends with its extension.
fn extended(place: &Place, count: usize) -> usize {
    extension(place, count).unwrap_or_else(|| place.end(count))
}

/// Returns where the extension of a number ends, as `x123`, ` ext. 123` or ` #123`.
fn extension(place: &Place, count: usize) -> Option<usize> {
    let rest = place.rest(count);
    let bytes: Vec<u8> = rest.iter().take(6 + MAX_EXTENSION + 1).map(|glyph| glyph.byte).collect();
    let signs: [&[u8]; 6] = [b"x", b" x", b" ext. ", b" ext ", b" #", b" ext."];
    let sign = signs.iter().find(|sign| bytes.starts_with(sign))?;
    let digits = bytes.iter().skip(sign.len()).take_while(|byte| byte.is_ascii_digit()).count();
    let end = sign.len() + digits;
    let is_clean = glyphs::ends_clean(rest.get(end..).unwrap_or_default());
    ((1..=MAX_EXTENSION).contains(&digits) && is_clean)
        .then(|| rest.get(end - 1).map(|glyph| glyph.end))?
}

impl Country {
    /// Whether digits are a number of the country as far as is known.
    fn fits(&self, digits: &[u8]) -> bool {
        let has_area = || digits.get(1..).is_some_and(national::is_north_american);
        self.code_len != 1 || digits.first() != Some(&1) || has_area()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let anchor = text.find(|character: char| character.is_ascii_digit()).unwrap();
        at(&Place::read(text, anchor).unwrap()).map(|span| &text[span])
    }

    #[test]
    fn lengths_have_their_limits() {
        let digits = "987654321234567";
        assert_eq!(digits.len(), MAX_DIGITS);
        assert_eq!(found(&format!("phone {digits}")), Some(digits));
        assert_eq!(found(&format!("phone {digits}8")), None);
        assert_eq!(found("phone 987654"), Some("987654"));
        assert_eq!(found("phone 98765"), None);
        assert_eq!("987654".len(), MIN_DIGITS);
        let extension = "1".repeat(MAX_EXTENSION);
        let number = format!("212-555-1234 x{extension}");
        assert_eq!(found(&number), Some(number.as_str()));
        assert_eq!(found(&format!("{number}1")), Some("212-555-1234"));
        let groups: Vec<String> = (1..=MAX_GROUPS).map(|digit| digit.to_string()).collect();
        let number = groups.join(" ");
        assert_eq!(found(&format!("phone {number}")), Some(number.as_str()));
        assert_eq!(found(&format!("phone {number} 9")), Some(number.as_str()));
    }
}
