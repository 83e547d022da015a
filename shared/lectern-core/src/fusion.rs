//! How two rankings become one.
//!
//! The rankings' scores are of different kinds (a cosine, a sum of term weights), so they are made
//! comparable first: by rank (RRF), by range (min-max) or by spread (DBSF). A passage one ranking did not
//! return counts there as much as nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::passage::{Candidates, Passage, PointId, ScoredPassage};

/// Weight of the dense ranking when none is set.
///
/// nDCG@10 on the 809 training claims of SciFact, all-MiniLM-L6-v2 and this crate's BM25, 100 candidates each: dense
/// .660, sparse .700; min-max with weight .3 .725, .4 .729, **.5 .731**, .6 .723; DBSF .732; RRF with k = 2
/// .724, 10 .723, 20 .722, 60 .713. Not used for tuning: SciFact test .733, Cranfield .426, SQuAD 2 .917.
const DENSE_WEIGHT: f32 = 0.5;
/// Weight of the dense ranking where the embedding model was not made for the language, when none is set.
///
/// nDCG@10 on XQuAD and UQuAD with all-MiniLM-L6-v2: the ranking by BM25 alone, with .15, and with .5: Arabic
/// .949 **.950** .777, German .945 **.953** .949, Spanish .962 **.967** .949, Hindi .949 **.949** .755, Chinese .983
/// **.983** .956, Urdu .926 **.927** .921. From .05 to .2 nothing changes by more than .004.
const FOREIGN_DENSE_WEIGHT: f32 = 0.15;
/// Passages whose languages are counted to tell that of what was found.
const TELLING_PASSAGES: usize = 10;
/// k of reciprocal rank fusion when none is set: the 60 of Cormack, Clarke and Büttcher ("Reciprocal Rank Fusion
/// outperforms Condorcet", 2009) levels two rankings too much, see [`DENSE_WEIGHT`].
const RANK_CONSTANT: f32 = 10.0;
/// Largest k that is accepted.
const MAX_RANK_CONSTANT: f32 = 10_000.0;
/// Standard deviations from the mean that count as the ends of the scale in DBSF.
const SPREAD: f32 = 3.0;

/// A way to fuse the dense and the sparse ranking.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields, try_from = "Unchecked")]
pub enum Fusion {
    /// Min-max, whose dense weight depends on the language of what is found: a model made for one language ranks
    /// others badly, and its ranking then drags a good one down.
    ByLanguage {
        /// Weight of the dense ranking where the embedding model was made for the language, 0 to 1.
        dense_weight: f32,
        /// Its weight elsewhere, 0 to 1.
        foreign_dense_weight: f32,
    },
    /// Each ranking's scores are stretched to 0..1, then added with weights.
    MinMax {
        /// Weight of the dense ranking, 0 to 1; the sparse one has the rest.
        dense_weight: f32,
    },
    /// Reciprocal rank fusion: the sum of 1 / (k + rank), ranks from 1.
    Rrf {
        /// How much the top ranks are levelled, 1 to 10 000.
        k: f32,
    },
    /// Reciprocal rank fusion with weights.
    WeightedRrf {
        /// How much the top ranks are levelled, 1 to 10 000.
        k: f32,
        /// Weight of the dense ranking, 0 to 1; the sparse one has the rest.
        dense_weight: f32,
    },
    /// Distribution-based score fusion (Mazzeschi 2023): mean ± 3 standard deviations become 0..1, then
    /// the scores are added.
    DistributionBased,
    /// The dense ranking alone.
    DenseOnly,
    /// The sparse ranking alone.
    SparseOnly,
}

/// Why a fusion was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FusionError {
    /// Out of range.
    #[error("`dense_weight` must be from 0 to 1")]
    DenseWeight,
    /// Out of range.
    #[error("`foreign_dense_weight` must be from 0 to 1")]
    ForeignDenseWeight,
    /// Out of range.
    #[error("`k` must be from 1 to {MAX_RANK_CONSTANT}")]
    RankConstant,
}

impl Default for Fusion {
    fn default() -> Self {
        Self::ByLanguage { dense_weight: DENSE_WEIGHT, foreign_dense_weight: FOREIGN_DENSE_WEIGHT }
    }
}

impl Fusion {
    /// Refuses weights and constants out of range. Reading a fusion does this already.
    pub fn validate(self) -> Result<Self, FusionError> {
        if let Self::ByLanguage { foreign_dense_weight, .. } = self
            && !(0.0..=1.0).contains(&foreign_dense_weight)
        {
            return Err(FusionError::ForeignDenseWeight);
        }
        let (k, dense_weight) = match self {
            Self::ByLanguage { dense_weight, .. } | Self::MinMax { dense_weight } => {
                (RANK_CONSTANT, dense_weight)
            }
            Self::Rrf { k } => (k, DENSE_WEIGHT),
            Self::WeightedRrf { k, dense_weight } => (k, dense_weight),
            Self::DistributionBased | Self::DenseOnly | Self::SparseOnly => {
                (RANK_CONSTANT, DENSE_WEIGHT)
            }
        };
        if !(0.0..=1.0).contains(&dense_weight) {
            Err(FusionError::DenseWeight)
        } else if !(1.0..=MAX_RANK_CONSTANT).contains(&k) {
            Err(FusionError::RankConstant)
        } else {
            Ok(self)
        }
    }

    /// Returns the fusion for what was found: min-max with the weight for its language, where that matters.
    /// `knows` says whether the embedding model was made for a language (ISO 639-3).
    #[must_use]
    pub fn for_candidates(self, candidates: &Candidates, knows: impl Fn(&str) -> bool) -> Self {
        let Self::ByLanguage { dense_weight, foreign_dense_weight } = self else { return self };
        let is_known = language(candidates).is_none_or(knows);
        let dense_weight = if is_known { dense_weight } else { foreign_dense_weight };
        Self::MinMax { dense_weight }
    }

    /// Returns the weights of the dense and of the sparse ranking.
    fn weights(self) -> (f32, f32) {
        match self {
            Self::ByLanguage { dense_weight, .. }
            | Self::MinMax { dense_weight }
            | Self::WeightedRrf { dense_weight, .. } => (dense_weight, 1.0 - dense_weight),
            Self::Rrf { .. } | Self::DistributionBased => (1.0, 1.0),
            Self::DenseOnly => (1.0, 0.0),
            Self::SparseOnly => (0.0, 1.0),
        }
    }
}

/// A fusion as written, with defaults for what is left out.
#[derive(Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
enum Unchecked {
    ByLanguage {
        #[serde(default = "default_weight")]
        dense_weight: f32,
        #[serde(default = "default_foreign_weight")]
        foreign_dense_weight: f32,
    },
    MinMax {
        #[serde(default = "default_weight")]
        dense_weight: f32,
    },
    Rrf {
        #[serde(default = "default_rank_constant")]
        k: f32,
    },
    WeightedRrf {
        #[serde(default = "default_rank_constant")]
        k: f32,
        #[serde(default = "default_weight")]
        dense_weight: f32,
    },
    DistributionBased,
    DenseOnly,
    SparseOnly,
}

fn default_foreign_weight() -> f32 {
    FOREIGN_DENSE_WEIGHT
}

fn default_weight() -> f32 {
    DENSE_WEIGHT
}

fn default_rank_constant() -> f32 {
    RANK_CONSTANT
}

impl TryFrom<Unchecked> for Fusion {
    type Error = FusionError;

    fn try_from(unchecked: Unchecked) -> Result<Self, FusionError> {
        let fusion = match unchecked {
            Unchecked::ByLanguage { dense_weight, foreign_dense_weight } => {
                Self::ByLanguage { dense_weight, foreign_dense_weight }
            }
            Unchecked::MinMax { dense_weight } => Self::MinMax { dense_weight },
            Unchecked::Rrf { k } => Self::Rrf { k },
            Unchecked::WeightedRrf { k, dense_weight } => Self::WeightedRrf { k, dense_weight },
            Unchecked::DistributionBased => Self::DistributionBased,
            Unchecked::DenseOnly => Self::DenseOnly,
            Unchecked::SparseOnly => Self::SparseOnly,
        };
        fusion.validate()
    }
}

/// Returns the best `limit` passages of both rankings, best first, ties by point id.
///
/// The result depends on the scores only, not on the order within a ranking. A fused score lies in 0..1
/// for min-max, in 0..2 for DBSF, in 0..2/(1+k) for RRF; a single ranking keeps its own scores. When one
/// ranking is empty the other decides the order alone. Scores that are not finite rank last.
#[must_use]
pub fn fuse(candidates: Candidates, fusion: &Fusion, limit: usize) -> Vec<ScoredPassage> {
    let (dense_weight, sparse_weight) = fusion.weights();
    let mut fused: BTreeMap<PointId, (f32, Passage)> = BTreeMap::new();
    for (ranking, weight) in [(candidates.dense, dense_weight), (candidates.sparse, sparse_weight)]
    {
        let alone = matches!(fusion, Fusion::DenseOnly | Fusion::SparseOnly);
        if alone && weight == 0.0 {
            continue;
        }
        let ranking = ranked(ranking);
        let scores = comparable(&ranking, *fusion);
        for ((point, scored), score) in ranking.into_iter().zip(scores) {
            fused.entry(point).or_insert((0.0, scored.passage)).0 += weight * score;
        }
    }
    let mut result: Vec<(PointId, ScoredPassage)> = fused
        .into_iter()
        .map(|(point, (score, passage))| (point, ScoredPassage { passage, score }))
        .collect();
    result.sort_by(|one, other| other.1.score.total_cmp(&one.1.score).then(one.0.cmp(&other.0)));
    result.into_iter().take(limit).map(|(_, scored)| scored).collect()
}

/// Returns the language of most of the best passages: those that BM25 found, which holds words of the question, or
/// else those near in meaning. A question is too short to tell by.
fn language(candidates: &Candidates) -> Option<&str> {
    let found = if candidates.sparse.is_empty() { &candidates.dense } else { &candidates.sparse };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for scored in found.iter().take(TELLING_PASSAGES) {
        *counts.entry(scored.passage.language.as_str()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(language, _)| language)
}

/// Returns a ranking with point ids, best first, ties by point id, each point once.
fn ranked(ranking: Vec<ScoredPassage>) -> Vec<(PointId, ScoredPassage)> {
    let lowest = |score: f32| if score.is_finite() { score } else { f32::MIN };
    let mut ranked: Vec<(PointId, ScoredPassage)> =
        ranking.into_iter().map(|scored| (scored.passage.point_id(), scored)).collect();
    ranked.sort_by(|one, other| {
        lowest(other.1.score).total_cmp(&lowest(one.1.score)).then(one.0.cmp(&other.0))
    });
    let mut seen = std::collections::HashSet::new();
    ranked.retain(|(point, _)| seen.insert(*point));
    ranked
}

/// Returns the scores of a ranking on the scale of `fusion`.
fn comparable(ranking: &[(PointId, ScoredPassage)], fusion: Fusion) -> Vec<f32> {
    let finite = ranking.iter().map(|(_, scored)| scored.score).filter(|score| score.is_finite());
    let scores: Vec<f32> = finite.collect();
    let scaled = |low: f32, high: f32| -> Vec<f32> {
        let place = |score: f32| {
            let place = if high > low { (score - low) / (high - low) } else { 1.0 };
            if score.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
        };
        ranking.iter().map(|(_, scored)| place(scored.score)).collect()
    };
    match fusion {
        Fusion::ByLanguage { .. } | Fusion::MinMax { .. } => {
            let low = scores.iter().copied().fold(f32::INFINITY, f32::min);
            scaled(low, scores.iter().copied().fold(f32::NEG_INFINITY, f32::max))
        }
        Fusion::DistributionBased => {
            let count = scores.len().max(1) as f32;
            let mean = scores.iter().sum::<f32>() / count;
            let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f32>() / count;
            let reach = SPREAD * variance.sqrt();
            scaled(mean - reach, mean + reach)
        }
        Fusion::Rrf { k } | Fusion::WeightedRrf { k, .. } => {
            (1..=ranking.len()).map(|rank| 1.0 / (k + rank as f32)).collect()
        }
        Fusion::DenseOnly | Fusion::SparseOnly => ranking
            .iter()
            .map(|(_, scored)| if scored.score.is_finite() { scored.score } else { 0.0 })
            .collect(),
    }
}

#[cfg(test)]
#[path = "fusion/tests.rs"]
mod tests;
