//! Where words begin and end, in scripts with and without spaces.

use unicode_segmentation::UnicodeSegmentation;

use super::normalize::normalize;

/// What a word is written in, as far as its analysis differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Greek,
    Arabic,
    Devanagari,
    /// Numbers, mixtures of letters and digits, pairs of unspaced characters, other scripts: taken as they are.
    AsIs,
}

/// How a word of an unspaced script was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A word, or a character that stands alone.
    Word,
    /// A character beside others of its kind. Indexed, but asked for only in pairs.
    Character,
    /// Two neighbouring characters.
    Pair,
}

/// A normalised word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) script: Script,
    pub(super) unit: Unit,
}

/// Longest word that is indexed, in bytes; longer runs (encoded data) are left out.
const MAX_WORD_BYTES: usize = 128;

/// Returns the words of `text` in order, with repetitions.
///
/// Word boundaries are those of Unicode Standard Annex 29. A word is cut at apostrophes
/// (`l'homme`, `Rollo's`), and the single letters that remain are dropped; one with inner points or
/// underscores (`example.com`, `max_retries`, `U.S.`) gives its parts and itself without them; numbers
/// lose their thousands separators. Scripts without spaces (Han, kana, Hangul, Thai, Lao, Khmer,
/// Burmese) give each character and each pair of neighbours.
pub(super) fn words(text: &str) -> Vec<Word> {
    let normalized = normalize(text);
    let mut words = Vec::new();
    let mut run: Option<(usize, usize)> = None;
    for (start, word) in normalized.unicode_word_indices() {
        let end = start + word.len();
        if word.chars().next().is_some_and(is_unspaced) {
            run = match run {
                Some((first, last)) if last == start => Some((first, end)),
                ended => {
                    push_unspaced(&normalized, ended, &mut words);
                    Some((start, end))
                }
            };
        } else {
            push_unspaced(&normalized, run.take(), &mut words);
            push_word(word, &mut words);
        }
    }
    push_unspaced(&normalized, run, &mut words);
    words
}

pub(super) fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

fn push_unspaced(text: &str, run: Option<(usize, usize)>, words: &mut Vec<Word>) {
    let Some((start, end)) = run else { return };
    let mut previous: Option<&str> = None;
    for cluster in text[start..end].graphemes(true) {
        let unit = if cluster.len() == end - start { Unit::Word } else { Unit::Character };
        push(cluster.to_owned(), unit, words);
        if let Some(previous) = previous {
            push(format!("{previous}{cluster}"), Unit::Pair, words);
        }
        previous = Some(cluster);
    }
}

fn push_word(word: &str, words: &mut Vec<Word>) {
    if word.starts_with(|first: char| first.is_ascii_digit()) && word.chars().all(is_number_part) {
        push(word.replace([',', '٬'], ""), Unit::Word, words);
        return;
    }
    for spoken in word.split('\'').filter(|spoken| !is_single_letter(spoken) || *spoken == word) {
        let is_joint = |character: char| matches!(character, '.' | '_' | ':' | '·' | '‿');
        if spoken.contains(is_joint) {
            let parts = spoken.split(is_joint).filter(|part| !is_single_letter(part));
            parts.for_each(|part| push(part.to_owned(), Unit::Word, words));
            push(spoken.replace(is_joint, ""), Unit::Word, words);
        } else {
            push(spoken.to_owned(), Unit::Word, words);
        }
    }
}

fn is_number_part(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, ',' | '.' | '٬' | '٫')
}

fn is_single_letter(part: &str) -> bool {
    let mut characters = part.chars();
    characters.next().is_some_and(char::is_alphabetic) && characters.next().is_none()
}

fn push(text: String, unit: Unit, words: &mut Vec<Word>) {
    if !text.is_empty() && text.len() <= MAX_WORD_BYTES {
        let script = script_of(&text);
        words.push(Word { text, script, unit });
    }
}

fn script_of(word: &str) -> Script {
    if word.contains(|character: char| character.is_numeric()) {
        return Script::AsIs;
    }
    match word.chars().next() {
        Some('a'..='z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') => Script::Latin,
        Some('\u{400}'..='\u{52f}') => Script::Cyrillic,
        Some('\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}') => Script::Greek,
        Some('\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}') => Script::Arabic,
        Some('\u{900}'..='\u{97f}') => Script::Devanagari,
        _ => Script::AsIs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn cuts_words_at_apostrophes_and_keeps_compounds() {
        assert_eq!(texts("Rollo's l’homme can't"), ["rollo", "homme", "can"]);
        assert_eq!(texts("max_retries in U.S."), ["max", "retries", "maxretries", "in", "us"]);
        assert_eq!(texts("1,000 3.14 v2"), ["1000", "3.14", "v2"]);
        assert_eq!(texts("a"), ["a"]);
    }

    #[test]
    fn pairs_characters_of_unspaced_scripts() {
        assert_eq!(texts("数据库 ok"), ["数", "据", "数据", "库", "据库", "ok"]);
        assert_eq!(texts("ไทย").len(), 5);
        assert_eq!(texts("서울은"), ["서", "울", "서울", "은", "울은"]);
    }

    #[test]
    fn leaves_encoded_data_out() {
        assert_eq!(texts(&"a".repeat(MAX_WORD_BYTES + 1)), Vec::<String>::new());
    }
}
