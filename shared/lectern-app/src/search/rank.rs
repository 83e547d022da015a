//! In which order the index's candidates stand: fuse → rerank.

use std::time::Duration;

use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    fusion,
    passage::{Candidates, ScoredPassage},
    question::Question,
    settings::{CollectionSettings, Rerank},
};
use tracing::{debug, warn};

use super::{RANKING_DEPTH, Search};

/// A ranking, and whether it had to do without the reranking model.
pub(super) struct Reranked {
    pub(super) passages: Vec<ScoredPassage>,
    pub(super) is_degraded: bool,
}

impl Search {
    pub(super) fn fuse(
        &self,
        candidates: Candidates,
        settings: &CollectionSettings,
    ) -> Vec<ScoredPassage> {
        let fusion = settings.retrieval.fusion.unwrap_or(self.fusion);
        let model = self.embedder.as_ref().map(|embedder| embedder.model());
        let knows = |language: &str| model.is_none_or(|model| model.knows(language));
        let fusion = fusion.for_candidates(&candidates, knows);
        let (lexical, dense) = (candidates.sparse.len(), candidates.dense.len());
        let mut ranked = fusion::fuse(candidates, &fusion, 2 * RANKING_DEPTH);
        ranked.retain(|found| !settings.safety.withholds(&found.passage));
        let (fused, best) = (ranked.len(), ranked.first().map(|found| found.score));
        debug!(lexical, dense, fused, best, "ranked what the index found");
        // Here already: a reranking model is sent what is ranked, and a cache keeps it.
        ranked.iter_mut().for_each(|found| found.passage.redact(settings.safety.redact));
        ranked
    }

    /// Puts the best passages into the order of the reranking model, where the collection asks for it; without
    /// its answer in time the order stands.
    pub(super) async fn rerank(
        &self,
        question: &Question,
        passages: Vec<ScoredPassage>,
        settings: &CollectionSettings,
        remaining: Duration,
    ) -> Reranked {
        let Some(wanted) = settings.retrieval.rerank.filter(|_| !passages.is_empty()) else {
            return Reranked { passages, is_degraded: false };
        };
        match self.relevance(question, &passages, wanted, remaining).await {
            Ok(scores) => Reranked { passages: reordered(passages, &scores), is_degraded: false },
            Err(error) => {
                warn!(error = %chain(&error), "failed to rerank; the order without it stands");
                Reranked { passages, is_degraded: true }
            }
        }
    }

    /// Returns the model's scores of the best passages.
    async fn relevance(
        &self,
        question: &Question,
        passages: &[ScoredPassage],
        wanted: Rerank,
        remaining: Duration,
    ) -> Result<Vec<f32>, PortError> {
        const OPERATION: &str = "rerank";
        let missing =
            || PortError::new(ErrorKind::Unavailable, OPERATION, "no model is configured");
        let reranker = self.reranker.as_ref().ok_or_else(missing)?;
        let best = passages.iter().take(wanted.candidates);
        let texts: Vec<String> = best.map(|found| found.passage.indexed_text()).collect();
        let timeout = Duration::from_millis(wanted.budget_ms).min(remaining);
        let scoring = reranker.rerank(question.as_str(), &texts, timeout);
        let scores = tokio::time::timeout(timeout, scoring)
            .await
            .map_err(|late| PortError::new(ErrorKind::Timeout, OPERATION, late))??;
        if scores.len() != texts.len() || scores.iter().any(|score| !score.is_finite()) {
            let reason = "the model gave other than one finite score for each passage";
            return Err(PortError::new(ErrorKind::Internal, OPERATION, reason));
        }
        Ok(scores)
    }
}

/// Returns the first passages in the order of their scores, ties as they stood, then the others. These keep their
/// order and distances below the last one that was scored, so that scores never rise.
fn reordered(mut passages: Vec<ScoredPassage>, scores: &[f32]) -> Vec<ScoredPassage> {
    let rest = passages.split_off(scores.len().min(passages.len()));
    for (found, score) in passages.iter_mut().zip(scores) {
        found.score = *score;
    }
    passages.sort_by(|one, other| other.score.total_cmp(&one.score));
    let lowest = passages.last().map_or(0.0, |found| found.score);
    let highest_of_rest = rest.first().map_or(0.0, |found| found.score);
    passages.extend(rest.into_iter().map(|found| {
        let score = lowest - (highest_of_rest - found.score);
        ScoredPassage { score, ..found }
    }));
    passages
}
