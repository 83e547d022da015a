//! One spelling for what people write in several ways.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Zeros of the decimal digits of scripts that have their own; nine more follow each.
const ZEROS: [u32; 17] = [
    0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0,
    0xf20, 0x1040, 0x17e0, 0x1810,
];

/// Returns `text` in NFKC and lower case, with ASCII digits, one apostrophe and one spelling of
/// Arabic-script and Devanagari letters.
///
/// Arabic script: vowel signs and tatweel go; the forms of alef, yeh, kaf and heh become one each, in
/// the Arabic code points, so that Arabic, Persian and Urdu spellings of a name meet. Devanagari: nukta goes,
/// candrabindu becomes anusvara. Joiners and other invisible characters go. Latin accents stay: stemmers
/// need them; [`fold`] removes them afterwards.
pub(crate) fn normalize(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter_map(unify).collect()
}

fn unify(character: char) -> Option<char> {
    let unified = match character {
        '`' => '\'',
        '\u{0}'..='\u{7f}' => character,
        '\u{200b}'..='\u{200f}' | '\u{61c}' | '\u{ad}' | '\u{feff}' => return None,
        '’' | '‘' | 'ʼ' | '´' => '\'',
        'ς' => 'σ',
        'ё' => 'е',
        // Vowel signs, superscript alef, tatweel, Quranic marks.
        '\u{64b}'..='\u{65f}'
        | '\u{670}'
        | '\u{640}'
        | '\u{610}'..='\u{61a}'
        | '\u{6d6}'..='\u{6ed}' => return None,
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ئ' | 'ې' | 'ے' | 'ۓ' => 'ي',
        'ؤ' => 'و',
        'ک' => 'ك',
        'ة' | 'ہ' | 'ھ' | 'ە' | 'ۂ' | 'ۃ' | 'ۀ' => 'ه',
        'ء' => return None,
        // Nukta; candrabindu.
        '\u{93c}' => return None,
        '\u{901}' => '\u{902}',
        other => return Some(ascii_digit(other)),
    };
    Some(unified)
}

fn ascii_digit(character: char) -> char {
    let code = u32::from(character);
    let value = ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(character)
}

/// Returns a word without the accents of Latin, Greek and Cyrillic letters; other scripts' marks are
/// letters and stay.
pub(super) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let mut folded = String::with_capacity(word.len());
    for character in word.nfd() {
        match character {
            // Й is a letter of its own, as is ї.
            '\u{306}' | '\u{308}' if folded.ends_with(['и', 'і']) => folded.push(character),
            mark if is_combining_mark(mark)
                && folded.chars().next_back().is_some_and(is_european) => {}
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            other => folded.push(other),
        }
    }
    folded
}

fn is_european(character: char) -> bool {
    matches!(character, 'a'..='z' | '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unifies_spellings() {
        assert_eq!(normalize("ＡＢＣ ﬁ ٣۴५"), "abc fi 345");
        assert_eq!(normalize("علیؑ کتابیں"), normalize("علي كتابيں"));
        assert_eq!(normalize("مُحَمَّد ـــ أحمد مدرسة"), "محمد  احمد مدرسه");
        assert_eq!(normalize("क़लम हाँ"), "कलम हां");
        assert_eq!(normalize("l’homme Ёлка ΣΑΣ"), "l'homme елка σασ");
    }

    #[test]
    fn folds_accents_of_european_letters_only() {
        assert_eq!(fold("opción straße łódź ελλάδα"), "opcion strasse lodz ελλαδα");
        assert_eq!(fold("हिन्दी"), "हिन्दी");
        assert_eq!(fold("й"), "и\u{306}");
    }
}
