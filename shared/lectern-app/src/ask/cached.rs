//! Answers that were given before: finding one that still holds, giving it, keeping a new one.
//!
//! ```text
//! memory has one ──► verify ──► give it: one round trip, nothing embedded, nothing searched
//!        │ none, or it does not hold
//!        ▼
//! embed ‖ collection ‖ table's tier           the first round trip
//!        ▼
//! search ‖ verify the table's, or a similar question's   the second
//! ```
//!
//! An entry that memory has and that does not hold costs a round trip more only when its question's vector was
//! forgotten meanwhile: verifying it reads the collection, and the vector is in memory too.

use std::sync::Arc;

use lectern_core::{
    answer::{Answer, Mode},
    auth::Caller,
    errors::chain,
    experiment::Assignments,
    passage::{Passage, ScoredPassage},
    ports::ChatModel,
    pricing::Estimates,
    question::Question,
    settings::CollectionSettings,
};
use lectern_tables::collections::Collection;
use lectern_telemetry::stage::Staged as _;
use tracing::warn;

use super::{Ask, AskEvent, AskRequest, AskTimings, Asked, MAX_REPLY_TOKENS, Turn, send};
use crate::{
    cache::{CacheUse, Caches, Epoch, Key, View, entry::KeptAnswer},
    collections::settings_of,
    errors::FlowError,
    search::{Effective, SearchRequest, Similar, millis},
};

/// How a question begins: with its answer, or with what it can be answered from.
pub(super) enum Opened {
    /// An earlier answer that holds.
    Hit(Hit),
    /// What the index found, and where the answer will be kept.
    Searched(Box<Similar>, Place),
}

impl Opened {
    /// Returns the best passage, not yet checked where the index found it.
    pub(super) fn best(&self) -> Option<Passage> {
        match self {
            Self::Hit(hit) => hit.kept.passages().into_iter().next().map(|best| best.passage),
            Self::Searched(similar, _) => {
                similar.hopeful().into_iter().next().map(|best| best.passage)
            }
        }
    }
}

/// An earlier answer that was verified.
pub(super) struct Hit {
    kept: Arc<KeptAnswer>,
    matched: CacheUse,
    terms: Terms,
}

/// What the collection says now of an answer that is given.
struct Terms {
    assignments: Assignments,
    /// Whether the audit log keeps the question's text.
    keeps_question: bool,
}

/// What the records say of an earlier answer.
struct Verified {
    /// The collection, if it could be read.
    collection: Option<Collection>,
    /// How it is given; not at all when it does not hold.
    holds: Option<Terms>,
}

/// What a question is looked up by before its collection is read.
struct Assumed {
    variant: String,
    keys: Option<Keys>,
    /// The collection, where it was read all the same.
    read: Option<Collection>,
}

/// Where a new answer will be kept, if anywhere.
pub(super) struct Place {
    keys: Option<Keys>,
    epoch: Epoch,
    is_degraded: bool,
    vector: Option<Vec<f32>>,
}

#[derive(Clone, Copy)]
struct Keys {
    answer: Key,
    view: Key,
}

impl Ask {
    /// Returns an earlier answer that holds, or what the index finds similar.
    pub(super) async fn open(
        &self,
        turn: &Turn<'_>,
        search: &SearchRequest,
    ) -> Result<Opened, FlowError> {
        let Turn { caller, request, .. } = *turn;
        search.authorize(caller)?;
        search.validate()?;
        let caches = &self.search.caches;
        let assumed = self.search.assumed(caller, search);
        let variant = assumed.variant();
        let keys = self.is_cacheable(request, &assumed.settings);
        let keys = keys.then(|| self.keys(caller, search, &assumed));

        // Memory first: a hit there needs neither vector nor search.
        let mut read = None;
        if let Some(kept) = keys.and_then(|keys| caches.answer_in_memory(&keys.answer)) {
            let verified = self.verify(caller, search, &kept, &variant).await;
            if let Some(terms) = verified.holds {
                caches.count_answer(true);
                return Ok(Opened::Hit(Hit { kept, matched: CacheUse::Exact, terms }));
            }
            read = verified.collection;
        }
        // A model may be asked soon: what that costs is set aside while passages are searched for.
        let assumed = Assumed { variant, keys, read };
        // On the heap: a follow-up that may be read in two ways looks both up at the same time.
        let looking_up = Box::pin(self.look_up(turn, search, assumed));
        tokio::join!(looking_up, self.prefetch(&turn.bill)).0
    }

    async fn look_up(
        &self,
        turn: &Turn<'_>,
        search: &SearchRequest,
        assumed: Assumed,
    ) -> Result<Opened, FlowError> {
        let Turn { caller, request, .. } = *turn;
        let Assumed { variant, keys, read } = assumed;
        let caches = &self.search.caches;
        let preparing = self.search.prepare(caller, search, read, turn.bill.meter());
        let (prepared, stored) = tokio::join!(preparing.staged("embed"), async {
            caches.stored_answer(&keys?.answer).await
        });
        let prepared = prepared?;
        let wanted = prepared.effective.settings.cache.clone();
        let is_cached = wanted.answers && self.is_cacheable(request, &prepared.effective.settings);
        // What was looked up for another variant is not this one's.
        let stored = stored.filter(|_| prepared.effective.variant() == variant);
        let variant = prepared.effective.variant();
        let keys = is_cached.then(|| self.keys(caller, search, &prepared.effective));
        let place = Place {
            keys,
            epoch: Epoch::from(&prepared.collection),
            is_degraded: prepared.is_degraded,
            vector: wanted.semantic.and(prepared.vector()).map(<[f32]>::to_vec),
        };
        let candidate = match stored.filter(|_| keys.is_some()) {
            Some(kept) => Some((kept, CacheUse::Exact)),
            None => place.of_similar_question(caches, &search.question, wanted.semantic),
        };
        let (similar, hit) = tokio::join!(
            self.search.similar(search, prepared).staged("retrieve"),
            self.verified(caller, search, candidate, &variant)
        );
        if keys.is_some() {
            caches.count_answer(hit.is_some());
        }
        match hit {
            Some(hit) => Ok(Opened::Hit(hit)),
            None => Ok(Opened::Searched(Box::new(similar?), place)),
        }
    }

    /// Whether the answer depends on nothing but what its key holds. A model that is shown the conversation
    /// answers that conversation: no other will be the same.
    fn is_cacheable(&self, request: &AskRequest, settings: &CollectionSettings) -> bool {
        request.cache && (self.chat(settings).is_none() || request.session_id.is_none())
    }

    fn keys(&self, caller: &Caller, search: &SearchRequest, effective: &Effective) -> Keys {
        let recipe = self.recipe(search, effective);
        let view = View::of(caller, &search.collection, search.filter.as_ref(), &recipe);
        Keys { answer: view.answer(search.question.as_str()), view: view.answers() }
    }

    /// Returns what makes a difference to answers besides question, view and documents. Settings of the
    /// collection are here only where a variant of an experiment changes them: the others are of its epoch.
    fn recipe(&self, search: &SearchRequest, effective: &Effective) -> String {
        let settings = &effective.settings;
        let model = self.chat(settings).map(ChatModel::model);
        let prompt = settings.answers.prompt.fingerprint();
        let (ranking, variant, budget) = (self.search.recipe(), effective.variant(), self.budget);
        let mmr = search.mmr;
        format!("{ranking} {mmr:?} {model:?} {prompt} {budget:?} {MAX_REPLY_TOKENS} {variant}")
    }

    async fn verified(
        &self,
        caller: &Caller,
        search: &SearchRequest,
        candidate: Option<(Arc<KeptAnswer>, CacheUse)>,
        variant: &str,
    ) -> Option<Hit> {
        let (kept, matched) = candidate?;
        let terms = self.verify(caller, search, &kept, variant).await.holds?;
        Some(Hit { kept, matched, terms })
    }

    /// Reads the collection and everything the answer was made from, in one call, and says whether the
    /// answer holds for a conversation of this variant. A failure is a miss: what is needed is read again and
    /// fails there.
    async fn verify(
        &self,
        caller: &Caller,
        search: &SearchRequest,
        kept: &KeptAnswer,
        variant: &str,
    ) -> Verified {
        let documents = self.tables.documents();
        let ids = kept.documents();
        let read =
            documents.get_many_with_collection(&caller.tenant, &ids, &search.collection).await;
        let records = match read {
            Ok(records) => records,
            Err(error) => {
                warn!(error = %chain(&error), "failed to verify a cached answer");
                return Verified { collection: None, holds: None };
            }
        };
        let now = records.collection.as_ref().map(|collection| {
            let effective = Effective::of(&settings_of(collection), caller, search);
            let is_same = effective.settings.cache.answers && effective.variant() == variant;
            let keeps_question = effective.settings.audit.questions;
            is_same.then_some(Terms { assignments: effective.assignments, keeps_question })
        });
        let holds = kept.holds(caller, &search.collection, &records);
        Verified { holds: now.flatten().filter(|_| holds), collection: records.collection }
    }

    /// Gives an earlier answer: the events of a new one, recorded like a new one, at no cost.
    pub(super) async fn give(
        &self,
        turn: &Turn<'_>,
        hit: &Hit,
        asked: Asked,
    ) -> Result<Asked, FlowError> {
        let retrieval = AskEvent::Retrieval {
            query_id: asked.query_id.clone(),
            session_id: asked.session_id.clone(),
            passages: hit.kept.passages(),
        };
        send(turn.events, retrieval).await;
        if asked.answer.mode() == Mode::Generated {
            turn.pass_on(asked.answer.text().to_owned()).await;
        }
        for citation in asked.answer.citations() {
            send(turn.events, AskEvent::Citation(citation.clone())).await;
        }
        self.conclude(turn, asked).await
    }
}

impl Hit {
    /// Returns the outcome of the question that was asked now.
    pub(super) fn asked(&self, turn: &Turn<'_>) -> Asked {
        let took = millis(turn.started.elapsed());
        Asked {
            query_id: turn.query_id.clone(),
            session_id: turn.session_id.clone(),
            answer: self.kept.answer.clone(),
            standalone_question: None,
            nearest: Vec::new(),
            degraded: Vec::new(),
            spent: turn.spent(),
            estimates: Estimates::default(),
            timings: AskTimings { cache: took, total: took, ..AskTimings::default() },
            cache: self.matched,
            experiment: self.terms.assignments.clone(),
            documents: self.kept.documents(),
            keeps_question: self.terms.keeps_question,
        }
    }
}

impl Place {
    /// Returns the answer in memory of a question that means the same, not yet verified.
    fn of_similar_question(
        &self,
        caches: &Caches,
        question: &Question,
        threshold: Option<f32>,
    ) -> Option<(Arc<KeptAnswer>, CacheUse)> {
        let (keys, vector) = (self.keys?, self.vector.as_ref()?);
        let found = caches.similar_question(&keys.view, question.as_str(), vector, threshold?)?;
        Some((caches.answer_in_memory(&found)?, CacheUse::Semantic))
    }

    /// Keeps an answer. Not a refusal: it cites nothing that could be verified, the next upload may end
    /// it, and what it costs again is the search, which is kept. Not one made without the vectors it
    /// should have had. A failed one never comes here.
    pub(super) fn keep(
        &self,
        caches: &Caches,
        question: &Question,
        answer: &Answer,
        passages: &[ScoredPassage],
    ) {
        let Some(keys) = self.keys.filter(|_| !self.is_degraded && !answer.is_refused()) else {
            return;
        };
        caches.keep_answer(keys.answer, self.epoch, answer, passages);
        if let Some(vector) = &self.vector {
            caches.remember_question(keys.view, keys.answer, question.as_str(), vector);
        }
    }

    /// Returns whether the answer was looked for.
    pub(super) fn cache_use(&self) -> CacheUse {
        if self.keys.is_some() { CacheUse::Miss } else { CacheUse::Off }
    }
}
