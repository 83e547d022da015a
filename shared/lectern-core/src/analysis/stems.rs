//! From a word to the term it is indexed under, and to the terms a question looks for.

use rust_stemmers::{Algorithm, Stemmer};

use super::{
    languages::{UNDETERMINED, latin_stemmers, stemmer_of},
    normalize::fold,
    words::{Script, Word},
};

/// Returns the one term a document in `language` holds `word` under.
///
/// A language only decides about words of its own script: an English word in an Urdu document is
/// stemmed as English, and so is every Latin word of a text whose language is not known.
pub(super) fn document_term(word: &Word, language: &str) -> String {
    match word.script {
        Script::Latin => {
            let stemmer = match stemmer_of(language) {
                Some(Algorithm::Russian | Algorithm::Greek) => Some(Algorithm::English),
                None if !is_latin_without_stemmer(language) => Some(Algorithm::English),
                known => known,
            };
            stemmer.map_or_else(|| fold(&word.text), |stemmer| stem(&word.text, stemmer))
        }
        Script::Cyrillic if language == "rus" => stem(&word.text, Algorithm::Russian),
        Script::Greek => stem(&word.text, Algorithm::Greek),
        Script::Arabic if language == "ara" => light_arabic(&word.text).to_owned(),
        Script::Devanagari if language == "hin" => light_hindi(&word.text).to_owned(),
        Script::Cyrillic => fold(&word.text),
        Script::Arabic | Script::Devanagari | Script::AsIs => word.text.clone(),
    }
}

/// Weight of a term that only a document in another language than the question's holds.
const OTHER_LANGUAGE: f32 = 0.3;
/// The same while the question's language is not known.
const ANY_LANGUAGE: f32 = 0.5;

/// Returns every term some document may hold `word` under, each once, with its weight: 1 for the terms of
/// `languages` (English where none is known), less for those of the other languages of its script.
///
/// So a match never hangs on the language of a question, which may be too short to be detected, nor on that of
/// a chunk, which may be detected wrongly. The other terms weigh less, because the few documents that hold
/// them would gain by their rarity: with weight 1, nDCG@10 on SciFact train is .691, with
/// these weights .699, as without the other terms.
pub(super) fn query_terms(word: &Word, languages: &[&str]) -> Vec<(String, f32)> {
    let text = &word.text;
    let known = languages.iter().any(|language| *language != UNDETERMINED);
    let all: Vec<String> = match word.script {
        Script::Latin => {
            latin_stemmers().map(|stemmer| stem(text, stemmer)).chain([fold(text)]).collect()
        }
        Script::Cyrillic => vec![stem(text, Algorithm::Russian), fold(text)],
        Script::Greek => vec![stem(text, Algorithm::Greek)],
        Script::Arabic => vec![light_arabic(text).to_owned(), text.clone()],
        Script::Devanagari => vec![light_hindi(text).to_owned(), text.clone()],
        Script::AsIs => vec![text.clone()],
    };
    let own: Vec<String> = match (word.script, known) {
        // The light stemmer of Hindi joins too much to stand alone: .939 against .966 on XQuAD.
        (Script::Devanagari, _) | (Script::Cyrillic | Script::Arabic, false) => all.clone(),
        (_, true) => languages.iter().map(|language| document_term(word, language)).collect(),
        (_, false) => vec![document_term(word, UNDETERMINED)],
    };
    let other = if known { OTHER_LANGUAGE } else { ANY_LANGUAGE };
    let mut terms: Vec<(String, f32)> = own.into_iter().map(|term| (term, 1.0)).collect();
    terms.extend(all.into_iter().map(|term| (term, other)));
    // Of equal terms the heaviest stays.
    terms.sort_by(|one, two| one.0.cmp(&two.0).then(two.1.total_cmp(&one.1)));
    terms.dedup_by(|later, first| later.0 == first.0);
    terms
}

/// Languages written in Latin letters that are detected but have no stemmer: their words stay whole.
fn is_latin_without_stemmer(language: &str) -> bool {
    const WHOLE: [&str; 20] = [
        "afr", "aze", "cat", "ces", "epo", "est", "hrv", "ind", "jav", "lat", "lav", "lit", "pol",
        "slk", "slv", "sna", "tgl", "tuk", "uzb", "vie",
    ];
    WHOLE.contains(&language) || language == "zul"
}

fn stem(word: &str, algorithm: Algorithm) -> String {
    fold(&Stemmer::create(algorithm).stem(word))
}

/// Letters an Arabic or Hindi word keeps at least.
const MIN_STEM_LETTERS: usize = 2;

/// Returns an Arabic word (normalised) without the article, the conjunction and the commonest endings:
/// Light10 of Larkey, Ballesteros and Connell, "Light Stemming for Arabic Information Retrieval" (2007).
fn light_arabic(word: &str) -> &str {
    let word = word
        .strip_prefix('و')
        .filter(|rest| rest.chars().count() > MIN_STEM_LETTERS)
        .unwrap_or(word);
    let articles = ["ال", "بال", "كال", "فال", "لل"];
    let bare = articles.iter().find_map(|article| word.strip_prefix(article));
    let mut stem = bare.filter(|rest| rest.chars().count() >= MIN_STEM_LETTERS).unwrap_or(word);
    for ending in ["ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي"] {
        if let Some(rest) =
            stem.strip_suffix(ending).filter(|rest| rest.chars().count() >= MIN_STEM_LETTERS)
        {
            stem = rest;
        }
    }
    stem
}

/// Returns a Hindi word (normalised) without its longest inflection: Ramanathan and Rao, "A Lightweight Stemmer
/// for Hindi" (2003).
fn light_hindi(word: &str) -> &str {
    const ENDINGS: [&str; 63] = [
        "ाएंगी",
        "ाएंगे",
        "ाऊंगी",
        "ाऊंगा",
        "ाइयां",
        "ाइयों",
        "ाइयाँ", // five
        "ाएगी",
        "ाएगा",
        "ाओगी",
        "ाओगे",
        "एंगी",
        "ेंगी",
        "एंगे",
        "ेंगे",
        "ूंगी",
        "ूंगा",
        "ातीं",
        "नाओं",
        "नाएं",
        "ताओं",
        "ताएं",
        "ियाँ",
        "ियों",
        "ियां", // four
        // The English plural: `नॉर्मन्स`.
        "्स",
        "ाकर",
        "ाइए",
        "ाईं",
        "ाया",
        "ेगी",
        "ेगा",
        "ोगी",
        "ोगे",
        "ाने",
        "ाना",
        "ाते",
        "ाती",
        "ाता",
        "तीं",
        "ाओं",
        "ाएं",
        "ुओं",
        "ुएं",
        "ुआं", // three
        "कर",
        "ाओ",
        "िए",
        "ाई",
        "ाए",
        "ने",
        "नी",
        "ना",
        "ते",
        "ीं",
        "ती",
        "ता",
        "ां",
        "ों",
        "ें", // two
        "ो",
        "े",
        "ू", // one
    ];
    let stripped = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending));
    let stripped = stripped.or_else(|| word.strip_suffix(['ु', 'ी', 'ि', 'ा']));
    stripped.filter(|rest| rest.chars().count() >= MIN_STEM_LETTERS).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::words::words;

    fn term(text: &str, language: &str) -> String {
        document_term(&words(text)[0], language)
    }

    #[test]
    fn conflates_inflections_of_the_documents_language() {
        assert_eq!(term("retrieval", "eng"), term("retrievals", "eng"));
        assert_eq!(term("Häuser", "deu"), term("Hauser", "deu"));
        assert_eq!(term("المدارس", "ara"), term("مدارس", "ara"));
        assert_eq!(term("किताबें", "hin"), term("किताबों", "hin"));
        assert_eq!(term("नॉर्मन्स", "hin"), term("नॉर्मन", "hin"));
        assert_eq!(term("backups", "urd"), term("backup", "und"));
        assert_eq!(term("miasta", "pol"), "miasta");
    }

    proptest! {
        #[test]
        fn a_question_looks_for_what_any_language_indexed(
            text in "[a-zäöüßéèñçåøæğışşțäÀ-ž]{1,12}|[а-яё]{1,9}|[α-ωά]{1,9}|[\u{620}-\u{64a}]{1,8}|[ऀ-ॿ]{1,8}|\\PC{1,6}",
            language in proptest::sample::select(vec![
                "eng", "deu", "fra", "spa", "ita", "por", "nld", "swe", "nob", "dan", "fin", "hun", "ron", "tur", "rus",
                "ell", "ara", "hin", "urd", "pes", "pol", "und",
            ]),
        ) {
            for word in words(&text) {
                for asked in ["und", "deu", "urd"] {
                    let terms = query_terms(&word, &[asked]);
                    prop_assert!(terms.iter().any(|(term, _)| *term == document_term(&word, language)));
                    prop_assert!(terms.windows(2).all(|pair| pair[0].0 < pair[1].0));
                    prop_assert!(terms.iter().any(|(_, weight)| *weight == 1.0));
                }
            }
        }
    }
}
