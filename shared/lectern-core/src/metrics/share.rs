//! Means and ratios that know how much they are made of; percentiles.

use std::{iter::Sum, ops::Add};

use serde::{Deserialize, Serialize};

/// Part of a whole: what one question, or all of them, adds to a ratio.
///
/// A mean over questions is the sum of shares whose whole is 1; a ratio over all sentences or citations is
/// the sum of shares whose whole is their number. `value` is then the micro-average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "(f64, f64)", into = "(f64, f64)")]
pub struct Share {
    /// How much of it holds.
    pub part: f64,
    /// How much there is.
    pub whole: f64,
}

impl Share {
    /// Returns one question's value of a mean.
    #[must_use]
    pub fn of_one(value: f64) -> Self {
        Self { part: value, whole: 1.0 }
    }

    /// Returns one question's value of a mean of yes and no.
    #[must_use]
    pub fn yes(holds: bool) -> Self {
        Self::of_one(f64::from(u8::from(holds)))
    }

    /// Returns `part` of `whole` things.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of sentences and citations are small")]
    pub fn counted(part: usize, whole: usize) -> Self {
        Self { part: part as f64, whole: whole as f64 }
    }

    /// Returns the ratio, `None` of nothing.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.whole > 0.0).then(|| self.part / self.whole)
    }
}

impl Add for Share {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { part: self.part + other.part, whole: self.whole + other.whole }
    }
}

impl Sum for Share {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::default(), Add::add)
    }
}

impl From<(f64, f64)> for Share {
    fn from((part, whole): (f64, f64)) -> Self {
        Self { part, whole }
    }
}

impl From<Share> for (f64, f64) {
    fn from(share: Share) -> Self {
        (share.part, share.whole)
    }
}

/// Returns the mean, 0 of nothing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 values")]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Returns the value that `share` (0 to 1) of all values do not exceed: the nearest-rank percentile. 0 of nothing.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is a count"
)]
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert!(close(percentile(&values, 0.5), 50.0));
        assert!(close(percentile(&values, 0.95), 95.0));
        assert!(close(percentile(&values, 1.0), 100.0));
        assert!(close(percentile(&[7.0], 0.0), 7.0));
        assert!(close(percentile(&[], 0.5), 0.0) && close(mean(&[]), 0.0));
    }

    #[test]
    fn a_ratio_of_nothing_has_no_value() {
        assert_eq!(Share::default().value(), None);
        assert_eq!((Share::counted(1, 3) + Share::counted(1, 1)).value(), Some(0.5));
        let read: Share = serde_json::from_str("[1.0,4.0]").unwrap();
        assert_eq!(read.value(), Some(0.25));
    }

    proptest! {
        #[test]
        fn the_sum_of_values_of_one_is_their_mean(values in prop::collection::vec(0.0_f64..1.0, 1..50)) {
            let sum: Share = values.iter().map(|value| Share::of_one(*value)).sum();
            prop_assert!(close(sum.value().unwrap(), mean(&values)));
        }
    }
}
