//! Retrieval: embed → search → fuse → rerank, or what was found before → check against the documents' records →
//! arrange.
//!
//! The index says what is similar; the table says what may be shown. A passage is shown only when its
//! document's record names its version as the live one, so a deleted document never answers and a
//! search sees exactly one version of each document (docs/adr/004-search-then-check.md).
//!
//! | module | answers |
//! |---|---|
//! | `prepare` | what is known before the index is asked |
//! | `rank` | in which order the index's candidates stand |
//! | `check` | which of them may be shown |
//! | `effective` | by which settings: the collection's, with variants of experiments |
//! | `request` | what may be asked for |
//! | `sure` | how sure it is that the passages answer |
//! | `widen` | what stands around the passages of an answer |

mod check;
mod effective;
mod prepare;
mod rank;
mod request;
mod sure;
mod widen;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    auth::Caller,
    diversity::{Arrangement, arrange},
    experiment::Assignments,
    fusion::Fusion,
    passage::{PassageQuery, ScoredPassage},
    ports::{Embedder, PassageReader, Reranker},
    settings::CollectionSettings,
};
use lectern_tables::Tables;
use lectern_telemetry::stage::Staged as _;
use serde::Serialize;

pub use self::request::SearchRequest;
pub(crate) use self::{effective::Effective, prepare::Prepared, widen::Widened};
use crate::{
    cache::{CacheUse, Caches, Epoch},
    errors::FlowError,
    spending::Meter,
};

/// Most passages a search returns.
pub const MAX_LIMIT: usize = 100;
/// Passages taken from each ranking before fusion.
pub const RANKING_DEPTH: usize = 100;
/// How long turning a question into a vector may take before BM25 has to do; a quarter of its time where that is less.
pub const EMBED_TIMEOUT: Duration = Duration::from_secs(3);

/// A stage without which an answer was made, as responses name it.
pub mod degraded {
    /// No vector of the question: BM25 alone.
    pub const EMBED: &str = "embed";
    /// The order without the reranking model.
    pub const RERANK: &str = "rerank";
    /// The words of the chat model: sentences of the passages stand for them.
    pub const GENERATE: &str = "generate";
    /// Passages without the chunks around them.
    pub const NEIGHBOURS: &str = "neighbours";
}

/// Milliseconds a search spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SearchTimings {
    /// Turning the question into a vector.
    pub embed: f64,
    /// Index search, fusion and the check against the documents' records.
    pub retrieve: f64,
    /// Reordering by a model; 0 without.
    pub rerank: f64,
}

/// What a search found, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The passages with their scores.
    pub passages: Vec<ScoredPassage>,
    /// The question's vector, when there is an embedder and it answered.
    pub vector: Option<Vec<f32>>,
    /// Stages that had to be done without, see [`degraded`].
    pub degraded: Vec<&'static str>,
    /// Where the time went.
    pub timings: SearchTimings,
    /// Whether the candidates came from the cache.
    pub cache: CacheUse,
    /// Whether the collection wants the question's text in the audit log.
    pub keeps_question: bool,
}

/// What the index found, not yet checked.
#[derive(Clone, Debug)]
pub(crate) struct Similar {
    /// The settings it was found by.
    pub(crate) settings: CollectionSettings,
    /// The variants of experiments these are of.
    pub(crate) assignments: Assignments,
    query: PassageQuery,
    ranked: Vec<ScoredPassage>,
    wanted: Arrangement,
    degraded: Vec<&'static str>,
    embedded: Duration,
    retrieved: Duration,
    reranked: Duration,
    cache: CacheUse,
}

impl Similar {
    /// Returns the passages that will be shown if the check changes nothing, which is the rule.
    pub(crate) fn hopeful(&self) -> Vec<ScoredPassage> {
        let places = arrange(&self.ranked, &self.wanted);
        places.into_iter().map(|place| self.ranked[place].clone()).collect()
    }
}

/// Finds passages.
#[derive(Clone, Debug)]
pub struct Search {
    /// The table.
    pub tables: Tables,
    /// The index.
    pub passages: Arc<dyn PassageReader>,
    /// Turns questions into vectors; without one retrieval is by BM25 only.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Reorders the best passages in collections that ask for it.
    pub reranker: Option<Arc<dyn Reranker>>,
    /// How the two rankings become one, where the collection does not say.
    pub fusion: Fusion,
    /// What was retrieved before.
    pub caches: Caches,
}

impl Search {
    /// Returns the best passages for a question that the caller may see. What its vector costs is nobody's: for
    /// evaluations; see [`crate::ask::Ask::passages`].
    ///
    /// # Errors
    /// When the caller may not ask there, a field is wrong, there is no such collection, or a port fails.
    pub async fn search(
        &self,
        caller: &Caller,
        request: &SearchRequest,
    ) -> Result<Found, FlowError> {
        self.search_at(caller, request, &Meter::default()).await
    }

    /// As [`Self::search`]; `meter` counts what is embedded.
    pub(crate) async fn search_at(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        meter: &Meter,
    ) -> Result<Found, FlowError> {
        let preparing = self.prepare(caller, request, None, meter).staged("embed");
        let prepared = preparing.await?;
        let least = f64::from(prepared.effective.settings.retrieval.min_confidence);
        let similar = self.similar(request, prepared).await?;
        let (found, ()) = tokio::join!(self.check(caller, request, similar), self.caches.settle());
        self.confident(request, found?, least, meter).await
    }

    /// Returns what the index finds similar, or found in this epoch. Not to be shown before [`Self::check`].
    pub(crate) async fn similar(
        &self,
        request: &SearchRequest,
        prepared: Prepared,
    ) -> Result<Similar, FlowError> {
        let started = Instant::now();
        let epoch = Epoch::from(&prepared.collection);
        let Prepared { effective, is_degraded, query, key, known, embedded, .. } = prepared;
        let Effective { settings, assignments } = effective;
        let mut similar = Similar {
            wanted: request.arrangement(&settings),
            settings,
            assignments,
            query,
            ranked: Vec::new(),
            degraded: is_degraded.then_some(degraded::EMBED).into_iter().collect(),
            embedded,
            retrieved: Duration::ZERO,
            reranked: Duration::ZERO,
            cache: if key.is_some() { CacheUse::Miss } else { CacheUse::Off },
        };
        if let Some(known) = known.filter(|known| key.is_some() && known.is_of(epoch)) {
            similar.ranked.clone_from(&known.ranked);
            similar.cache = CacheUse::Exact;
            similar.retrieved = started.elapsed();
        } else {
            let fused = self.fuse(self.passages.search(&similar.query).await?, &similar.settings);
            similar.retrieved = started.elapsed();
            let remaining =
                request.time_budget.saturating_sub(similar.embedded + similar.retrieved);
            let reranking = self.rerank(&request.question, fused, &similar.settings, remaining);
            let ranked = reranking.staged("rerank").await;
            similar.reranked = started.elapsed().saturating_sub(similar.retrieved);
            similar.degraded.extend(ranked.is_degraded.then_some(degraded::RERANK));
            similar.ranked = ranked.passages;
            // A ranking without what it should have had is not worth finding again.
            if let Some(key) = key.filter(|_| similar.degraded.is_empty()) {
                self.caches.keep_retrieved(key, epoch, &similar.ranked);
            }
        }
        if similar.cache != CacheUse::Off {
            self.caches.count_retrieved(similar.cache.is_hit());
        }
        Ok(similar)
    }
}

/// Returns milliseconds with three decimals.
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
