//! One order for every ranking, whatever the engine did with ties.
//!
//! Between two indexes of the same data BM25 scores may differ in their last bits, for the engine adds
//! terms in the order it first met them; within one index equal calls give equal scores.

use lectern_core::passage::ScoredPassage;

/// Sorts best first, ties by point id, and cuts at `limit`.
pub(crate) fn rank(mut found: Vec<ScoredPassage>, limit: usize) -> Vec<ScoredPassage> {
    found.sort_by(|left, right| {
        let by_score = right.score.total_cmp(&left.score);
        by_score.then_with(|| left.passage.point_id().cmp(&right.passage.point_id()))
    });
    found.truncate(limit);
    found
}
