//! What is known before the index is asked: the question's vector, the collection, what was retrieved before.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    analysis::{self, SparseVector, UNDETERMINED},
    auth::Caller,
    errors::{PortError, chain},
    passage::PassageQuery,
};
use lectern_tables::collections::Collection;
use tracing::warn;

use super::{EMBED_TIMEOUT, Effective, RANKING_DEPTH, Search, SearchRequest};
use crate::{
    cache::{Key, View, retrieved::Retrieved},
    collections::settings_of,
    errors::FlowError,
    spending::Meter,
};

/// What is known before the index is asked.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The collection, read before the search: what is found is of this epoch or a later one.
    pub(crate) collection: Collection,
    /// Its settings as this conversation meets them.
    pub(crate) effective: Effective,
    /// Whether there is an embedder and it made no vector.
    pub(crate) is_degraded: bool,
    pub(super) query: PassageQuery,
    pub(super) key: Option<Key>,
    pub(super) known: Option<Arc<Retrieved>>,
    pub(super) embedded: Duration,
}

impl Prepared {
    /// Returns the question's vector.
    pub(crate) fn vector(&self) -> Option<&[f32]> {
        self.query.dense.as_deref()
    }
}

impl Search {
    /// Returns what is needed to search: the question's vector, the collection (unless `read` before), what
    /// was retrieved before. One round trip. `meter` counts what is embedded.
    pub(crate) async fn prepare(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        read: Option<Collection>,
        meter: &Meter,
    ) -> Result<Prepared, FlowError> {
        request.authorize(caller)?;
        request.validate()?;
        let started = Instant::now();
        let assumed = self.assumed(caller, request).variant();
        let key = request.cache.then(|| self.key(caller, request, &assumed));
        let embedding = async {
            let dense = self.embed(request, meter).await;
            (dense, started.elapsed())
        };
        // Analysed last: the others are on their way by then, and the question is read while they answer.
        let (collection, known, (dense, embedded), sparse) = tokio::join!(
            self.collection(caller, request, read),
            async { self.caches.retrieved(key.as_ref()?).await },
            embedding,
            // No collection says yet what language it is in; the question's own is detected.
            async { analysis::query_vector(request.question.as_str(), UNDETERMINED) }
        );
        let collection = collection?.ok_or(FlowError::NotFound("collection"))?;
        let declared = settings_of(&collection);
        request.validate_against(&declared)?;
        let effective = Effective::of(&declared, caller, request);
        self.caches.know_settings(&caller.tenant, &request.collection, declared);

        // What was looked up for another variant is not this one's.
        let variant = effective.variant();
        let known = known.filter(|_| variant == assumed);
        let key = key.filter(|_| effective.settings.cache.retrieval);
        let key = key.map(|_| self.key(caller, request, &variant));
        let is_degraded = self.embedder.is_some() && dense.is_none();
        let hostile_from = effective.settings.safety.withheld_from();
        let query = query(caller, request, hostile_from, dense, sparse);
        Ok(Prepared { collection, effective, is_degraded, query, key, known, embedded })
    }

    fn key(&self, caller: &Caller, request: &SearchRequest, variant: &str) -> Key {
        let recipe = format!("{} {variant}", self.recipe());
        let view = View::of(caller, &request.collection, request.filter.as_ref(), &recipe);
        view.retrieval(request.question.as_str())
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

    /// Returns what makes a difference to the ranking besides question, view, documents and the collection's
    /// settings.
    pub(crate) fn recipe(&self) -> String {
        let model = self.embedder.as_ref().map(|embedder| embedder.model());
        let reranker = self.reranker.as_ref().map(|reranker| reranker.model());
        format!("{:?} {model:?} {reranker:?} {RANKING_DEPTH}", self.fusion)
    }

    /// Returns the question's vector; a failing embedder costs quality, not the answer.
    async fn embed(&self, request: &SearchRequest, meter: &Meter) -> Option<Vec<f32>> {
        let embedder = self.embedder.as_ref()?;
        let texts = [request.question.as_str().to_owned()];
        let embedding = meter.embed(embedder.as_ref(), &texts);
        // What is left must do for everything else.
        let longest = EMBED_TIMEOUT.min(request.time_budget / 4);
        match tokio::time::timeout(longest, embedding).await {
            Ok(Ok(mut vectors)) => vectors.pop(),
            Ok(Err(error)) => {
                warn!(error = %chain(&error), "failed to embed a question; searching by BM25 only");
                None
            }
            Err(_) => {
                warn!("embedding a question took too long; searching by BM25 only");
                None
            }
        }
    }
}

fn query(
    caller: &Caller,
    request: &SearchRequest,
    hostile_from: Option<u8>,
    dense: Option<Vec<f32>>,
    sparse: SparseVector,
) -> PassageQuery {
    PassageQuery {
        tenant: caller.tenant.clone(),
        collection: request.collection.clone(),
        principals: caller.principals.clone(),
        filter: request.filter.clone(),
        hostile_from,
        dense,
        sparse,
        limit: RANKING_DEPTH,
    }
}
