//! A labelled set for measuring a verifier: true sentences of the evaluation data, lightly paraphrased, and what
//! they become when a number, a date, a unit, a name, a denial or the passage is changed.
//!
//! Deterministic by seed. Every corrupted sentence has a true twin from the same sentence of the same passage, so
//! that each kind is measured against as many true sentences. Articles, not sentences, are split into the half
//! that thresholds may be tuned on and the half that is held back; an article that stands in several sets and
//! languages is in the same half in all.
//!
//! Paraphrases: a clause, a parenthesis or a filler left out, a clause moved, items of a list exchanged, two
//! sentences made one, numbers and dates written otherwise, words replaced. One true sentence in six is verbatim.

mod corrupt;
mod dice;
mod paraphrase;
mod scores;
mod sources;
mod surroundings;
mod words;

use std::collections::{BTreeMap, HashMap};

use self::{dice::Dice, surroundings::Surroundings};
pub use self::{
    scores::{Counts, Scores},
    sources::{Source, read_sources},
};

/// The seed of the published figures.
pub const SEED: u64 = 2_024;
/// Most examples of a kind from one set and half: the large sets must not drown the others.
const MAX_PER_KIND_AND_SET: usize = 140;
/// Words a sentence has at least.
const MIN_WORDS: usize = 6;
/// Longest sentence in bytes; a longer one is a table or a list.
const MAX_BYTES: usize = 700;

/// What was done to a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing, or a paraphrase: its passage supports it.
    True,
    /// A number became another one of the sentence, of the passage, or a new one.
    Number,
    /// A month or a year became another one.
    Date,
    /// A unit became another one.
    Unit,
    /// A name became another one of the passage or of the set.
    Name,
    /// A denial was added.
    NegationAdded,
    /// A denial was taken away.
    NegationRemoved,
    /// The passage is another one, half of the time of the same article.
    Passage,
    /// A clause of another passage was added.
    Addition,
}

impl Kind {
    /// All kinds of corruption.
    pub const CORRUPTIONS: [Self; 8] = [
        Self::Number,
        Self::Date,
        Self::Unit,
        Self::Name,
        Self::NegationAdded,
        Self::NegationRemoved,
        Self::Passage,
        Self::Addition,
    ];
}

/// Which half of the articles a sentence is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Half {
    /// Thresholds may be chosen by it.
    Tune,
    /// Figures are reported on it, and nothing is chosen by it.
    HeldBack,
}

/// A sentence and a passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What was done to it.
    pub kind: Kind,
    /// For a true sentence the kind of the corrupted twin; otherwise its own kind.
    pub twin: Kind,
    /// The half.
    pub half: Half,
    /// Index of the passage in the sources.
    pub passage: usize,
    /// The sentence.
    pub sentence: String,
    /// What was done to it before it was corrupted.
    pub paraphrases: Vec<&'static str>,
}

/// Makes the set from `sources`, or one half of it.
#[must_use]
pub fn examples(sources: &[Source], wanted: Option<Half>, seed: u64) -> Vec<Example> {
    let halves = halves(sources, seed);
    let surroundings = Surroundings::of(sources, &halves);
    let mut made: BTreeMap<(Half, &str, Kind), usize> = BTreeMap::new();
    let mut examples = Vec::new();
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|at| Dice::new(seed, &["order", &sources[*at].id]).next());
    for at in order {
        let source = &sources[at];
        let half = halves[source.article.as_str()];
        if wanted.is_some_and(|wanted| wanted != half) {
            continue;
        }
        for (number, sentence) in source.sentences.iter().enumerate() {
            if !is_usable(sentence, &source.language) {
                continue;
            }
            let next = source.sentences.get(number + 1).map(String::as_str);
            for kind in Kind::CORRUPTIONS {
                let count = made.entry((half, source.set.as_str(), kind)).or_default();
                if *count >= MAX_PER_KIND_AND_SET {
                    continue;
                }
                let place = format!("{}/{number}/{kind:?}", source.id);
                let mut dice = Dice::new(seed, &[&place]);
                // Every kind can be made of the first sentence; those that always can are made of some.
                let is_common =
                    matches!(kind, Kind::Passage | Kind::Addition | Kind::NegationAdded);
                if is_common && !dice.chance(surroundings.share(source)) {
                    continue;
                }
                let (base, mut paraphrases) =
                    paraphrase::paraphrased(sentence, next, &source.language, &mut dice);
                let corrupted =
                    corrupt::corrupted(kind, &base, at, sources, &surroundings, &mut dice);
                let Some((sentence_made, passage)) = corrupted else { continue };
                let (twin, mut done) =
                    paraphrase::paraphrased(sentence, next, &source.language, &mut dice);
                let language = source.language.as_str();
                let sentence_made =
                    paraphrase::framed(sentence_made, language, &mut paraphrases, &mut dice);
                let twin = paraphrase::framed(twin, language, &mut done, &mut dice);
                examples.push(Example {
                    kind,
                    twin: kind,
                    half,
                    passage,
                    sentence: sentence_made,
                    paraphrases,
                });
                examples.push(Example {
                    kind: Kind::True,
                    twin: kind,
                    half,
                    passage: at,
                    sentence: twin,
                    paraphrases: done,
                });
                *count += 1;
            }
        }
    }
    examples
}

fn is_usable(sentence: &str, language: &str) -> bool {
    let words = if language == "cmn" {
        sentence.chars().count() / 2
    } else {
        sentence.split_whitespace().count()
    };
    (MIN_WORDS..=80).contains(&words) && sentence.len() <= MAX_BYTES
}

/// Returns the half of each article: articles in the order of their hashes, every second one held back, apart
/// for articles that stand alone in their set (one passage) and those with many.
fn halves(sources: &[Source], seed: u64) -> HashMap<&str, Half> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        *sizes.entry(source.article.as_str()).or_default() += 1;
    }
    let mut halves = HashMap::new();
    for is_large in [true, false] {
        let chosen = sizes.iter().filter(|(_, size)| (**size > 1) == is_large);
        let mut articles: Vec<&str> = chosen.map(|(article, _)| *article).collect();
        articles.sort_by_key(|article| Dice::new(seed, &["half", article]).next());
        for (position, article) in articles.into_iter().enumerate() {
            halves.insert(article, if position % 2 == 0 { Half::Tune } else { Half::HeldBack });
        }
    }
    halves
}
