//! The arithmetic of RAGAS, apart from the model that supplies the verdicts.

/// Returns the share of `verdicts` that hold, `None` when there are none.
///
/// Faithfulness: `|supported statements| / |statements|`; context recall: `|attributed sentences| /
/// |sentences of the reference|`. RAGAS divides by as many as the judge sent back; here the judge must send
/// back as many statements as it was given.
#[must_use]
pub fn share(verdicts: &[bool]) -> Option<f64> {
    let hold = verdicts.iter().filter(|holds| **holds).count();
    (!verdicts.is_empty()).then(|| hold as f64 / verdicts.len() as f64)
}

/// Returns the average precision of a ranking, best first, given which entries are useful.
///
/// Context precision: `Σ_k precision@k · useful_k / Σ_k useful_k`, where `precision@k` is the share of useful ones
/// among the first k; 0 when none is useful. RAGAS adds 10⁻¹⁰ to the divisor to the same end.
#[must_use]
pub fn average_precision(useful: &[bool]) -> f64 {
    let mut found = 0.0;
    let mut sum = 0.0;
    for (rank, _) in (1_u32..).zip(useful).filter(|(_, useful)| **useful) {
        found += 1.0;
        sum += found / f64::from(rank);
    }
    if found > 0.0 { sum / found } else { 0.0 }
}

/// Returns the mean of the cosines between the question asked and the guessed ones, 0 when every guess says that
/// the answer is noncommittal; `None` without a guess.
///
/// Answer relevancy: `1/N Σ_i cos(q, g_i)`. RAGAS guesses N = 3 times with the same prompt; a judge at temperature
/// 0 would guess the same three times, so it is asked for three questions at once.
#[must_use]
pub fn answer_relevancy(cosines: &[f64], all_noncommittal: bool) -> Option<f64> {
    let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
    (!cosines.is_empty()).then_some(if all_noncommittal { 0.0 } else { mean })
}

/// Returns the cosine of two vectors of the same length, 0 where one has no direction.
#[must_use]
pub fn cosine(left: &[f32], right: &[f32]) -> f64 {
    let dot = |one: &[f32], other: &[f32]| -> f64 {
        one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
    };
    let lengths = (dot(left, left) * dot(right, right)).sqrt();
    if lengths > 0.0 { (dot(left, right) / lengths).clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn share_counts_what_holds() {
        assert_eq!(share(&[]), None);
        assert_eq!(share(&[true, false, true, true]), Some(0.75));
        assert_eq!(share(&[false]), Some(0.0));
    }

    #[test]
    fn average_precision_looks_at_the_ranks() {
        // (1/1 + 2/3) / 2, (1/2 + 2/3) / 2, and the ends.
        assert!(near(average_precision(&[true, false, true]), 5.0 / 6.0));
        assert!(near(average_precision(&[false, true, true]), 7.0 / 12.0));
        assert!(near(average_precision(&[true, true]), 1.0));
        assert!(near(average_precision(&[false, false]), 0.0));
        assert!(near(average_precision(&[]), 0.0));
    }

    #[test]
    fn answer_relevancy_is_a_mean_unless_every_guess_is_noncommittal() {
        assert!(near(answer_relevancy(&[1.0, 0.5, 0.0], false).unwrap(), 0.5));
        assert_eq!(answer_relevancy(&[1.0], true), Some(0.0));
        assert_eq!(answer_relevancy(&[], false), None);
    }

    #[test]
    fn cosine_is_that_of_the_angle() {
        assert!(near(cosine(&[3.0, 4.0], &[6.0, 8.0]), 1.0));
        assert!(near(cosine(&[1.0, 0.0], &[3.0, 4.0]), 0.6));
        assert!(near(cosine(&[1.0, 0.0], &[-2.0, 0.0]), -1.0));
        assert!(near(cosine(&[0.0, 0.0], &[1.0, 0.0]), 0.0));
    }

    proptest! {
        /// The formula as RAGAS writes it, to the four decimals that are reported.
        #[test]
        fn average_precision_is_that_of_ragas(useful in prop::collection::vec(any::<bool>(), 0..20)) {
            let verdicts: Vec<f64> = useful.iter().map(|useful| f64::from(u8::from(*useful))).collect();
            let until = |k: usize| verdicts[..=k].iter().sum::<f64>();
            let numerator: f64 =
                (0..verdicts.len()).map(|k| until(k) / (k as f64 + 1.0) * verdicts[k]).sum();
            let ragas = numerator / (verdicts.iter().sum::<f64>() + 1e-10);
            prop_assert!((average_precision(&useful) - ragas).abs() < 1e-6);
        }

        #[test]
        fn a_useful_context_moved_up_never_lowers_precision(
            useful in prop::collection::vec(any::<bool>(), 2..20), at in 0_usize..18
        ) {
            let at = at % (useful.len() - 1);
            let mut better = useful.clone();
            if !better[at] && better[at + 1] {
                better.swap(at, at + 1);
            }
            prop_assert!(average_precision(&better) >= average_precision(&useful));
        }
    }
}
