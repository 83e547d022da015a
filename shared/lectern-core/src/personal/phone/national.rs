//! National numbers that are known by the way they are grouped, without a word that says so.

use super::super::numeral::{Joint, Place};

/// Fewest and most digits of a number that begins with the zero for another area.
const WITH_ZERO: std::ops::RangeInclusive<usize> = 9..=11;
/// The same where brackets or a slash part the area from the rest, as nothing else has them.
const WITH_AREA: std::ops::RangeInclusive<usize> = 7..=12;

/// Whether the first `count` groups are a national number. `is_open` tells that a bracket goes before.
pub(super) fn is_number(place: &Place, count: usize, is_open: bool) -> bool {
    let (lens, joints) = (place.lens(count), place.joints(count));
    let digits = place.digits(count);
    if joints.contains(&Joint::Wide) || is_date(place, count) || is_counting(place, count) {
        return false;
    }
    in_north_america(&lens, &joints, digits, is_open)
        || with_zero(&lens, &joints, digits, is_open)
        || elsewhere(&lens, &joints, digits, is_open)
}

/// Whether ten digits may be a number of the North American Numbering Plan, whose areas do not begin with 0 or 1. Its
/// exchanges do not either, but those that are made up for forms and examples do.
pub(super) fn is_north_american(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits, [2..=9, ..])
}

/// `(212) 555-1234`, `212-555-1234`, `212.555.1234`, `1-800-555-1234`.
fn in_north_america(lens: &[usize], joints: &[Joint], digits: &[u8], is_open: bool) -> bool {
    use Joint::{Close, Dash, Dot, Open, Slash, Space};
    let (area, lens, joints) = match (lens, joints) {
        ([1, lens @ ..], [Dash | Dot | Space | Open, joints @ ..])
            if digits.first() == Some(&1) =>
        {
            (digits.get(1..).unwrap_or_default(), lens, joints)
        }
        _ => (digits, lens, joints),
    };
    let is_grouped = match joints {
        [Close, Dash | Space | Dot] => is_open || digits.len() == 11,
        [Dash | Space | Slash, Dash] => true,
        // Dots stand in many other numbers.
        [Dot, Dot] => matches!(area, [_, 0..=8, _, 2..=9, ..]),
        _ => false,
    };
    is_grouped && lens == [3, 3, 4] && is_north_american(area)
}

/// What begins with the zero for another area: `030 12345678`, `020 7946 0958`, `0171/1234567`, `06-12345678`,
/// `01 23 45 67 89`, `(030) 123456`, `0 (532) 123 45 67`.
fn with_zero(lens: &[usize], joints: &[Joint], digits: &[u8], is_open: bool) -> bool {
    let [0, second, ..] = digits else { return false };
    let (Some((&area, rest)), Some((&first, others))) = (lens.split_first(), joints.split_first())
    else {
        return false;
    };
    let is_area = *second != 0 && (2..=5).contains(&area) || area == 1 && first == Joint::Open;
    let is_rest = rest.iter().all(|len| (2..=8).contains(len)) && rest.len() <= 4;
    let has_area = first == Joint::Close && is_open || first == Joint::Open;
    let is_joined = match first {
        Joint::Dot => {
            others.iter().all(|&joint| joint == Joint::Dot)
                && (lens == [2; 5] || lens.len() == 3 && area > 2)
        }
        Joint::Close => {
            is_open && others.iter().all(|joint| matches!(joint, Joint::Space | Joint::Dash))
        }
        _ => others.iter().all(|joint| matches!(joint, Joint::Space | Joint::Dash | Joint::Close)),
    };
    let allowed = if has_area || first == Joint::Slash { WITH_AREA } else { WITH_ZERO };
    // `04-1234567` is the number of an American employer, `02110-1301` a postal code there,
    // and rows of three by three are octal more often.
    let is_other = matches!(lens, [2, 7] | [5, 4] | [3, 3, 3]);
    is_area && is_rest && is_joined && !is_other && allowed.contains(&digits.len())
}

/// What has a form of its own: `(11) 91234-5678`, `138 0013 8000`, `8 (495) 123-45-67`.
fn elsewhere(lens: &[usize], joints: &[Joint], digits: &[u8], is_open: bool) -> bool {
    use Joint::{Close, Dash, Open, Space};
    match (lens, joints) {
        ([2, 4 | 5, 4], [Close, Dash]) => is_open,
        ([3, 4, 4], [Dash, Dash] | [Space, Space]) => matches!(digits, [1, 3..=9, ..]),
        ([1, 3, 3, 2, 2], [Open, Close, Dash, Dash] | [Dash, Dash, Dash, Dash]) => {
            digits.first() == Some(&8)
        }
        _ => false,
    }
}

/// Whether groups are a date, a span of years or of pages.
pub(super) fn is_date(place: &Place, count: usize) -> bool {
    let value = |index: usize| {
        let group = place.groups.get(index)?;
        let digits = place.digits.get(group.first..group.first + group.len)?;
        Some(digits.iter().take(9).fold(0_u32, |value, &digit| value * 10 + u32::from(digit)))
    };
    let is = |index: usize, range: std::ops::RangeInclusive<u32>| {
        value(index).is_some_and(|value| range.contains(&value))
    };
    let is_year = |index: usize| is(index, 1000..=2999);
    match place.lens(count).as_slice() {
        // Years of more than four digits have a sign (ISO 8601-1, 5.2.2.3).
        [4, 1 | 2, 1 | 2, ..] | [5 | 6, 2, 2, ..] => is(1, 1..=12) && is(2, 1..=31),
        [1 | 2, 1 | 2, 4, ..] => is_year(2) && is(0, 1..=31) && is(1, 1..=31),
        [4, 4] => is_year(0) && is_year(1),
        [8, ..] => is(0, 19_000_101..=20_991_231) && value(0).is_some_and(is_day),
        lens => lens.len() > 2 && lens.iter().all(|&len| len == 4) && (0..count).all(is_year),
    }
}

/// Whether eight digits are a year, a month and a day.
fn is_day(value: u32) -> bool {
    (1..=12).contains(&(value / 100 % 100)) && (1..=31).contains(&(value % 100))
}

/// Whether groups only count: `05 06 07 08 09`.
fn is_counting(place: &Place, count: usize) -> bool {
    let pair = |index: usize| {
        place
            .digits
            .get(index * 2..index * 2 + 2)
            .map(|pair| pair.iter().fold(0, |value, &digit| value * 10 + digit))
    };
    place.lens(count).iter().all(|&len| len == 2)
        && (1..count).all(|index| {
            pair(index).zip(pair(index - 1)).is_some_and(|(next, last)| next == last + 1)
        })
}
