//! Retrieval: embed → search → fuse → rerank → check against the documents' records → arrange.
//!
//! The index says what is similar; the table says what may be shown. A passage is shown only when its
//! document's record names its version as the live one, so a deleted document never answers and a
//! search sees exactly one version of each document (docs/adr/004-search-then-check.md).
//!
//! | module | answers |
//! |---|---|
//! | `rank` | in which order the index's candidates stand |
//! | `check` | which of them may be shown |
//! | `request` | what may be asked for |
//! | `widen` | what stands around the passages of an answer |

mod check;
mod rank;
mod request;
mod widen;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    auth::Caller,
    diversity::{Arrangement, arrange},
    fusion::Fusion,
    ids::CollectionId,
    passage::{PassageQuery, ScoredPassage},
    ports::{Embedder, PassageReader, Reranker},
    question::Question,
    settings::CollectionSettings,
};
use lectern_tables::{Tables, collections::Collection};
use serde::Serialize;
use tracing::warn;

pub use self::request::SearchRequest;
pub(crate) use self::widen::Widened;
use crate::errors::FlowError;

/// Most passages a search returns.
pub const MAX_LIMIT: usize = 100;
/// Passages taken from each ranking before fusion.
pub const RANKING_DEPTH: usize = 100;
/// How long turning a question into a vector may take before BM25 has to do.
pub const EMBED_TIMEOUT: Duration = Duration::from_secs(3);

/// A stage without which an answer was made, as responses name it.
pub mod degraded {
    /// No vector of the question: BM25 alone.
    pub const EMBED: &str = "embed";
    /// The order without the reranking model.
    pub const RERANK: &str = "rerank";
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
    /// Stages that had to be done without, see [`degraded`].
    pub degraded: Vec<&'static str>,
    /// Generation of the collection as it stood when the search began.
    pub generation: u64,
    /// Where the time went.
    pub timings: SearchTimings,
}

/// What the index found, not yet checked.
#[derive(Clone, Debug)]
pub(crate) struct Similar {
    /// The collection's record as it stood when the search began.
    pub(crate) collection: Collection,
    /// Its settings.
    pub(crate) settings: CollectionSettings,
    query: PassageQuery,
    ranked: Vec<ScoredPassage>,
    wanted: Arrangement,
    degraded: Vec<&'static str>,
    embedded: Duration,
    retrieved: Duration,
    reranked: Duration,
}

impl Similar {
    /// Returns the passages that will be shown if the check changes nothing, which is the rule.
    pub(crate) fn hopeful(&self, question: &Question) -> Vec<ScoredPassage> {
        let places = arrange(&self.ranked, &self.wanted);
        let passages = places.into_iter().map(|place| self.ranked[place].clone()).collect();
        confident(question, passages, &self.settings)
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
}

impl Search {
    /// Returns the best passages for a question that the caller may see.
    ///
    /// # Errors
    /// When the caller may not ask there, a field is wrong, there is no such collection, or a port fails.
    pub async fn search(
        &self,
        caller: &Caller,
        request: &SearchRequest,
    ) -> Result<Found, FlowError> {
        let similar = self.similar(caller, request).await?;
        self.check(caller, request, similar).await
    }

    /// Returns what the index finds similar. Not to be shown before [`Self::check`].
    pub(crate) async fn similar(
        &self,
        caller: &Caller,
        request: &SearchRequest,
    ) -> Result<Similar, FlowError> {
        request.authorize(caller)?;
        request.validate()?;
        let started = Instant::now();

        // The collection says how candidates are ranked, not which: its record is read meanwhile.
        let (collection, (query, candidates, embedded, mut degraded)) = tokio::try_join!(
            self.collection(caller, &request.collection),
            self.candidates(caller, request)
        )?;
        let settings = settings_of(&collection);
        request.validate_against(&settings)?;
        let fused = self.fuse(candidates, &settings);
        let retrieved = started.elapsed().saturating_sub(embedded);

        let reranking = Instant::now();
        let remaining = request.time_budget.saturating_sub(started.elapsed());
        let reranked = self.rerank(&request.question, fused, &settings, remaining).await;
        if reranked.is_degraded {
            degraded.push(degraded::RERANK);
        }
        let wanted = request.arrangement(&settings);
        Ok(Similar {
            collection,
            settings,
            query,
            ranked: reranked.passages,
            wanted,
            degraded,
            embedded,
            retrieved,
            reranked: reranking.elapsed(),
        })
    }

    /// Returns a collection's record.
    async fn collection(
        &self,
        caller: &Caller,
        id: &CollectionId,
    ) -> Result<Collection, FlowError> {
        let found = self.tables.collections().get(&caller.tenant, id).await?;
        found.ok_or(FlowError::NotFound("collection"))
    }
}

/// Returns the settings of a collection. What an older or newer release stored and this one refuses
/// counts as the defaults: a question is answered all the same.
pub(crate) fn settings_of(collection: &Collection) -> CollectionSettings {
    static WARNED: std::sync::Once = std::sync::Once::new();
    CollectionSettings::read(&collection.settings).unwrap_or_else(|wrong| {
        WARNED.call_once(|| {
            let pointer = wrong.first().map_or("", |wrong| wrong.pointer.as_str());
            warn!(collection.id = %collection.id, pointer, "stored settings cannot be used; the defaults stand in for them");
        });
        CollectionSettings::default()
    })
}

/// Returns the passages, none when they are less sure to answer than the collection asks for.
fn confident(
    question: &Question,
    passages: Vec<ScoredPassage>,
    settings: &CollectionSettings,
) -> Vec<ScoredPassage> {
    let least = settings.retrieval.min_confidence;
    if least > 0.0 && confidence(question, &passages).is_some_and(|sure| sure < least) {
        return Vec::new();
    }
    passages
}

/// Returns how sure it is that the passages answer the question, `None` while nothing is calibrated.
fn confidence(_question: &Question, _passages: &[ScoredPassage]) -> Option<f32> {
    None
}

/// Returns milliseconds with three decimals.
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
