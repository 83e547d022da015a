//! Bytes to characters: byte order marks, UTF-16/32 without one, declared and guessed encodings.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes looked at when wide encodings are told from their zero bytes.
const WIDE_SAMPLE_BYTES: usize = 4_096;
/// Zero bytes on one side from which a sample may be UTF-16: at least this many,
const WIDE_ZEROES: usize = 3;
/// and at least one in so many units. Scripts outside Latin have them only in spaces and line ends.
const WIDE_ZEROES_DIVISOR: usize = 12;
/// Bytes in which HTML may declare its encoding (HTML standard, 13.2.3.2).
const DECLARATION_BYTES: usize = 1_024;
/// Valid multi-byte sequences per invalid one from which damaged UTF-8 is still UTF-8.
const VALID_PER_INVALID: usize = 10;
/// Share of control and replacement characters from which bytes are not text: one in this many.
const NOISE_DIVISOR: usize = 8;

/// Returns the text of `bytes`, or `None` when they are no text. Zero bytes never remain.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    let text = decode_any(bytes);
    let mut noise = 0;
    let mut count = 0;
    for character in text.chars() {
        count += 1;
        let is_control =
            character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\u{c}');
        noise += usize::from(is_control || character == '\u{fffd}');
    }
    if noise > 0 && noise > count / NOISE_DIVISOR {
        return None;
    }
    if noise == 0 {
        return Some(text);
    }
    // A zero byte between words separates them, as in exports of fixed-width records.
    Some(text.chars().map(|character| if character == '\0' { ' ' } else { character }).collect())
}

fn decode_any(bytes: &[u8]) -> String {
    if let Some(text) = decode_utf32(bytes) {
        return text;
    }
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[length..]).0.into_owned();
    }
    if let Some(text) = decode_wide(bytes) {
        return text;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    if is_damaged_utf8(bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    if let Some(encoding) = declared(bytes).filter(|encoding| *encoding != UTF_8) {
        let (text, _, had_errors) = encoding.decode(bytes);
        if !had_errors {
            return text.into_owned();
        }
    }
    guess(bytes).decode(bytes).0.into_owned()
}

/// Returns what statistics say; UTF-8 was tried before.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Reads UTF-32 with a byte order mark, or without one when every unit is a plausible character.
fn decode_utf32(bytes: &[u8]) -> Option<String> {
    let (little, body) = match bytes {
        [0xff, 0xfe, 0, 0, body @ ..] => (true, body),
        [0, 0, 0xfe, 0xff, body @ ..] => (false, body),
        [_, 0, 0, 0, _, 0, 0, 0, ..] => (true, bytes),
        [0, 0, 0, _, 0, 0, 0, _, ..] => (false, bytes),
        _ => return None,
    };
    let units = body.chunks_exact(4).map(|unit| {
        let unit = [unit[0], unit[1], unit[2], unit[3]];
        let value = if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) };
        char::from_u32(value).filter(|character| *character != '\0')
    });
    let text: Vec<Option<char>> = units.collect();
    let invalid = text.iter().filter(|unit| unit.is_none()).count();
    if invalid > text.len() / NOISE_DIVISOR {
        return None;
    }
    Some(text.into_iter().map(|unit| unit.unwrap_or('\u{fffd}')).collect())
}

/// Reads UTF-16 without a byte order mark: the high halves of Latin letters, digits, spaces and
/// line ends are zero, so zero bytes gather at even or at odd places.
fn decode_wide(bytes: &[u8]) -> Option<String> {
    let sample = &bytes[..bytes.len().min(WIDE_SAMPLE_BYTES) & !1];
    let even = sample.iter().step_by(2).filter(|byte| **byte == 0).count();
    let odd = sample.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count();
    let enough = (sample.len() / 2 / WIDE_ZEROES_DIVISOR).max(WIDE_ZEROES);
    let encoding = if odd >= enough && even * 8 < odd {
        UTF_16LE
    } else if even >= enough && odd * 8 < even {
        UTF_16BE
    } else {
        return None;
    };
    let (text, _) = encoding.decode_without_bom_handling(&bytes[..bytes.len() & !1]);
    let bad = text.chars().filter(|character| matches!(character, '\u{fffd}' | '\0')).count();
    (bad <= text.chars().count() / NOISE_DIVISOR / 2).then(|| text.into_owned())
}

/// Whether the bytes are UTF-8 in which a little was lost.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let mut valid = 0;
    let mut invalid = 0;
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    valid >= invalid * VALID_PER_INVALID
}

/// Returns the encoding that HTML or XML declares about itself.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES)]);
    let head = head.to_ascii_lowercase();
    let at = head
        .find("<meta")
        .and_then(|meta| head[meta..].find("charset=").map(|at| meta + at + "charset=".len()))
        .or_else(|| {
            let is_xml = head.starts_with("<?xml");
            head.find("encoding=").filter(|_| is_xml).map(|at| at + "encoding=".len())
        })?;
    let label = head[at..].trim_start_matches(['"', '\'', ' ']);
    let end = label.find(['"', '\'', ' ', ';', '>', '/', '?']).unwrap_or(label.len());
    Encoding::for_label(&label.as_bytes()[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    }

    #[test]
    fn reads_wide_encodings_without_a_mark() {
        let text = "The quick brown fox, und ein Öltank.";
        for little in [true, false] {
            assert_eq!(decode(&wide(text, little)).as_deref(), Some(text));
        }
        let utf32: Vec<u8> = text.chars().flat_map(|one| (one as u32).to_be_bytes()).collect();
        assert_eq!(decode(&utf32).as_deref(), Some(text));
        assert_eq!(
            decode(&wide("تعتبر البرمجة من الأدوات", true)).unwrap(),
            "تعتبر البرمجة من الأدوات"
        );
    }

    #[test]
    fn keeps_utf8_that_was_cut_inside_a_character() {
        let text = "ایک لفظ اور ایک اور".as_bytes();
        assert!(decode(&text[..text.len() - 1]).unwrap().starts_with("ایک لفظ"));
    }

    #[test]
    fn believes_a_declaration_only_when_it_fits() {
        let (bytes, _, _) =
            encoding_rs::WINDOWS_1251.encode("<meta charset=windows-1251><p>Привет, мир");
        assert!(decode(&bytes).unwrap().contains("Привет, мир"));
        let (bytes, _, _) = encoding_rs::WINDOWS_1251
            .encode("<meta charset=utf-8><p>Привет, мир, как дела сегодня");
        assert!(decode(&bytes).unwrap().contains("Привет, мир"));
    }

    #[test]
    fn refuses_binary_and_separates_at_zero_bytes() {
        let binary: Vec<u8> =
            (0..2_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert_eq!(decode(&binary), None);
        assert_eq!(decode(b"alpha\0beta gamma delta\n").unwrap(), "alpha beta gamma delta\n");
    }
}
