//! How sure it is that the passages answer the question: what extraction measures, calibrated.

use std::time::Duration;

use lectern_core::{errors::chain, extract::Extraction, question::Question};
use tracing::{debug, warn};

use super::{EMBED_TIMEOUT, Found, Search, SearchRequest};
use crate::{errors::FlowError, spending::Meter};

impl Search {
    /// Returns the passages, none when they are less sure to answer than `least`.
    pub(super) async fn confident(
        &self,
        request: &SearchRequest,
        mut found: Found,
        least: f64,
        meter: &Meter,
    ) -> Result<Found, FlowError> {
        if least > 0.0 {
            let (question, remaining) = (&request.question, request.time_budget);
            let (extraction, _) = self.measure(question, &found, remaining, meter).await;
            if extraction.relevance() < least {
                found.passages.clear();
            }
        }
        Ok(found)
    }

    /// Returns the sentences of the passages, compared with the question by words, then the best of them by meaning,
    /// and whether the embedder failed at that. Without an embedder whose cosines the weights know, words alone
    /// decide.
    pub(crate) async fn measure<'found>(
        &self,
        question: &Question,
        found: &'found Found,
        remaining: Duration,
        meter: &Meter,
    ) -> (Extraction<'found>, bool) {
        let (extraction, is_degraded) = self.compared(question, found, remaining, meter).await;
        debug!(confidence = extraction.relevance(), is_degraded, "judged the passages");
        (extraction, is_degraded)
    }

    async fn compared<'found>(
        &self,
        question: &Question,
        found: &'found Found,
        remaining: Duration,
        meter: &Meter,
    ) -> (Extraction<'found>, bool) {
        let extraction = Extraction::of(question, &found.passages);
        let (Some(embedder), Some(vector)) = (&self.embedder, &found.vector) else {
            return (extraction, false);
        };
        let sentences = extraction.to_compare(&embedder.model().id);
        if sentences.is_empty() {
            return (extraction, false);
        }
        let embedding = meter.embed(embedder.as_ref(), &sentences);
        let embedded = tokio::time::timeout(EMBED_TIMEOUT.min(remaining / 2), embedding).await;
        match embedded {
            Ok(Ok(vectors)) => (extraction.compare(vector, &vectors), false),
            Ok(Err(error)) => {
                warn!(error = %chain(&error), "failed to embed sentences; comparing words only");
                (extraction, true)
            }
            Err(_) => {
                warn!("embedding sentences took too long; comparing words only");
                (extraction, true)
            }
        }
    }
}
