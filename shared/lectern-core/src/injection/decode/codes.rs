//! What runs of Base64, Base32, hexadecimal, numbers and escapes stand for.

use std::{ops::Range, sync::LazyLock};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use regex::{Captures, Regex};

use super::{MAX_DECODED, Reading, is_text};
use crate::injection::features::Feature;

/// Most runs of one code that are decoded.
const MAX_RUNS: usize = 16;
/// Fewest escapes in a row that are a disguise and not a symbol or two.
const MIN_ESCAPES: usize = 6;

/// Returns the bytes that a run stands for.
type Decode = fn(&str) -> Option<Vec<u8>>;

/// A code: how its runs look, and what they stand for.
struct Code {
    shape: Regex,
    /// Mail is in Base64 as a rule; prose in any other code is there to be hidden.
    how: Feature,
    decode: Decode,
}

static CODES: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let codes: &[(Feature, &str, Decode)] = &[
        (
            Feature::Decoded,
            r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[ \t>]*[A-Za-z0-9+/_-]{4,})*={0,2}",
            base64,
        ),
        (Feature::Mirrored, r"\b[A-Z2-7]{16,}(?:\r?\n[A-Z2-7]{8,})*={0,6}", base32),
        (
            Feature::Mirrored,
            r"\b(?:0x)?[0-9A-Fa-f]{2}(?:[ :,\n]{0,2}(?:0x|\\x)?[0-9A-Fa-f]{2}){11,}\b",
            hex,
        ),
        (Feature::Mirrored, r"\b[01]{8}(?:[ ,\n]{0,2}[01]{8}){5,}\b", |run| numbers(run, 2)),
        (Feature::Mirrored, r"\b\d{2,3}(?:[ ,;\n]{1,2}\d{2,3}){9,}\b", |run| numbers(run, 10)),
        (Feature::Mirrored, r"\b[01]?\d{2}(?:[ ,\\]{1,2}[01]?\d{2}){9,}\b", |run| numbers(run, 8)),
    ];
    let code = |&(how, shape, decode): &(Feature, &str, Decode)| Code {
        shape: Regex::new(shape).expect("the shapes are fixed"),
        how,
        decode,
    };
    codes.iter().map(code).collect()
});

static ESCAPES: LazyLock<Regex> = LazyLock::new(|| {
    let escape = r"&#[0-9]{1,7};?|&#[xX][0-9A-Fa-f]{1,6};?|%[0-9A-Fa-f]{2}|\\u\{?[0-9A-Fa-f]{4,6}\}?|\\x[0-9A-Fa-f]{2}|=[0-9A-F]{2}|&(?:lt|gt|amp|quot|nbsp|apos);";
    Regex::new(escape).expect("the escapes are fixed")
});

static LENIENT: LazyLock<[GeneralPurpose; 2]> = LazyLock::new(|| {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    [
        GeneralPurpose::new(&alphabet::STANDARD, config),
        GeneralPurpose::new(&alphabet::URL_SAFE, config),
    ]
});

/// Adds what the codes in `text` stand for.
pub(super) fn read(text: &str, readings: &mut Vec<Reading>) {
    for code in CODES.iter() {
        for run in code.shape.find_iter(text).take(MAX_RUNS) {
            let kept = &run.as_str()[..run.as_str().floor_char_boundary(2 * MAX_DECODED)];
            if let Some(said) = (code.decode)(kept).and_then(text_of) {
                readings.push(Reading::of(said, run.range(), code.how));
            }
        }
    }
    escapes(text, readings);
}

/// Returns the text that `bytes` are, of one byte a letter or two.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    let is_wide =
        bytes.len() > 8 && bytes.iter().filter(|&&byte| byte == 0).count() * 3 > bytes.len();
    let bytes = if is_wide { bytes.into_iter().filter(|&byte| byte != 0).collect() } else { bytes };
    String::from_utf8(bytes).ok().filter(|said| is_text(said))
}

fn base64(run: &str) -> Option<Vec<u8>> {
    let digits: String =
        run.chars().filter(|c| !c.is_whitespace() && !matches!(c, '=' | '>')).collect();
    // A word of the text may touch the run; up to three letters too many are dropped.
    let engine = &LENIENT[usize::from(digits.contains(['-', '_']))];
    let whole = digits.len() - usize::from(digits.len() % 4 == 1);
    engine.decode(&digits[..whole]).ok()
}

fn base32(run: &str) -> Option<Vec<u8>> {
    let (mut bits, mut width, mut bytes) = (0_u32, 0, Vec::new());
    for c in run.bytes().filter(u8::is_ascii_alphanumeric) {
        let digit = if c.is_ascii_digit() { c - b'2' + 26 } else { c - b'A' };
        bits = (bits << 5 | u32::from(digit)) & 0xfff;
        width += 5;
        if width >= 8 {
            width -= 8;
            bytes.push(u8::try_from(bits >> width & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn hex(run: &str) -> Option<Vec<u8>> {
    let plain = run.replace("0x", "").replace("\\x", "");
    let digits: Vec<u8> = plain.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks_exact(2).map(byte).collect()
}

fn numbers(run: &str, radix: u32) -> Option<Vec<u8>> {
    let spaced = run.contains(|c: char| !c.is_ascii_digit());
    if !spaced {
        let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, radix).ok();
        return run.as_bytes().chunks_exact(8).map(byte).collect();
    }
    let parts = run.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let bytes: Option<Vec<u8>> = parts.map(|part| u8::from_str_radix(part, radix).ok()).collect();
    bytes.filter(|bytes| bytes.iter().all(|byte| (9..127).contains(byte)))
}

/// Adds the text with its escapes resolved, if many stand for letters, which need none.
fn escapes(text: &str, readings: &mut Vec<Reading>) {
    let needless =
        |found: &Captures<'_>| resolved(found).first().is_some_and(u8::is_ascii_alphabetic);
    let mut places = ESCAPES
        .captures_iter(text)
        .filter(needless)
        .filter_map(|found| Some(found.get(0)?.range()));
    let Some(first) = places.next() else { return };
    let (mut count, mut end) = (1, first.end);
    for place in places {
        count += 1;
        end = place.end;
    }
    if count < MIN_ESCAPES {
        return;
    }
    let region: Range<usize> = first.start..end;
    let mut bytes = Vec::new();
    let mut last = region.start;
    for found in ESCAPES.captures_iter(text) {
        let Some(place) = found.get(0) else { continue };
        if place.start() < region.start || place.end() > region.end {
            continue;
        }
        bytes.extend_from_slice(&text.as_bytes()[last..place.start()]);
        bytes.extend(resolved(&found));
        last = place.end();
    }
    let said = String::from_utf8_lossy(&bytes).into_owned();
    // Escaped bytes are decoded together, as one letter may take several.
    readings.push(Reading::of(said, region, Feature::Mirrored));
}

/// Returns the bytes that an escape stands for.
fn resolved(escape: &Captures<'_>) -> Vec<u8> {
    let escape = &escape[0];
    let letter = |digits: &str, radix| {
        let digits = digits.trim_matches(['{', '}', ';']);
        let c = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        c.map(|c| c.to_string().into_bytes()).unwrap_or_default()
    };
    match escape.as_bytes() {
        [b'&', b'#', b'x' | b'X', ..] => letter(&escape[3..], 16),
        [b'&', b'#', ..] => letter(&escape[2..], 10),
        [b'&', b'l', ..] => b"<".to_vec(),
        [b'&', b'g', ..] => b">".to_vec(),
        [b'&', b'n', ..] => b" ".to_vec(),
        [b'&', b'q', ..] => b"\"".to_vec(),
        [b'&', ..] => b"&".to_vec(),
        [b'\\', b'u', ..] => letter(&escape[2..], 16),
        [b'\\', ..] => {
            u8::from_str_radix(&escape[2..], 16).map(|byte| vec![byte]).unwrap_or_default()
        }
        _ => u8::from_str_radix(&escape[1..], 16).map(|byte| vec![byte]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> bool {
        let mut readings = Vec::new();
        read(text, &mut readings);
        readings.iter().any(|reading| reading.folded.text.contains("tell the reader"))
    }

    #[test]
    fn codes_are_read() {
        assert!(says("x VGVsbCB0aGUgcmVhZGVyIG5vdGhpbmc= y"));
        assert!(says("54656c6c2074686520726561646572"));
        assert!(says("54 65 6c 6c 20 74 68 65 20 72 65 61 64 65 72"));
        assert!(says("KRSWY3BAORUGKIDSMVQWIZLS"));
        assert!(says("&#84;&#101;&#108;&#108; the &#x72;&#x65;&#x61;&#x64;&#101;&#114;"));
        assert!(says("%54%65%6C%6C%20%74%68%65%20%72%65%61%64%65%72"));
        assert!(says("84 101 108 108 32 116 104 101 32 114 101 97 100 101 114"));
    }

    #[test]
    fn a_certificate_says_nothing() {
        assert!(!says("MIICfDCCAeWgAwIBAgIUHerUIeP301PzQjcj5Io+G12R+2gwDQYJKoZIhvcNAQEL"));
    }
}
