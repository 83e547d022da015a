//! How well a confidence tells two kinds of question apart.

use serde::{Deserialize, Serialize};

/// What refusing below one confidence gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// Scores below it are refused.
    pub threshold: f64,
    /// Share of the positives that are.
    pub false_refusal: f64,
    /// Share of the negatives that are.
    pub refusal_recall: f64,
}

/// Returns, for each share of `allowed` false refusals, the highest threshold that refuses no more of the positives:
/// points of the ROC curve. Empty when one kind is missing or a score is not a number.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of far fewer than 2^52 scores"
)]
pub fn operating_points(scored: &[(f64, bool)], allowed: &[f64]) -> Vec<OperatingPoint> {
    let of = |kind: bool| -> Vec<f64> {
        let mut mine: Vec<f64> =
            scored.iter().filter(|(_, is_positive)| *is_positive == kind).map(|it| it.0).collect();
        mine.sort_by(f64::total_cmp);
        mine
    };
    let (positives, negatives) = (of(true), of(false));
    if negatives.is_empty() || scored.iter().any(|(score, _)| score.is_nan()) {
        return Vec::new();
    }
    let below = |sorted: &[f64], threshold: f64| {
        sorted.partition_point(|score| *score < threshold) as f64 / sorted.len() as f64
    };
    let at = |share: &f64| {
        let threshold = *positives.get((share * positives.len() as f64) as usize)?;
        Some(OperatingPoint {
            threshold,
            false_refusal: below(&positives, threshold),
            refusal_recall: below(&negatives, threshold),
        })
    };
    allowed.iter().filter_map(at).collect()
}

/// Returns the area under the ROC curve: the probability that a positive scores above a negative, ties
/// counting half (Hanley and McNeil 1982). `None` when one kind is missing or a score is not a number.
///
/// Computed from ranks (Mann-Whitney U) in O(n log n).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 scores")]
pub fn auroc(scored: &[(f64, bool)]) -> Option<f64> {
    let positives = scored.iter().filter(|(_, is_positive)| *is_positive).count();
    let negatives = scored.len() - positives;
    if positives == 0 || negatives == 0 || scored.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    let mut sorted = scored.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut rank_sum = 0.0;
    let mut before = 0;
    for tied in sorted.chunk_by(|one, other| one.0 == other.0) {
        // Ranks before + 1 to before + n; each of the tied gets their mean.
        let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += rank * tied.iter().filter(|(_, is_positive)| *is_positive).count() as f64;
        before += tied.len();
    }
    let (positives, negatives) = (positives as f64, negatives as f64);
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn perfect_reversed_and_constant_scores() {
        let scored = [(0.9, true), (0.8, true), (0.2, false), (0.1, false)];
        assert_eq!(auroc(&scored), Some(1.0));
        let reversed = scored.map(|(score, is_positive)| (score, !is_positive));
        assert_eq!(auroc(&reversed), Some(0.0));
        assert_eq!(auroc(&scored.map(|(_, is_positive)| (0.5, is_positive))), Some(0.5));
        assert_eq!(auroc(&[(0.5, true)]), None);
        assert_eq!(auroc(&[(f64::NAN, true), (0.1, false)]), None);
    }

    #[test]
    fn a_threshold_refuses_no_more_than_is_allowed() {
        let scored =
            [(0.1, false), (0.3, true), (0.4, false), (0.5, true), (0.6, true), (0.7, true)];
        let points = operating_points(&scored, &[0.0, 0.25, 0.5, 1.0]);
        let shares: Vec<(f64, f64)> =
            points.iter().map(|point| (point.false_refusal, point.refusal_recall)).collect();
        assert_eq!(shares, [(0.0, 0.5), (0.25, 1.0), (0.5, 1.0)], "of all there is no threshold");
        assert_eq!(points[1].threshold, 0.5);
        assert!(operating_points(&[(0.5, true)], &[0.1]).is_empty());
    }

    proptest! {
        #[test]
        fn it_is_the_share_of_pairs_in_the_right_order(
            scored in prop::collection::vec((0_u8..6, any::<bool>()), 2..40)
        ) {
            let scored: Vec<(f64, bool)> =
                scored.into_iter().map(|(score, is_positive)| (f64::from(score), is_positive)).collect();
            let of = |wanted: bool| scored.iter().filter(move |(_, is_positive)| *is_positive == wanted);
            let mut pairs = Vec::new();
            for (positive, _) in of(true) {
                for (negative, _) in of(false) {
                    pairs.push(match positive.total_cmp(negative) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    });
                }
            }
            match auroc(&scored) {
                Some(area) => prop_assert!((area - crate::metrics::share::mean(&pairs)).abs() < 1e-9),
                None => prop_assert!(pairs.is_empty()),
            }
        }
    }
}
