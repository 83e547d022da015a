//! Whether two systems differ on the same questions by more than chance.
//!
//! Fisher's randomisation test on pairs, which Smucker, Allan and Carterette ("A Comparison of Statistical
//! Significance Tests for Information Retrieval Evaluation", CIKM 2007) recommend over Wilcoxon's
//! and the sign test: if both systems were the same, which of the two gave which result of a question
//! would be chance. So the results of each question are swapped at random, many times; p is how often
//! the difference is then at least as large as the one observed, the observed one included, so that p is
//! never 0 (Phipson and Smyth, "Permutation P-values Should Never Be Zero", 2010).

use crate::metrics::share::Share;

/// Random assignments tried.
pub const ROUNDS: u32 = 10_000;
/// The level at which a difference counts.
pub const SIGNIFICANT: f64 = 0.05;
/// Differences closer than this are equal: sums in another order differ in the last bits.
const EPSILON: f64 = 1e-12;
/// Where the random numbers begin: a test on the same results always gives the same p.
const SEED: u64 = 0x1ec7_e2a1;

/// Returns the two-sided p value of the difference between two ratios over the same questions; each
/// pair is one question's share under one system and under the other. 1 when they do not differ.
#[must_use]
pub fn paired(pairs: &[(Share, Share)]) -> f64 {
    // Questions both answer alike add the same whatever is swapped.
    let (alike, differing): (Vec<_>, Vec<_>) =
        pairs.iter().copied().partition(|(one, other)| one == other);
    let common: Share = alike.iter().map(|(one, _)| *one).sum();
    if differing.is_empty() {
        return 1.0;
    }
    permuted(&differing, |assigned| {
        let (mut one, mut other) = (common, common);
        for (first, second) in assigned {
            one = one + *first;
            other = other + *second;
        }
        one.value().unwrap_or(0.0) - other.value().unwrap_or(0.0)
    })
}

/// Returns the two-sided p value of the difference of any statistic of two systems' results; `difference`
/// gets one pair per question, swapped or not.
pub fn permuted<T: Copy>(pairs: &[(T, T)], difference: impl Fn(&[(T, T)]) -> f64) -> f64 {
    let observed = difference(pairs).abs();
    let mut random = SplitMix64(SEED);
    let mut at_least = 1_u32;
    let mut assigned = pairs.to_vec();
    for _ in 0..ROUNDS {
        for (place, pair) in assigned.iter_mut().zip(pairs) {
            *place = if random.flip() { (pair.1, pair.0) } else { *pair };
        }
        if difference(&assigned).abs() >= observed - EPSILON {
            at_least += 1;
        }
    }
    f64::from(at_least) / f64::from(ROUNDS + 1)
}

/// The generator of Steele, Lea and Flood ("Fast splittable pseudorandom number generators", 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn flip(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) >> 63 == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(values: &[(f64, f64)]) -> Vec<(Share, Share)> {
        values.iter().map(|(one, other)| (Share::of_one(*one), Share::of_one(*other))).collect()
    }

    #[test]
    fn the_same_results_differ_by_nothing() {
        assert!((paired(&pairs(&[(0.3, 0.3); 20])) - 1.0).abs() < 1e-9);
        assert!((paired(&[]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn as_often_better_as_worse_is_chance() {
        let values: Vec<(f64, f64)> =
            (0..40).map(|number| if number % 2 == 0 { (1.0, 0.0) } else { (0.0, 1.0) }).collect();
        assert!(paired(&pairs(&values)) > 0.9);
    }

    #[test]
    fn p_is_near_the_exact_one() {
        // n questions, all worse: 2 of 2^n assignments are as extreme.
        for (worse, exact) in [(5, 2.0 / 32.0), (6, 2.0 / 64.0), (8, 2.0 / 256.0)] {
            let mut values = vec![(1.0, 0.0); worse];
            values.extend([(1.0, 1.0); 30]);
            let p = paired(&pairs(&values));
            assert!((p - exact).abs() < 0.008, "{worse}: {p} is not {exact}");
            assert_eq!(p < SIGNIFICANT, worse >= 6);
        }
    }

    #[test]
    fn ratios_over_things_are_tested_by_question() {
        // 1 of 2 sentences against 2 of 2, thirty times.
        let values = vec![(Share::counted(1, 2), Share::counted(2, 2)); 30];
        assert!(paired(&values) < 0.001);
        // One question with a hundred sentences is still one question.
        let one = vec![(Share::counted(0, 100), Share::counted(100, 100))];
        assert!(paired(&one) > 0.9);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn p_is_a_probability_and_the_same_both_ways(
            values in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 1..12)
        ) {
            let forth = pairs(&values);
            let back: Vec<(Share, Share)> = forth.iter().map(|(one, other)| (*other, *one)).collect();
            let (p, mirrored) = (paired(&forth), paired(&back));
            prop_assert!(p > 0.0 && p <= 1.0);
            prop_assert!((p - mirrored).abs() < 1e-9);
        }
    }
}
