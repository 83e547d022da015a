//! Payment cards: ISO/IEC 7812, by the issuer's prefix, the length, the usual grouping and Luhn's check digit.

use std::ops::Range;

use super::{
    checksum,
    context::{self, Subject},
    glyphs,
    numeral::{Joint, Place},
};

/// Most digits of a card (ISO/IEC 7812-1).
const MAX_DIGITS: usize = 19;
/// How the digits of cards are grouped: by fours, American Express and Diners Club.
const GROUPS: [&[usize]; 7] = [
    &[4, 4, 4, 4],
    &[4, 4, 4, 4, 1],
    &[4, 4, 4, 4, 2],
    &[4, 4, 4, 4, 3],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 3, 3, 3],
];
/// Issuers' prefixes, four digits from and to, and the lengths of their cards, from and to: American Express, Diners Club,
/// JCB, Visa, Mastercard, Maestro, Discover, `UnionPay`, Mir, Troy and `RuPay`.
const ISSUERS: [(u32, u32, usize, usize); 22] = [
    (3400, 3499, 15, 15),
    (3700, 3799, 15, 15),
    (3000, 3059, 14, 19),
    (3095, 3095, 14, 19),
    (3600, 3699, 14, 19),
    (3800, 3999, 14, 19),
    (3528, 3589, 16, 19),
    (4000, 4999, 16, 16),
    (4000, 4999, 13, 13),
    (4000, 4999, 19, 19),
    (5100, 5599, 16, 16),
    (2221, 2720, 16, 16),
    (5018, 5018, 13, 19),
    (5020, 5038, 13, 19),
    (5893, 5893, 13, 19),
    (6304, 6304, 13, 19),
    (6759, 6763, 13, 19),
    (6011, 6011, 16, 19),
    (6440, 6599, 16, 19),
    (6200, 6299, 16, 19),
    (2200, 2204, 16, 19),
    (9792, 9792, 16, 16),
];

/// Returns the card that a number is.
pub(super) fn at(place: &Place) -> Option<Range<usize>> {
    if place.digits.len() < 13 || !glyphs::begins_clean(place.text, place.start) {
        return None;
    }
    let count = single(place).or_else(|| grouped(place))?;
    let span = place.start..place.end(count);
    (is_card(place.digits(count)) && glyphs::ends_clean(place.rest(count))).then_some(span)
}

/// A number in one piece. The lengths that few cards and many other numbers have need a word that says so.
fn single(place: &Place) -> Option<usize> {
    let len = place.groups.first()?.len;
    if !(13..=MAX_DIGITS).contains(&len) {
        return None;
    }
    let span = place.start..place.end(1);
    let is_said = || context::mentions(place.text, &span, Subject::Card);
    let is_thing = || context::label(place.text, place.start) == Some(Subject::Thing);
    // Limbs of large integers are of this length too.
    let is_other =
        |digits: &[u8]| !is_card(&digits.iter().map(|digit| digit - b'0').collect::<Vec<_>>());
    let is_usual =
        (14..=16).contains(&len) && !is_thing() && !place.is_listed_with(span.end, is_other);
    (is_usual || is_said()).then_some(1)
}

/// A number in the groups of a card, with the same between them all, and not part of a longer row of such groups.
fn grouped(place: &Place) -> Option<usize> {
    let lens = place.lens(6);
    let joints = place.joints(6);
    let joint = *joints.first()?;
    let separator = match joint {
        Joint::Space => b' ',
        Joint::Dash => b'-',
        _ => return None,
    };
    // The longest first, as it would be found in the longest row.
    let fits = |groups: &&&[usize]| {
        let next = place.groups.get(groups.len());
        lens.starts_with(groups)
            && joints.iter().take(groups.len() - 1).all(|&other| other == joint)
            && next.is_none_or(|next| next.joint != joint || next.len != 4)
            && is_card(place.digits(groups.len()))
    };
    let count = GROUPS.iter().filter(fits).map(|groups| groups.len()).max()?;
    let is_row = place.digits_before(separator) == 4 || place.is_in_row(place.end(count));
    let is_said = || context::label(place.text, place.start) == Some(Subject::Card);
    (!is_row || is_said()).then_some(count)
}

fn is_card(digits: &[u8]) -> bool {
    let prefix = digits.iter().take(4).fold(0, |value, &digit| value * 10 + u32::from(digit));
    let is_issued = ISSUERS.iter().any(|&(from, to, shortest, longest)| {
        (from..=to).contains(&prefix) && (shortest..=longest).contains(&digits.len())
    });
    // What ends in nine zeros is a round number.
    is_issued && checksum::luhn(digits) && digits.iter().rev().take(9).any(|&digit| digit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_numbers_are_no_cards() {
        let found = |digits: &str| {
            let text = format!("card {digits}");
            at(&Place::read(&text, 5).unwrap()).is_some()
        };
        // Luhn's sum does not change by zeros in front, so a check digit is put at the end.
        let of_length = |len: usize| {
            let stem = format!("62{}", "7".repeat(len - 3));
            let digits = |last: u8| format!("{stem}{last}");
            (0..10).map(digits).find(|text| {
                checksum::luhn(&text.bytes().map(|byte| byte - b'0').collect::<Vec<_>>())
            })
        };
        assert!(found(&of_length(MAX_DIGITS).unwrap()));
        assert!(!found(&of_length(MAX_DIGITS + 1).unwrap()));
        assert!(found("4111111111111111"));
        assert!(!found("04111111111111111"));
    }
}
