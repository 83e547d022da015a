//! How text becomes BM25 terms.
//!
//! A document's vector holds the saturated, length-normalised frequency of each term; the index multiplies by
//! IDF, so that the dot product with a question's vector is its BM25 score. Term ids are murmur3
//! hashes, the convention of Qdrant's sparse vectors.
//!
//! | module | answers |
//! |---|---|
//! | `normalize` | which spellings are one |
//! | `words` | where words begin and end |
//! | `stems` | under which terms a word is indexed and looked for |
//! | `languages` | stop words, stemmers, detection |
//! | `lexemes` | which words stand where |

mod languages;
mod lexemes;
mod normalize;
mod stems;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::words::{Script, Unit, Word, words};
pub use self::{
    languages::{UNDETERMINED, detect_language},
    lexemes::{Lexeme, lexemes},
};
pub(crate) use self::{
    languages::{is_in_latin_letters, is_stop_word},
    normalize::normalize,
};

/// Saturation of term frequency (k₁).
const SATURATION: f32 = 1.2;
/// How much length counts (b).
const LENGTH_WEIGHT: f32 = 0.75;
/// Words of an ordinary chunk with its headings, see [`Bm25::default`].
const AVERAGE_WORDS: f32 = 100.0;

/// Term weights by term id; ids ascend and are distinct.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SparseVector {
    /// Hashed terms.
    pub indices: Vec<u32>,
    /// Weight of each term, positive.
    pub values: Vec<f32>,
}

impl SparseVector {
    /// Whether there is no term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Returns the vector of terms with weights; weights of terms whose hashes collide are added up.
    fn of(terms: impl IntoIterator<Item = (String, f32)>) -> Self {
        let mut weights: BTreeMap<u32, f32> = BTreeMap::new();
        for (term, weight) in terms {
            *weights.entry(term_id(&term)).or_default() += weight;
        }
        let (indices, values) = weights.into_iter().unzip();
        Self { indices, values }
    }
}

/// The parameters of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009). The same
/// values must be used for all documents of an index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bm25 {
    average_words: f32,
}

impl Default for Bm25 {
    /// Returns the parameters for chunks of the default size. The average length is a constant, because
    /// the true one would change with every document and with it every stored weight. Default-sized chunks
    /// have 85 (SciFact), 89 (SQuAD 2) and 102 (Cranfield) words on average.
    fn default() -> Self {
        Self { average_words: AVERAGE_WORDS }
    }
}

impl Bm25 {
    /// Returns the parameters for texts of `average_words` words on average; values below 1 count as 1.
    #[must_use]
    pub fn with_average_words(average_words: f32) -> Self {
        Self { average_words: average_words.max(1.0) }
    }

    /// Returns the weight of each term of `text`: tf·(k₁+1) / (tf + k₁·(1−b+b·words/average)), with k₁ = 1.2
    /// and b = 0.75. `language` is the text's ISO 639-3 code or [`UNDETERMINED`]; it chooses the
    /// stemmer. Stop words are indexed like others; questions leave them out.
    #[must_use]
    pub fn document_vector(&self, text: &str, language: &str) -> SparseVector {
        let words = words(text);
        // Pairs repeat the characters they are made of: they do not make a text longer.
        let counted = words.iter().filter(|word| word.unit != Unit::Pair).count();
        let length = counted as f32 / self.average_words;
        let mut frequencies: BTreeMap<String, f32> = BTreeMap::new();
        for word in &words {
            *frequencies.entry(stems::document_term(word, language)).or_default() += 1.0;
        }
        let saturated = |frequency: f32| {
            let penalty = SATURATION * (1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * length);
            frequency * (SATURATION + 1.0) / (frequency + penalty)
        };
        SparseVector::of(
            frequencies.into_iter().map(|(term, frequency)| (term, saturated(frequency))),
        )
    }
}

/// Returns the weight of each term a question looks for: 1 for those of its language, less for those that
/// documents in other languages would hold its words under. `language` is the collection's, or
/// [`UNDETERMINED`]; the language detected in the question counts too. Stop words of these are left out,
/// unless no other word is left. A term that is asked for twice weighs the same.
#[must_use]
pub fn query_vector(text: &str, language: &str) -> SparseVector {
    let detected = detect_language(text);
    let mut languages: Vec<&str> =
        [language, detected].into_iter().filter(|code| *code != UNDETERMINED).collect();
    languages.dedup();
    let all = words(text);
    let said: Vec<&Word> = all.iter().filter(|word| !is_empty_word(word, &languages)).collect();
    let asked = if said.is_empty() { all.iter().collect() } else { said };
    let mut weights: BTreeMap<String, f32> = BTreeMap::new();
    for word in asked.into_iter().filter(|word| word.unit != Unit::Character) {
        for (term, weight) in stems::query_terms(word, &languages) {
            let known = weights.entry(term).or_default();
            *known = known.max(weight);
        }
    }
    SparseVector::of(weights)
}

/// Returns the terms of `text`'s words that say something, in order, with repetitions: stemmed by
/// `language`, stop words left out. For comparing texts of one language with each other.
#[must_use]
pub fn content_terms(text: &str, language: &str) -> Vec<String> {
    let words = words(text);
    let said = words
        .iter()
        .filter(|word| word.unit != Unit::Character && !is_empty_word(word, &[language]));
    said.map(|word| stems::document_term(word, language)).collect()
}

/// Whether a word is a stop word of one of `languages`; where none of them is known, of English.
fn is_empty_word(word: &Word, languages: &[&str]) -> bool {
    let known = languages.iter().any(|language| *language != UNDETERMINED);
    let in_english = word.script == Script::Latin && !known;
    languages.iter().any(|language| is_stop_word(&word.text, language))
        || (in_english && is_stop_word(&word.text, "eng"))
}

/// Returns the id of a term: murmur3, 32 bits, seed 0.
fn term_id(term: &str) -> u32 {
    murmur3::murmur3_32(&mut term.as_bytes(), 0).expect("reading from memory does not fail")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shared(document: &SparseVector, query: &SparseVector) -> usize {
        query.indices.iter().filter(|index| document.indices.contains(index)).count()
    }

    #[test]
    fn term_ids_are_murmur3() {
        // Reference values of Austin Appleby's MurmurHash3_x86_32 with seed 0.
        assert_eq!(term_id(""), 0);
        assert_eq!(term_id("hello"), 0x248b_fa47);
    }

    #[test]
    fn weights_follow_the_formula() {
        let vector =
            Bm25::with_average_words(4.0).document_vector("backup backup daily night", "eng");
        let backup = 2.0 * 2.2 / (2.0 + 1.2);
        let single = 2.2 / 2.2;
        let mut values = vector.values.clone();
        values.sort_by(f32::total_cmp);
        assert_eq!(values.len(), 3);
        assert!((values[2] - backup).abs() < 1e-6 && (values[0] - single).abs() < 1e-6);
    }

    #[test]
    fn a_question_meets_a_document_whatever_either_was_taken_for() {
        for language in ["eng", "deu", "fra", "nld", "und"] {
            let document =
                Bm25::default().document_vector("The universities of Normandy", language);
            let query = query_vector("universities of Normandy?", "spa");
            assert!(shared(&document, &query) >= 2, "{language}");
        }
    }

    #[test]
    fn a_question_of_stop_words_still_asks() {
        let document = Bm25::default().document_vector("To be, or not to be", "eng");
        assert_eq!(shared(&document, &query_vector("to be or not to be", "eng")), 4);
        assert_eq!(content_terms("to be or not to be", "eng"), Vec::<String>::new());
        assert_eq!(content_terms("The backups are running", "eng"), ["backup", "run"]);
    }

    #[test]
    fn urdu_and_arabic_keyboards_find_each_other() {
        let document = Bm25::default().document_vector("علی کی کتابیں", "urd");
        assert!(shared(&document, &query_vector("علي كتابيں", "und")) >= 2);
    }

    proptest! {
        #[test]
        fn ids_ascend_and_weights_are_positive_and_bounded(text in "[\\PC\\s]{0,300}") {
            for vector in [Bm25::default().document_vector(&text, detect_language(&text)), query_vector(&text, "eng")] {
                prop_assert!(vector.indices.windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert_eq!(vector.indices.len(), vector.values.len());
                prop_assert!(vector.values.iter().all(|value| *value > 0.0 && value.is_finite()));
            }
        }
    }
}
