//! Which languages have a stemmer and a list of stop words, and which language a text is in.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use rust_stemmers::Algorithm;

use super::normalize::normalize;

/// The code of a language nobody knows.
pub const UNDETERMINED: &str = "und";
/// Characters of a text that its language is detected from.
const DETECTED_CHARACTERS: usize = 4_000;

/// A language by its ISO 639-3 and 639-1 codes.
struct Language {
    iso3: &'static str,
    iso1: &'static str,
    stemmer: Option<Algorithm>,
}

const fn language(iso3: &'static str, iso1: &'static str, stemmer: Option<Algorithm>) -> Language {
    Language { iso3, iso1, stemmer }
}

/// Languages about which something is known here. Arabic and Hindi have light stemmers of their own
/// (see `super::stems`); their Snowball ones conflate too much or do not exist.
const LANGUAGES: [Language; 24] = [
    language("eng", "en", Some(Algorithm::English)),
    language("deu", "de", Some(Algorithm::German)),
    language("fra", "fr", Some(Algorithm::French)),
    language("spa", "es", Some(Algorithm::Spanish)),
    language("ita", "it", Some(Algorithm::Italian)),
    language("por", "pt", Some(Algorithm::Portuguese)),
    language("nld", "nl", Some(Algorithm::Dutch)),
    language("swe", "sv", Some(Algorithm::Swedish)),
    language("nob", "no", Some(Algorithm::Norwegian)),
    language("dan", "da", Some(Algorithm::Danish)),
    language("fin", "fi", Some(Algorithm::Finnish)),
    language("hun", "hu", Some(Algorithm::Hungarian)),
    language("ron", "ro", Some(Algorithm::Romanian)),
    language("tur", "tr", Some(Algorithm::Turkish)),
    language("rus", "ru", Some(Algorithm::Russian)),
    language("ell", "el", Some(Algorithm::Greek)),
    language("ara", "ar", None),
    language("ind", "id", None),
    language("cat", "ca", None),
    language("ben", "bn", None),
    language("heb", "he", None),
    language("hin", "hi", None),
    language("urd", "ur", None),
    language("pes", "fa", None),
];

/// How many of [`LANGUAGES`], from the first, are written in Latin letters and have a stemmer.
const LATIN_STEMMERS: usize = 14;

// No list of these in the `stop-words` crate's NLTK collection; its other collection is garbled for
// Urdu. Function words and question words only.
const HINDI: &str = "का की के को में से पर है हैं था थे थी थीं और या कि जो यह वह ये वे इस उस इन उन ने भी तो ही न नहीं एक \
    लिए साथ तक द्वारा हो होता होती होते होना होने होगा होगी होंगे हुआ हुई हुए हूँ हूं कर करता करते करती करना करने करके करें \
    किया किए किये गया गई गए गयी गये दिया दिए दी दे देता देते देना देने क्या कौन कब कहाँ कहां क्यों कैसे कितने कितना कितनी \
    किस किसने किसे किसके किसकी किसका कौनसा कौनसी किसी किन कोई कुछ जब तब अब फिर अपने अपनी अपना रहा रहे रही रहने जाता जाती \
    जाते जाना जाने सकता सकती सकते सके इसके इसकी इसका इसे इसमें उसके उसकी उसका उसे उनके उनकी उनका उन्हें उन्होंने इनके इनकी \
    इनका इन्हें जिस जिसके जिसकी जिसका जिसे जिसमें जिनके जिनकी जिन्हें वाला वाले वाली लेकिन परन्तु परंतु अगर यदि \
    तथा एवं अथवा चाहिए बहुत सिर्फ केवल यहाँ यहां वहाँ वहां ऐसे ऐसा ऐसी जैसे जैसा वैसे हर सब सभी";
const URDU: &str = "کا کی کے کو میں سے پر ہے ہیں تھا تھے تھی تھیں اور یا کہ جو یہ وہ اس ان نے بھی تو ہی نہ نہیں ایک لیے لئے \
 ساتھ تک ہو ہوتا ہوتی ہوتے ہونا ہونے ہوا ہوئی ہوئے ہوں ہوگا ہوگی کر کرتا کرتے کرتی کرنا کرنے کریں کیا کئے کیے گیا گئی گئے \
 کون کب کہاں کیوں کیسے کتنے کتنا کتنی کس کن کسی کوئی جب تب پھر اپنے اپنی اپنا رہا رہے رہی رہنے جاتا جاتی جاتے جانا \
 جانے دیا دی دیے دیتا دیتے دینا دینے سکتا سکتی سکتے جس جن جسے جنہیں اسے انہیں انہوں والا والے لیکن مگر اگر \
 چاہیے بہت صرف یہاں وہاں ایسے ایسا ایسی جیسے جیسا ہر سب سبھی نیز";
const PERSIAN: &str = "و در به از که این آن را با است برای تا یا هم نیز بر بود شد شده می های ها ای یک هر چه چرا چگونه \
    کجا کدام کی چند آیا اگر اما ولی نه ما من تو او شما آنها ایشان باید شود کرد کرده دارد داشت خود هستند نیست";

/// Words in the lists that are names and nouns far more often: `Estados Unidos`, `sentido`.
const SAYING: [&str; 8] =
    ["estado", "estados", "estada", "estadas", "sentido", "sentidos", "sentida", "sentidas"];

static STOP_WORDS: LazyLock<HashMap<&'static str, HashSet<String>>> = LazyLock::new(|| {
    let words_of = |language: &Language| -> Vec<&'static str> {
        match language.iso3 {
            "hin" => HINDI.split_whitespace().collect(),
            "urd" => URDU.split_whitespace().collect(),
            "pes" => PERSIAN.split_whitespace().collect(),
            _ => stop_words::lookup(language.iso1).map(<[_]>::to_vec).unwrap_or_default(),
        }
    };
    let normalized = |language| {
        let split = |word: &str| normalize(word).split('\'').map(str::to_owned).collect::<Vec<_>>();
        let listed = words_of(language).into_iter().filter(|word| !SAYING.contains(word));
        listed.flat_map(split).filter(|word| !word.is_empty()).collect()
    };
    LANGUAGES.iter().map(|language| (language.iso3, normalized(language))).collect()
});

/// Whether a normalised word says nothing about what a text of `language` is about.
pub(crate) fn is_stop_word(word: &str, language: &str) -> bool {
    STOP_WORDS.get(language).is_some_and(|words| words.contains(word))
}

/// Whether anything is known about `language`.
pub(super) fn stemmer_of(language: &str) -> Option<Algorithm> {
    LANGUAGES.iter().find(|known| known.iso3 == language).and_then(|known| known.stemmer)
}

/// Returns the stemmers of the languages written in Latin letters.
pub(super) fn latin_stemmers() -> impl Iterator<Item = Algorithm> {
    LANGUAGES[..LATIN_STEMMERS].iter().filter_map(|language| language.stemmer)
}

/// Returns the ISO 639-3 code of the language of `text`, [`UNDETERMINED`] when it is too short or
/// too mixed to tell. Looks at the beginning of the text only.
#[must_use]
pub fn detect_language(text: &str) -> &'static str {
    let end = text.char_indices().nth(DETECTED_CHARACTERS).map_or(text.len(), |(at, _)| at);
    match whatlang::detect(&text[..end]) {
        Some(found) if found.is_reliable() => found.lang().code(),
        _ => UNDETERMINED,
    }
}

/// Whether most of `text` is written in Latin letters. Looks at the beginning of the text only.
pub(crate) fn is_in_latin_letters(text: &str) -> bool {
    let end = text.char_indices().nth(DETECTED_CHARACTERS).map_or(text.len(), |(at, _)| at);
    whatlang::detect_script(&text[..end]) == Some(whatlang::Script::Latin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_what_is_long_enough_and_admits_what_is_not() {
        assert_eq!(
            detect_language(
                "Backups run every night and are kept for thirty days in another region."
            ),
            "eng"
        );
        assert_eq!(
            detect_language(
                "خلافت راشدہ کے چوتھے خلیفہ اور اہل تشیع کے پہلے امام علی بن ابی طالب پر حملہ کیا۔"
            ),
            "urd"
        );
        assert_eq!(detect_language("ok"), UNDETERMINED);
        assert_eq!(detect_language(""), UNDETERMINED);
    }

    #[test]
    fn every_language_that_needs_stop_words_has_them() {
        for language in LANGUAGES.iter().filter(|language| language.iso3 != "heb") {
            assert!(STOP_WORDS[language.iso3].len() > 20, "{}", language.iso3);
        }
        assert!(is_stop_word("the", "eng") && is_stop_word(&normalize("کے"), "urd"));
        assert!(!is_stop_word("backup", "eng") && !is_stop_word("the", "und"));
        // Water, coins, the Jin dynasty: spelled, or folded, like function words.
        for noun in ["آب", "سکے"] {
            assert!(!is_stop_word(&normalize(noun), "urd"), "{noun}");
        }
        assert!(!is_stop_word(&normalize("जिन"), "hin"));
    }
}
