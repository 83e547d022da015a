//! Country codes (ITU-T E.164, annex to Operational Bulletin 1114) and how long their numbers are.

use super::MAX_DIGITS;

/// Fewest digits of an international number that is believed, its country code among them.
const MIN_INTERNATIONAL: usize = 8;

/// A country code, and how many digits its numbers have with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Country {
    pub(super) code_len: usize,
    pub(super) shortest: usize,
    pub(super) longest: usize,
}

/// Codes whose numbers are of a known length, from national numbering plans; of the others it is anything that E.164 allows.
const KNOWN: [(&str, usize, usize); 39] = [
    ("1", 11, 11),
    ("7", 11, 11),
    ("20", 10, 12),
    ("27", 11, 11),
    ("30", 12, 12),
    ("31", 11, 11),
    ("32", 10, 11),
    ("33", 11, 11),
    ("34", 11, 11),
    ("36", 10, 11),
    ("39", 8, 13),
    ("40", 11, 11),
    ("41", 11, 11),
    ("43", 8, 15),
    ("44", 11, 12),
    ("45", 10, 10),
    ("46", 9, 13),
    ("47", 10, 10),
    ("48", 11, 11),
    ("49", 8, 15),
    ("52", 12, 13),
    ("55", 12, 13),
    ("60", 10, 12),
    ("61", 11, 11),
    ("62", 9, 15),
    ("63", 11, 13),
    ("65", 10, 10),
    ("66", 10, 11),
    ("81", 10, 12),
    ("82", 10, 12),
    ("84", 11, 12),
    ("86", 11, 13),
    ("90", 12, 12),
    ("91", 12, 12),
    ("92", 11, 12),
    ("98", 12, 12),
    ("351", 12, 12),
    ("966", 11, 12),
    ("971", 11, 12),
];
/// First two digits of codes of two digits that are not in [`KNOWN`].
const TWO: &str = "51 53 54 56 57 58 64 93 94 95";
/// First two digits of codes of three digits.
const THREE: &str = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99";

/// Returns the country that an international number begins with.
pub(super) fn country(digits: &[u8]) -> Option<Country> {
    let text: String = digits.iter().take(3).map(|&digit| char::from(b'0' + digit)).collect();
    let known = KNOWN.iter().find(|(code, ..)| text.starts_with(code));
    if let Some(&(code, shortest, longest)) = known {
        return Some(Country { code_len: code.len(), shortest, longest });
    }
    let first = text.get(..2)?;
    let any =
        |code_len: usize| Country { code_len, shortest: MIN_INTERNATIONAL, longest: MAX_DIGITS };
    if TWO.split(' ').any(|code| code == first) {
        return Some(any(2));
    }
    // Codes of three digits leave twelve for the number.
    THREE.split(' ').any(|code| code == first).then(|| any(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known() {
        let len = |digits: &[u8]| country(digits).map(|country| country.code_len);
        assert_eq!(len(&[4, 9, 3]), Some(2));
        assert_eq!(len(&[1, 2, 1]), Some(1));
        assert_eq!(len(&[3, 5, 1]), Some(3));
        assert_eq!(len(&[3, 5, 8]), Some(3));
        assert_eq!(len(&[9, 3, 7]), Some(2));
        for unassigned in [[0, 4, 9], [2, 8, 1], [8, 3, 1], [8, 9, 1]] {
            assert_eq!(len(&unassigned), None, "{unassigned:?}");
        }
    }
}
