//! Retrieval: embed → search, or what was found before → fuse → check against the documents' records.
//!
//! The index says what is similar; the table says what may be shown. A passage is shown only when its
//! document's record names its version as the live one, so a deleted document never answers and a
//! search sees exactly one version of each document (docs/adr/004-search-then-check.md).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    analysis,
    auth::{Caller, Permission},
    document::Document,
    errors::PortError,
    filter::Filter,
    fusion::{self, Fusion},
    ids::{CollectionId, DocumentId},
    passage::{Passage, PassageQuery, ScoredPassage},
    ports::{Embedder, PassageReader},
    question::Question,
};
use lectern_tables::{Tables, collections::Collection};
use serde::Serialize;
use tracing::warn;

use crate::{
    cache::{CacheUse, Caches, Epoch, Key, View, caching, retrieved::Retrieved},
    errors::FlowError,
};

/// Most passages a search returns.
pub const MAX_LIMIT: usize = 100;
/// Passages taken from each ranking before fusion.
pub const RANKING_DEPTH: usize = 100;
/// How long turning a question into a vector may take before BM25 has to do.
pub const EMBED_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a search that raced with a version switch is repeated.
const MAX_REPEATS: usize = 3;

/// What is searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// Where.
    pub collection: CollectionId,
    /// What.
    pub question: Question,
    /// Conditions on metadata.
    pub filter: Option<Filter>,
    /// Most passages, 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// Whether what was retrieved before may be used, and what is retrieved now be kept.
    pub cache: bool,
}

/// Milliseconds a search spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SearchTimings {
    /// Turning the question into a vector.
    pub embed: f64,
    /// Index search, fusion and the check against the documents' records.
    pub retrieve: f64,
}

/// What a search found, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The passages with their fused scores.
    pub passages: Vec<ScoredPassage>,
    /// The question's vector, when there is an embedder and it answered.
    pub vector: Option<Vec<f32>>,
    /// Where the time went.
    pub timings: SearchTimings,
    /// Whether the candidates came from the cache.
    pub cache: CacheUse,
}

/// What is known before the index is asked.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The collection, read before the search: what is found is of this epoch or a later one.
    pub(crate) collection: Collection,
    /// Whether there is an embedder and it made no vector.
    pub(crate) is_degraded: bool,
    query: PassageQuery,
    key: Option<Key>,
    known: Option<Arc<Retrieved>>,
    embedded: Duration,
}

impl Prepared {
    /// Returns the question's vector.
    pub(crate) fn vector(&self) -> Option<&[f32]> {
        self.query.dense.as_deref()
    }
}

/// What the index found, not yet checked.
#[derive(Clone, Debug)]
pub(crate) struct Similar {
    query: PassageQuery,
    fused: Vec<ScoredPassage>,
    embedded: Duration,
    retrieved: Duration,
    cache: CacheUse,
}

impl Similar {
    /// Returns the passages that will be shown if the check changes nothing, which is the rule.
    pub(crate) fn hopeful(&self, limit: usize) -> Vec<Passage> {
        self.fused.iter().take(limit).map(|found| found.passage.clone()).collect()
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
    /// How the two rankings become one.
    pub fusion: Fusion,
    /// What was retrieved before.
    pub caches: Caches,
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
        authorize(caller, request)?;
        let prepared = self.prepare(caller, request, None).await?;
        let similar = self.similar(prepared).await?;
        let (found, ()) = tokio::join!(self.check(caller, request, similar), self.caches.settle());
        found
    }

    /// Returns what is needed to search: the question's vector, the collection (unless `read` before), what
    /// was retrieved before. One round trip.
    pub(crate) async fn prepare(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        read: Option<Collection>,
    ) -> Result<Prepared, FlowError> {
        let started = Instant::now();
        let recipe = self.recipe();
        let view = View::of(caller, &request.collection, request.filter.as_ref(), &recipe);
        let key = request.cache.then(|| view.retrieval(request.question.as_str()));
        let embedding = async {
            let dense = self.embed(&request.question).await;
            (dense, started.elapsed())
        };
        let ((dense, embedded), collection, known) =
            tokio::join!(embedding, self.collection(caller, request, read), async {
                self.caches.retrieved(key.as_ref()?).await
            });
        let collection = collection?.ok_or(FlowError::NotFound("collection"))?;
        let key = key.filter(|_| caching(&collection).retrieval);
        let is_degraded = self.embedder.is_some() && dense.is_none();
        let query = query(caller, request, dense);
        Ok(Prepared { collection, is_degraded, query, key, known, embedded })
    }

    async fn collection(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        read: Option<Collection>,
    ) -> Result<Option<Collection>, PortError> {
        match read {
            Some(read) => Ok(Some(read)),
            None => self.tables.collections().get(&caller.tenant, &request.collection).await,
        }
    }

    /// Returns what the index finds similar, or found in this epoch. Not to be shown before [`Self::check`].
    pub(crate) async fn similar(&self, prepared: Prepared) -> Result<Similar, PortError> {
        let started = Instant::now();
        let Prepared { collection, is_degraded, query, key, known, embedded } = prepared;
        let epoch = Epoch::from(&collection);
        let known = known.filter(|known| key.is_some() && known.is_of(epoch));
        let (fused, cache) = match (known, key) {
            (Some(known), _) => (known.fused.clone(), CacheUse::Exact),
            (None, None) => (self.rank(&query).await?, CacheUse::Off),
            (None, Some(key)) => {
                let fused = self.rank(&query).await?;
                // A ranking without the vectors it should have had is not worth finding again.
                if !is_degraded {
                    self.caches.keep_retrieved(key, epoch, &fused);
                }
                (fused, CacheUse::Miss)
            }
        };
        if cache != CacheUse::Off {
            self.caches.count_retrieved(cache.is_hit());
        }
        Ok(Similar { query, fused, embedded, retrieved: started.elapsed(), cache })
    }

    /// Returns what makes a difference to the ranking besides question, view and documents.
    pub(crate) fn recipe(&self) -> String {
        let model = self.embedder.as_ref().map(|embedder| embedder.model());
        format!("{:?} {model:?} {RANKING_DEPTH}", self.fusion)
    }

    /// Keeps what the documents' records say may be shown.
    pub(crate) async fn check(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        similar: Similar,
    ) -> Result<Found, FlowError> {
        let started = Instant::now();
        let (mut passages, mut raced) = self.compare(caller, request, similar.fused).await?;

        // A version was switched between the search and the check: neither version of that document
        // would be shown, so the search is repeated.
        for _ in 0..MAX_REPEATS {
            if !raced {
                break;
            }
            let fused = self.rank(&similar.query).await?;
            (passages, raced) = self.compare(caller, request, fused).await?;
        }
        passages.truncate(request.limit);
        let retrieve = similar.retrieved + started.elapsed();
        let timings = SearchTimings { embed: millis(similar.embedded), retrieve: millis(retrieve) };
        Ok(Found { passages, vector: similar.query.dense, timings, cache: similar.cache })
    }

    async fn rank(&self, query: &PassageQuery) -> Result<Vec<ScoredPassage>, PortError> {
        let candidates = self.passages.search(query).await?;
        Ok(fusion::fuse(candidates, &self.fusion, 2 * RANKING_DEPTH))
    }

    /// Returns the question's vector; a failing embedder costs quality, not the answer.
    async fn embed(&self, question: &Question) -> Option<Vec<f32>> {
        let embedder = self.embedder.as_ref()?;
        let texts = [question.as_str().to_owned()];
        match tokio::time::timeout(EMBED_TIMEOUT, embedder.embed(&texts)).await {
            Ok(Ok(mut vectors)) => vectors.pop(),
            Ok(Err(error)) => {
                warn!(error = %lectern_core::errors::chain(&error), "failed to embed a question; searching by BM25 only");
                None
            }
            Err(_) => {
                warn!("embedding a question took too long; searching by BM25 only");
                None
            }
        }
    }

    /// Keeps the passages of live versions, and says whether a document lost all of its passages to
    /// a switch that happened since the search.
    async fn compare(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        fused: Vec<ScoredPassage>,
    ) -> Result<(Vec<ScoredPassage>, bool), FlowError> {
        let records = self.records(caller, request, &fused).await?;
        let shown = |found: &ScoredPassage| {
            let record = records.get(&found.passage.document_id);
            record.is_some_and(|document| {
                document.shows(found.passage.version)
                    && document.collection == request.collection
                    && may_see(caller, document)
            })
        };
        let (kept, dropped): (Vec<_>, Vec<_>) = fused.into_iter().partition(shown);
        let seen: HashSet<&DocumentId> =
            kept.iter().map(|found| &found.passage.document_id).collect();
        let raced = dropped.iter().any(|found| {
            let newer = |document: &Document| {
                document.live_version.is_some_and(|live| live > found.passage.version)
            };
            let id = &found.passage.document_id;
            !seen.contains(id)
                && records
                    .get(id)
                    .is_some_and(|document| newer(document) && may_see(caller, document))
        });
        Ok((kept, raced))
    }

    async fn records(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        fused: &[ScoredPassage],
    ) -> Result<HashMap<DocumentId, Document>, FlowError> {
        let ids: HashSet<&DocumentId> =
            fused.iter().map(|found| &found.passage.document_id).collect();
        let ids: Vec<DocumentId> = ids.into_iter().cloned().collect();
        let documents = self.tables.documents();
        let read =
            documents.get_many_with_collection(&caller.tenant, &ids, &request.collection).await?;
        if read.collection.is_none() {
            return Err(FlowError::NotFound("collection"));
        }
        Ok(read.documents.into_iter().map(|document| (document.id.clone(), document)).collect())
    }
}

/// The ACL is filtered in the index; the record's, which may be newer, decides.
fn may_see(caller: &Caller, document: &Document) -> bool {
    caller.may_see(&document.acl)
}

/// Refuses what the caller may not ask, before anything is read, from a cache or elsewhere.
pub(crate) fn authorize(caller: &Caller, request: &SearchRequest) -> Result<(), FlowError> {
    if !caller.may(Permission::Query) {
        return Err(FlowError::Forbidden("it lacks the permission `query`"));
    }
    if !caller.may_touch(&request.collection) {
        return Err(FlowError::NotFound("collection"));
    }
    if !(1..=MAX_LIMIT).contains(&request.limit) {
        return Err(FlowError::field("/limit", format!("must be 1 to {MAX_LIMIT}")));
    }
    let valid = request.filter.as_ref().map_or(Ok(()), Filter::validate);
    valid.map_err(|error| FlowError::field("/filter", error))
}

fn query(caller: &Caller, request: &SearchRequest, dense: Option<Vec<f32>>) -> PassageQuery {
    let language = analysis::detect_language(request.question.as_str());
    PassageQuery {
        tenant: caller.tenant.clone(),
        collection: request.collection.clone(),
        principals: caller.principals.clone(),
        filter: request.filter.clone(),
        dense,
        sparse: analysis::query_vector(request.question.as_str(), language),
        limit: RANKING_DEPTH,
    }
}

/// Returns milliseconds with three decimals.
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
