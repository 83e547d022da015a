//! How much the clues of a sentence weigh.
//!
//! The weights were fitted by `infra/calibration/injection`. The file holds what every sentence weighs and how much one
//! step of a weight is, each as a little-endian `f32`, then weights of one signed byte. Clues that share a weight were
//! not told apart; most weights are 0, so a clue that was never seen mostly weighs nothing.

use std::sync::LazyLock;

use super::clues::{self, Clues};

const FILE: &[u8] = include_bytes!("weights.bin");
/// Bits of a clue's number that tell its weight.
const BITS: u32 = 19;
/// Bytes of the file before the weights.
const HEAD: usize = 8;

struct Weights {
    bias: f32,
    step: f32,
    of: &'static [u8],
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    let (head, of) = FILE.split_at(HEAD);
    let number = |at: usize| {
        head[at..].first_chunk().map_or(0.0, |bytes: &[u8; 4]| f32::from_le_bytes(*bytes))
    };
    Weights { bias: number(0), step: number(HEAD / 2), of }
});

/// Returns how likely it is, 0 to 1, that the sentence at `index` of neighbouring ones speaks to a machine.
pub(super) fn probability(sentences: &[&Clues], index: usize) -> f32 {
    let weights = &*WEIGHTS;
    let mut sum = 0.0;
    clues::each(sentences, index, |clue, strength| {
        let weight = weights.of[(clue >> (u32::BITS - BITS)) as usize];
        sum += strength * f32::from(weight.cast_signed());
    });
    1.0 / (1.0 + (-(sum * weights.step + weights.bias)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clue_has_a_weight() {
        assert_eq!(FILE.len(), HEAD + (1 << BITS));
        assert!(WEIGHTS.bias < 0.0 && WEIGHTS.step > 0.0);
    }
}
