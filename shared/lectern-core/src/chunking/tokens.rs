//! How many tokens a text costs, without asking any model.

/// Tenths of a token: the unit the estimate is added up in, so that it has no rounding.
pub(super) const TENTHS: u64 = 10;

/// Letters a Latin word has free: `the` is one word piece, longer words cost 0.3 pieces a letter more.
const FREE_LETTERS: u64 = 3;

/// Returns an estimate of the tokens of `text`, in any script, without special
/// tokens such as `[CLS]`.
///
/// Chunks are measured with it, so that they do not depend on the configured embedder. A word of n letters of
/// an alphabet costs 1 + 0.3·max(0, n − 3), n digits cost max(1, n/2), an ideograph, a kana or a hangul
/// syllable 0.6, a white-space character and a mark a fraction, every other character (punctuation, symbols) 1.
///
/// Calibrated on windows of 120 words against the vocabulary of all-MiniLM-L6-v2; estimate ÷
/// actual, median (1st percentile): English 1.40–1.52 (1.12), German 0.90 (0.79), Spanish 0.96 (0.86), Rust
/// source 1.12 (0.99), Markdown 1.20 (0.79). That vocabulary is English: it takes Arabic, Hindi and Chinese letter by
/// letter. Chunks of that measure would hold forty words of Hindi, too few to find or to answer from (nDCG@10 of BM25 on
/// XQuAD Hindi .949 for .960), so other scripts are measured as current multilingual tokenisers count them, and an
/// English model sees the beginning of such a chunk.
#[must_use]
pub fn estimate_tokens(text: &str) -> usize {
    usize::try_from(tenths(text).div_ceil(TENTHS)).unwrap_or(usize::MAX)
}

/// Tenths of a token that a combining mark costs.
const MARK: u64 = 3;
/// Tenths of a token that an ideograph costs.
const SYLLABLE: u64 = 6;

/// What the scan is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Word(u64),
    Number(u64),
    None,
}

/// Returns the estimate in tenths. Subadditive: the pieces of a text never cost less than the text,
/// so sums over pieces are upper bounds.
pub(super) fn tenths(text: &str) -> u64 {
    let mut total = 0;
    let mut run = Run::None;
    for character in text.chars() {
        if is_mark(character) {
            // Vowel signs stand within words.
            total += MARK;
            continue;
        }
        let next = if is_letter(character) {
            Run::Word(if let Run::Word(letters) = run { letters + 1 } else { 1 })
        } else if character.is_ascii_digit() {
            Run::Number(if let Run::Number(digits) = run { digits + 1 } else { 1 })
        } else {
            Run::None
        };
        total += match next {
            // With the white space that follows it a short word costs one token.
            Run::Word(1) | Run::Number(1) => TENTHS - 1,
            Run::Word(letters) if letters > FREE_LETTERS => 3,
            Run::Number(digits) if digits > 2 => 5,
            Run::Number(2) => 1,
            Run::Word(_) | Run::Number(_) => 0,
            Run::None if character.is_whitespace() => 1,
            Run::None if is_syllable(character) => SYLLABLE,
            Run::None => TENTHS,
        };
        run = next;
    }
    total
}

/// Whether a character is a letter of an alphabet, of which words are made.
fn is_letter(character: char) -> bool {
    character.is_alphabetic() && !is_syllable(character)
}

/// Whether a character says about as much as half a word: an ideograph, a kana, a hangul syllable.
fn is_syllable(character: char) -> bool {
    matches!(character,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Whether a character is a combining mark or a joiner that a WordPiece tokeniser drops. Not free
/// all the same: a chunk made of nothing else must still be bounded.
fn is_mark(character: char) -> bool {
    unicode_normalization::char::is_combining_mark(character)
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_words_ideographs_and_digits() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("the cat sat"), 3);
        assert_eq!(estimate_tokens("数据库备份"), 3);
        assert_eq!(estimate_tokens("کتابیں پڑھتا"), 4);
        assert_eq!(estimate_tokens("कितने लोग"), 3);
        assert_eq!(estimate_tokens("10 2026 12345678"), 8);
        assert_eq!(estimate_tokens("👩\u{200d}💻"), 3);
    }

    proptest! {
        #[test]
        fn pieces_never_cost_less_than_the_whole(left in "[\\PC\\s]{0,40}", right in "[\\PC\\s]{0,40}") {
            let whole = format!("{left}{right}");
            prop_assert!(tenths(&left) + tenths(&right) >= tenths(&whole));
        }

        #[test]
        fn a_character_costs_at_most_one_token_and_never_nothing_for_long(text in "\\PC{1,200}") {
            prop_assert!(tenths(&text) <= TENTHS * text.chars().count() as u64);
            prop_assert!(estimate_tokens(&text) >= text.chars().count() / 10);
        }
    }
}
