//! Bank accounts: ISO 13616, by the length that each country's have and the check digits.

use std::ops::Range;

use super::{checksum, glyphs, numeral::Place};

/// Countries with the length of their IBANs, from the registry that SWIFT keeps for ISO 13616.
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 \
     FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 \
     LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 \
     SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";
/// The check digits that a calculation can give (ISO 13616-1, 97 less a remainder and one).
const CHECKS: std::ops::RangeInclusive<u8> = 2..=98;

/// Returns the account that a number is.
pub(super) fn at(place: &Place) -> Option<Range<usize>> {
    if place.letters != 2 || !glyphs::begins_clean(place.text, place.start) {
        return None;
    }
    let byte = |index: usize| place.glyphs.get(index).map(|glyph| glyph.byte);
    let country = [byte(0)?.to_ascii_uppercase(), byte(1)?.to_ascii_uppercase()];
    let length = length(country)?;
    let (characters, next) = characters(place, length)?;
    let check: String = characters.iter().skip(2).take(2).map(|&byte| char::from(byte)).collect();
    let is_one_case = !characters.iter().any(u8::is_ascii_lowercase)
        || !characters.iter().any(u8::is_ascii_uppercase);
    if !is_one_case || !check.parse().is_ok_and(|check: u8| CHECKS.contains(&check)) {
        return None;
    }
    let upper = characters.iter().map(u8::to_ascii_uppercase);
    let is_right = checksum::remainder_97(upper.clone().skip(4).chain(upper.take(4))) == 1;
    let is_clean = glyphs::ends_clean(place.glyphs.get(next..).unwrap_or_default());
    (is_right && is_clean).then(|| place.start..place.end_of(next))
}

fn length(country: [u8; 2]) -> Option<usize> {
    let known =
        LENGTHS.split_ascii_whitespace().find(|known| known.as_bytes().starts_with(&country));
    known?.get(2..)?.parse().ok()
}

/// Returns the first `length` letters and digits, single spaces or dashes among them left out, and the glyph after them.
fn characters(place: &Place, length: usize) -> Option<(Vec<u8>, usize)> {
    let mut characters = Vec::with_capacity(length);
    let mut at = 0;
    let mut may_part = false;
    while characters.len() < length {
        let byte = place.glyphs.get(at)?.byte;
        match byte {
            b' ' | b'-' if may_part => may_part = false,
            _ if byte.is_ascii_alphanumeric() => {
                characters.push(byte);
                may_part = true;
            }
            _ => return None,
        }
        at += 1;
    }
    Some((characters, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_its_length() {
        assert_eq!(length(*b"DE"), Some(22));
        assert_eq!(length(*b"NO"), Some(15));
        assert_eq!(length(*b"US"), None);
        for known in LENGTHS.split_ascii_whitespace() {
            let number: usize = known[2..].parse().unwrap();
            assert!((15..=34).contains(&number), "{known}");
        }
    }
}
