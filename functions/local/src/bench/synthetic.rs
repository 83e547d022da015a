//! Text and vectors made from a seed: the same on every machine, and as long as one likes.

use fastrand::Rng;

/// Distinct words.
const VOCABULARY: usize = 30_000;
/// Around how many topics vectors gather; independent vectors would be harder to index than any text is.
const TOPICS: usize = 256;
/// How far a vector strays from its topic, against the topic's length of 1.
const SPREAD: f32 = 0.6;
const CONSONANTS: [&str; 16] =
    ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z"];
const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];

/// A source of text and vectors.
#[derive(Debug)]
pub(super) struct Synthetic {
    random: Rng,
    topics: Vec<Vec<f32>>,
}

impl Synthetic {
    /// Returns the source of `seed`, with vectors of `dimensions` numbers.
    pub(super) fn new(seed: u64, dimensions: usize) -> Self {
        let mut random = Rng::with_seed(seed);
        let topics = (0..TOPICS).map(|_| direction(&mut random, dimensions)).collect();
        Self { random, topics }
    }

    /// Returns `count` words; a word's frequency falls with its rank as in natural text (Zipf).
    pub(super) fn words(&mut self, count: usize) -> String {
        let words: Vec<String> = (0..count).map(|_| self.word()).collect();
        words.join(" ")
    }

    /// Returns a vector of length 1 near one of the topics.
    pub(super) fn vector(&mut self) -> Vec<f32> {
        let topic = self.random.usize(..self.topics.len());
        let stray = direction(&mut self.random, self.topics[topic].len());
        let sum =
            self.topics[topic].iter().zip(stray).map(|(centre, stray)| centre + SPREAD * stray);
        normalised(sum.collect())
    }

    /// Returns Markdown of at least `bytes` bytes: titles, sections, paragraphs, lists.
    pub(super) fn markdown(&mut self, bytes: usize) -> String {
        let mut text = format!("# {}\n", self.words(4));
        while text.len() < bytes {
            text.push_str(&format!("\n## {}\n", self.words(3)));
            for _ in 0..self.random.usize(1..5) {
                text.push('\n');
                for _ in 0..self.random.usize(2..7) {
                    let length = self.random.usize(6..20);
                    text.push_str(&format!("{}. ", self.words(length)));
                }
                text.push('\n');
            }
            text.push('\n');
            for _ in 0..self.random.usize(0..5) {
                text.push_str(&format!("- {}\n", self.words(8)));
            }
        }
        text
    }

    fn word(&mut self) -> String {
        // Uniform in the logarithm of the rank: the density falls as 1/rank.
        let rank = (self.random.f64() * (VOCABULARY as f64).ln()).exp() as usize;
        spelled(rank.min(VOCABULARY))
    }
}

/// Returns a word for a number, each another: syllables are the digits.
fn spelled(number: usize) -> String {
    let base = CONSONANTS.len() * VOWELS.len();
    let mut rest = number;
    let mut word = String::new();
    loop {
        let digit = rest % base;
        word.push_str(CONSONANTS[digit % CONSONANTS.len()]);
        word.push_str(VOWELS[digit / CONSONANTS.len()]);
        rest /= base;
        if rest == 0 {
            return word;
        }
    }
}

fn direction(random: &mut Rng, dimensions: usize) -> Vec<f32> {
    // The sum of four uniform numbers is near enough to a normal one that no axis is preferred.
    let number = |_| (0..4).map(|_| random.f32() - 0.5).sum();
    normalised((0..dimensions).map(number).collect())
}

fn normalised(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|number| *number /= length.max(f32::EPSILON));
    vector
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same() {
        let (mut one, mut other) = (Synthetic::new(7, 8), Synthetic::new(7, 8));
        assert_eq!(one.markdown(2_000), other.markdown(2_000));
        assert_eq!(one.vector(), other.vector());
        assert_ne!(Synthetic::new(8, 8).words(9), Synthetic::new(7, 8).words(9));
    }

    #[test]
    fn vectors_have_length_one_and_words_differ() {
        let mut source = Synthetic::new(1, 384);
        let length = source.vector().iter().map(|number| number * number).sum::<f32>();
        assert!((length - 1.0).abs() < 1e-4);
        let words: HashSet<String> = (0..=VOCABULARY).map(spelled).collect();
        assert_eq!(words.len(), VOCABULARY + 1);
        assert!(source.markdown(10_000).len() >= 10_000);
    }
}
