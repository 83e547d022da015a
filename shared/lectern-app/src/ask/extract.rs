//! Answers without a model: sentences compared by words, then the best of them by meaning.

use std::time::Duration;

use lectern_core::{answer::Answer, errors, extract::Extraction, question::Question};
use tracing::warn;

use super::Ask;
use crate::search::{EMBED_TIMEOUT, Found};

impl Ask {
    /// Returns the extractive answer from what was found. Without an embedder whose cosines the weights
    /// know, or when it fails or is late, words alone decide.
    pub(super) async fn extract(
        &self,
        question: &Question,
        found: &Found,
        remaining: Duration,
    ) -> Answer {
        let extraction = Extraction::of(question, &found.passages);
        let (Some(embedder), Some(vector)) = (&self.search.embedder, &found.vector) else {
            return extraction.answer(None);
        };
        let sentences = extraction.to_compare(&embedder.model().id);
        if sentences.is_empty() {
            return extraction.answer(None);
        }
        let embedded =
            tokio::time::timeout(EMBED_TIMEOUT.min(remaining), embedder.embed(&sentences)).await;
        match embedded {
            Ok(Ok(vectors)) => extraction.compare(vector, &vectors).answer(None),
            Ok(Err(error)) => {
                warn!(error = %errors::chain(&error), "failed to embed sentences; choosing by words only");
                extraction.answer(None)
            }
            Err(_) => {
                warn!("embedding sentences took too long; choosing by words only");
                extraction.answer(None)
            }
        }
    }
}
