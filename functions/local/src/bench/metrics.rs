//! Arithmetic of rankings and latencies.

use std::collections::HashMap;

/// Returns nDCG@k: the discounted gain of the first `k` documents over that of the ideal order. Gains are the
/// judged grades, discounts log₂(rank + 1), as in trec_eval (Järvelin and Kekäläinen, "Cumulated
/// gain-based evaluation of IR techniques", 2002). 0 when nothing is relevant.
pub(super) fn ndcg(ranking: &[&str], grades: &HashMap<String, u32>, k: usize) -> f64 {
    let gained = ranking.iter().take(k).map(|document| grades.get(*document).copied().unwrap_or(0));
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|one, other| other.cmp(one));
    let best = discounted(ideal.into_iter().take(k));
    if best > 0.0 { discounted(gained) / best } else { 0.0 }
}

fn discounted(gains: impl Iterator<Item = u32>) -> f64 {
    let discounted =
        |(position, gain): (usize, u32)| f64::from(gain) / (position as f64 + 2.0).log2();
    gains.enumerate().map(discounted).sum()
}

/// Returns recall@k: the share of the relevant documents among the first `k`. 0 when nothing is relevant.
pub(super) fn recall(ranking: &[&str], grades: &HashMap<String, u32>, k: usize) -> f64 {
    let is_relevant = |document: &&&str| grades.get(**document).is_some_and(|grade| *grade > 0);
    let relevant = grades.values().filter(|grade| **grade > 0).count();
    if relevant == 0 {
        return 0.0;
    }
    ranking.iter().take(k).filter(is_relevant).count() as f64 / relevant as f64
}

/// Returns the mean, 0 of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Returns the value that `share` (0 to 1) of all values do not exceed: the nearest-rank percentile. 0 of nothing.
pub(super) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grades(judged: &[(&str, u32)]) -> HashMap<String, u32> {
        judged.iter().map(|(document, grade)| ((*document).to_owned(), *grade)).collect()
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn the_ideal_order_scores_one_and_nothing_found_scores_zero() {
        let judged = grades(&[("a", 2), ("b", 1), ("c", 0)]);
        assert!(close(ndcg(&["a", "b", "x"], &judged, 10), 1.0));
        assert!(close(ndcg(&["x", "y"], &judged, 10), 0.0));
        assert!(close(ndcg(&["a"], &grades(&[("a", 0)]), 10), 0.0));
    }

    #[test]
    fn gains_are_discounted_by_rank() {
        let judged = grades(&[("a", 2), ("b", 1)]);
        // (1/log2(2) + 2/log2(3)) / (2/log2(2) + 1/log2(3))
        let expected = (1.0 + 2.0 / 3_f64.log2()) / (2.0 + 1.0 / 3_f64.log2());
        assert!(close(ndcg(&["b", "a"], &judged, 10), expected));
        assert!(close(ndcg(&["x", "a"], &judged, 1), 0.0), "beyond k nothing counts");
    }

    #[test]
    fn recall_counts_relevant_documents_only() {
        let judged = grades(&[("a", 1), ("b", 3), ("c", 0)]);
        assert!(close(recall(&["a", "c", "x"], &judged, 10), 0.5));
        assert!(close(recall(&["x", "a", "b"], &judged, 2), 0.5));
        assert!(close(recall(&["a"], &grades(&[]), 10), 0.0));
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
}
