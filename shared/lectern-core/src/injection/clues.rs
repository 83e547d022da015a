//! What a sentence and those around it show, as numbered clues that the model weighs.
//!
//! A clue is a word, a sense, two of them in order, two kinds of the lexicon, or what the rules saw. An injected
//! sentence is about something else than its neighbours, so these count as well. Each kind together weighs the same in a short sentence and in a long one.

use std::ops::Range;

use super::{
    features::{Feature, Features},
    lexicon::{Tags, Word},
    tokens::{Token, tokens},
};

/// How far apart two wide senses are looked at, in tokens.
const SENSE_REACH: usize = 5;
/// How far apart two kinds of the lexicon are, in tokens.
const KIND_REACH: usize = 8;
/// The same, if they are neighbours.
const KIND_NEAR: usize = 2;
/// Most kinds after one that are looked at.
const MAX_KINDS: usize = 5;
/// How many sentences before and after count as the surroundings.
const AROUND: usize = 5;

/// What each group of clues weighs together.
const WORDS: f32 = 3.0;
const WIDE: f32 = 3.0;
const NARROW: f32 = 3.0;
const KINDS: f32 = 2.0;
/// What each of the rules weighs.
const RULE: f32 = 0.7;
const BESIDE: f32 = 1.0;
const SURROUNDINGS: f32 = 1.5;

/// What a clue is made of.
#[derive(Clone, Copy)]
enum Made {
    Word,
    Words,
    SkippedWord,
    Wide,
    WideBeside,
    WideApart,
    Narrow,
    NarrowBeside,
    Kind,
    Kinds,
    KindsNear,
    Rule,
    Before,
    After,
    Around,
}

/// The clues of one sentence.
#[derive(Clone, Debug)]
pub(super) struct Clues {
    /// By group: words, wide senses, narrow senses, kinds.
    groups: [(f32, Vec<u32>); 4],
    rules: Vec<u32>,
    /// Those by which it counts for its neighbours.
    topic: Vec<u32>,
}

impl Clues {
    /// Returns the clues of the sentence at `range`, of which `words` are in the lexicon and the rules saw `features`.
    pub(super) fn of(text: &str, range: &Range<usize>, words: &[Word], features: Features) -> Self {
        let tokens = tokens(text, range);
        let kinds = kinds(&tokens, words);
        let rules: Vec<u32> =
            features.iter().map(|rule: Feature| hashed(Made::Rule, rule as u64, 0)).collect();
        let single = |made, of: fn(&Token) -> u64| {
            tokens.iter().map(move |token| hashed(made, of(token), 0)).collect::<Vec<_>>()
        };
        let narrow = single(Made::Narrow, |token| u64::from(token.sense.narrow));
        let kind =
            kinds.iter().flat_map(|(_, tags)| tags.bits()).map(|bit| hashed(Made::Kind, bit, 0));
        let topic = set(narrow.iter().copied().chain(kind.clone()).chain(rules.iter().copied()));
        let word = pairs(&tokens, 1..2, Made::Words, |token| token.word)
            .chain(pairs(&tokens, 2..3, Made::SkippedWord, |token| token.word))
            .chain(single(Made::Word, |token| token.word));
        let wide = pairs(&tokens, 1..2, Made::WideBeside, |token| u64::from(token.sense.wide))
            .chain(pairs(&tokens, 2..SENSE_REACH + 1, Made::WideApart, |token| {
                u64::from(token.sense.wide)
            }))
            .chain(single(Made::Wide, |token| u64::from(token.sense.wide)));
        let beside =
            pairs(&tokens, 1..2, Made::NarrowBeside, |token| u64::from(token.sense.narrow));
        let groups = [
            (WORDS, set(word)),
            (WIDE, set(wide)),
            (NARROW, set(narrow.iter().copied().chain(beside))),
            (KINDS, set(kind.chain(kind_pairs(&kinds)))),
        ];
        Self { groups, rules, topic }
    }
}

/// Calls `weigh` with the number and the strength of each clue of the sentence at `index` of neighbouring ones.
pub(super) fn each(sentences: &[&Clues], index: usize, mut weigh: impl FnMut(u32, f32)) {
    let Clues { groups, rules, .. } = sentences[index];
    for (weight, clues) in groups {
        let each = share(*weight, clues.len());
        clues.iter().for_each(|&clue| weigh(clue, each));
    }
    rules.iter().for_each(|&clue| weigh(clue, RULE));
    let before = index.checked_sub(1).map(|at| (Made::Before, sentences[at]));
    let after = sentences.get(index + 1).map(|next| (Made::After, *next));
    let count = before.iter().chain(&after).map(|(_, clues)| clues.topic.len()).sum();
    for (made, clues) in before.into_iter().chain(after) {
        for &clue in &clues.topic {
            weigh(hashed(made, u64::from(clue), 0), share(BESIDE, count));
        }
    }
    let around = surroundings(sentences, index);
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let length = around.iter().map(|&(_, times)| (times * times) as f32).sum::<f32>().sqrt();
    for (clue, times) in around {
        #[expect(clippy::cast_precision_loss, reason = "at most twice as many as are around")]
        let strength = SURROUNDINGS * times as f32 / length;
        weigh(hashed(Made::Around, u64::from(clue), 0), strength);
    }
}

/// Returns what the sentences around the one at `index` are about, and how many of them.
fn surroundings(sentences: &[&Clues], index: usize) -> Vec<(u32, usize)> {
    let end = (index + AROUND + 1).min(sentences.len());
    let others = (index.saturating_sub(AROUND)..end).filter(|&at| at != index);
    let mut all: Vec<u32> = others.flat_map(|at| sentences[at].topic.iter().copied()).collect();
    all.sort_unstable();
    all.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect()
}

/// Returns what each of `count` clues weighs if all together weigh `weight`.
#[expect(clippy::cast_precision_loss, reason = "hundreds")]
fn share(weight: f32, count: usize) -> f32 {
    weight / (count as f32).sqrt()
}

/// Returns the tokens of which the lexicon knows a kind, and its kinds.
fn kinds(tokens: &[Token], words: &[Word]) -> Vec<(usize, Tags)> {
    let mut found = Vec::new();
    let mut rest = words;
    for (at, token) in tokens.iter().enumerate() {
        // Words are in order of where they begin; one that ends before this token may stand behind a longer one.
        while rest.first().is_some_and(|word| word.range.end <= token.range.start) {
            rest = &rest[1..];
        }
        let tags = rest
            .iter()
            .take_while(|word| word.range.start < token.range.end)
            .filter(|word| word.range.end > token.range.start)
            .fold(Tags::default(), |tags, word| tags.or(word.tags));
        if tags != Tags::default() {
            found.push((at, tags));
        }
    }
    found
}

/// Returns the clues of two kinds, one after the other.
fn kind_pairs(kinds: &[(usize, Tags)]) -> impl Iterator<Item = u32> {
    kinds.iter().enumerate().flat_map(|(index, &(at, first))| {
        let next = kinds[index + 1..].iter().take(MAX_KINDS);
        let near = next.take_while(move |(other, _)| other - at <= KIND_REACH);
        near.flat_map(move |&(other, second)| {
            let made = if other - at <= KIND_NEAR { Made::KindsNear } else { Made::Kinds };
            first.bits().flat_map(move |a| second.bits().map(move |b| hashed(made, a, b)))
        })
    })
}

/// Returns the clues of two tokens that stand as far apart as `reach`.
fn pairs(
    tokens: &[Token],
    reach: Range<usize>,
    made: Made,
    of: fn(&Token) -> u64,
) -> impl Iterator<Item = u32> {
    tokens.iter().enumerate().flat_map(move |(at, first)| {
        let second = reach.clone().filter_map(move |apart| tokens.get(at + apart));
        second.map(move |second| hashed(made, of(first), of(second)))
    })
}

fn set(clues: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut clues: Vec<u32> = clues.collect();
    clues.sort_unstable();
    clues.dedup();
    clues
}

fn hashed(made: Made, a: u64, b: u64) -> u32 {
    let mixed = (made as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ a.wrapping_mul(0xbf58_476d_1ce4_e5b9)
        ^ b.wrapping_mul(0x94d0_49bb_1331_11eb).rotate_left(31);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed >> 32) as u32
}
