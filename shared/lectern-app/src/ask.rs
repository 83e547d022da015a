//! One question: understand → an earlier answer that still holds, or retrieve → widen → prompt → generate → verify
//! → record → answer.

mod begin;
mod cached;
mod chat;
mod record;
mod reply;
mod rewrite;

pub use self::chat::ChatModels;
pub(crate) use self::record::CITED;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    answer::{Answer, Citation, Draft},
    auth::Caller,
    citations,
    errors::{ErrorKind, PortError},
    experiment::Assignments,
    filter::Filter,
    ids::{CollectionId, DocumentId, QueryId, SessionId},
    passage::{Passage, ScoredPassage},
    ports::{ChatModel, TokenCount},
    pricing::{MicroDollars, PriceTable},
    prompt::PromptBudget,
    question::Question,
    settings::Mmr,
};
use lectern_tables::Tables;
use serde::Serialize;
use tokio::sync::mpsc;
use tracing::info;

use self::{
    begin::{Asking, Begun},
    cached::Opened,
};
use crate::{
    cache::CacheUse,
    clock::{Clock, entropy},
    conversation::is_open,
    errors::FlowError,
    search::{Search, SearchRequest, degraded, millis},
};

/// Nearest passages returned with a refusal.
pub const NEAREST_PASSAGES: usize = 3;
/// Longest reply of a model in tokens.
pub const MAX_REPLY_TOKENS: u32 = 700;
/// Events that may wait for a slow client before generation waits too.
pub const EVENT_BUFFER: usize = 64;

/// What is asked.
#[derive(Clone, Debug)]
pub struct AskRequest {
    /// Where.
    pub collection: CollectionId,
    /// What.
    pub question: Question,
    /// Conditions on metadata.
    pub filter: Option<Filter>,
    /// Maximal marginal relevance; as the collection's settings say without.
    pub mmr: Option<Mmr>,
    /// The conversation it belongs to; a new one without.
    pub session_id: Option<SessionId>,
    /// How long the whole answer may take.
    pub time_budget: Duration,
    /// Whether an earlier answer may be given, and this one be kept.
    pub cache: bool,
}

/// What happens while an answer is made.
#[derive(Clone, Debug, PartialEq)]
pub enum AskEvent {
    /// Passages were found; the answer will be made from these.
    Retrieval {
        /// Id of the question.
        query_id: QueryId,
        /// Id of the conversation.
        session_id: SessionId,
        /// The passages, best first.
        passages: Vec<ScoredPassage>,
    },
    /// More of the unverified draft.
    Token(String),
    /// A verified citation of the answer.
    Citation(Citation),
}

/// Milliseconds per stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct AskTimings {
    /// Looking for an earlier answer that still holds; 0 when none was given.
    pub cache: f64,
    /// Turning the question into a vector.
    pub embed: f64,
    /// Finding and checking passages.
    pub retrieve: f64,
    /// Reordering them by a model; 0 without.
    pub rerank: f64,
    /// The model's reply; 0 in extractive mode.
    pub generate: f64,
    /// Checking the reply, or choosing sentences in extractive mode.
    pub verify: f64,
    /// All of it.
    pub total: f64,
}

/// What an answer used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens.
    pub tokens: TokenCount,
    /// Money.
    pub cost: MicroDollars,
}

impl Spent {
    /// Returns what both used together.
    fn and(self, other: Self) -> Self {
        let tokens = TokenCount {
            prompt: self.tokens.prompt.saturating_add(other.tokens.prompt),
            completion: self.tokens.completion.saturating_add(other.tokens.completion),
        };
        Self { tokens, cost: MicroDollars(self.cost.0.saturating_add(other.cost.0)) }
    }
}

/// An answered question.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Id of the question.
    pub query_id: QueryId,
    /// Id of the conversation.
    pub session_id: SessionId,
    /// The question as it was understood after the earlier ones, where that differs from what was asked.
    pub standalone_question: Option<Question>,
    /// The verified answer.
    pub answer: Answer,
    /// The nearest passages, when it was refused.
    pub nearest: Vec<ScoredPassage>,
    /// Stages that had to be done without, see [`crate::search::degraded`].
    pub degraded: Vec<&'static str>,
    /// What it used.
    pub spent: Spent,
    /// Where the time went.
    pub timings: AskTimings,
    /// Whether the answer came from the cache.
    pub cache: CacheUse,
    /// The variants of the collection's experiments it was answered with.
    pub experiment: Assignments,
}

/// Answers questions.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Finds passages.
    pub search: Search,
    /// The table.
    pub tables: Tables,
    /// Writes answers; without one answers are extractive.
    pub chat: Option<Arc<dyn ChatModel>>,
    /// The models that settings may name instead.
    pub chat_models: ChatModels,
    /// What tokens cost.
    pub prices: Arc<PriceTable>,
    /// How long prompts may be.
    pub budget: PromptBudget,
    /// The time.
    pub clock: Clock,
}

impl Ask {
    /// Answers a question; sends what happens meanwhile to `events`.
    ///
    /// # Errors
    /// When the caller may not ask there, a field is wrong, or something behind a port fails.
    pub async fn ask(
        &self,
        caller: &Caller,
        request: &AskRequest,
        events: &mpsc::Sender<AskEvent>,
    ) -> Result<Asked, FlowError> {
        let answered = self.answer(caller, request, events);
        match tokio::time::timeout(request.time_budget, answered).await {
            Ok(answered) => answered,
            Err(late) => Err(PortError::new(ErrorKind::Timeout, "answer", late).into()),
        }
    }

    async fn answer(
        &self,
        caller: &Caller,
        request: &AskRequest,
        events: &mpsc::Sender<AskEvent>,
    ) -> Result<Asked, FlowError> {
        let started = Instant::now();
        let now = self.clock.now();
        let query_id = QueryId::new(now, entropy());
        let session_id =
            request.session_id.clone().unwrap_or_else(|| SessionId::new(now, entropy()));

        // What is searched for depends on the conversation so far, where there is one.
        let turns = self.history(caller, request.session_id.as_ref()).await?;
        let history = rewrite::spoken(&turns);
        let understood = self.understand(caller, request, &session_id, &turns).await?;
        let rewrite::Understood { search, opened, standalone_question, mut spent } = understood;
        let (similar, place) = match opened {
            Opened::Hit(hit) => {
                let took = millis(started.elapsed());
                let mut asked = hit.asked(query_id, session_id, took);
                (asked.standalone_question, asked.spent) = (standalone_question, spent);
                return self.give(caller, request, &hit, asked, events, now).await;
            }
            Opened::Searched(similar, place) => (*similar, place),
        };

        let (settings, experiment) = (similar.settings.clone(), similar.assignments.clone());
        let asking = Asking { caller, search: &search, settings: &settings, history: &history };

        // The passages are widened and the model is asked while the records are checked; nothing of its reply is
        // passed on before, and if the check changes the passages both are done again.
        let hopeful = similar.hopeful();
        let remaining = || request.time_budget.saturating_sub(started.elapsed());
        let generating = Instant::now();
        let (found, early) = tokio::join!(
            self.search.check(caller, &search, similar),
            self.begin_early(&asking, &hopeful, remaining())
        );
        let mut found = found?;
        let is_sure = self.is_sure(&asking, &found, remaining()).await;
        let begun = match early {
            _ if !is_sure => Begun::without_passages(),
            Some(early) if found.passages == hopeful => early?,
            _ => self.begin(&asking, &found.passages, remaining()).await?,
        };
        if begun.widened.is_degraded {
            found.degraded.push(degraded::NEIGHBOURS);
        }
        let shown = begun.widened.passages;
        let retrieval = AskEvent::Retrieval {
            query_id: query_id.clone(),
            session_id: session_id.clone(),
            passages: shown.clone(),
        };
        send(events, retrieval).await;

        // Draft and verify; without a model, or without anything to tell it, choose sentences.
        let mut timings = AskTimings {
            embed: found.timings.embed,
            retrieve: found.timings.retrieve,
            rerank: found.timings.rerank,
            ..AskTimings::default()
        };
        let answer = match begun.reply {
            _ if !is_sure => Answer::refusal(self.mode(&settings)),
            Some((chat, reply)) => {
                let used = reply.passages_used;
                let reply = reply::collect(reply, events).await?;
                timings.generate = millis(generating.elapsed());
                let cost = self.prices.cost(chat.model(), reply.tokens);
                spent = spent.and(Spent { tokens: reply.tokens, cost });
                let verifying = Instant::now();
                let passages: Vec<Passage> =
                    shown.iter().take(used).map(|found| found.passage.clone()).collect();
                let policy = settings.answers.unsupported;
                let answer = citations::verify(&Draft::new(reply.text), &passages, policy);
                timings.verify = millis(verifying.elapsed());
                answer
            }
            None => {
                let choosing = Instant::now();
                let answer = self.extract(&asking, &mut found, remaining()).await;
                timings.verify = millis(choosing.elapsed());
                answer
            }
        };
        let answer = self.still_shown(caller, answer).await?;
        for citation in answer.citations() {
            send(events, AskEvent::Citation(citation.clone())).await;
        }

        // Keep before responding, after the check: what is kept was right a moment ago.
        if found.degraded.is_empty() {
            place.keep(&self.search.caches, &search.question, &answer, &shown);
        }

        // Record before responding: nothing runs after the response.
        let nearest = if answer.is_refused() { NEAREST_PASSAGES } else { 0 };
        let nearest = found.passages.into_iter().take(nearest).collect();
        timings.total = millis(started.elapsed());
        let cache = place.cache_use();
        let asked = Asked {
            query_id,
            session_id,
            standalone_question,
            answer,
            nearest,
            degraded: found.degraded,
            spent,
            timings,
            cache,
            experiment,
        };
        let (recorded, ()) =
            tokio::join!(self.record(caller, request, &asked, now), self.search.caches.settle());
        recorded?;
        log(&asked);
        Ok(asked)
    }

    /// Returns the answer, or a refusal when a document it cites was deleted or closed while it was
    /// made: from the moment a deletion returns the document answers nothing.
    async fn still_shown(&self, caller: &Caller, answer: Answer) -> Result<Answer, PortError> {
        let cited = answer.citations().iter().map(|citation| &citation.document_id);
        let ids: Vec<DocumentId> = cited.clone().cloned().collect();
        let documents = self.tables.documents().get_many(&caller.tenant, &ids).await?;
        let all_open = cited.into_iter().all(|id| is_open(caller, &documents, id));
        Ok(if all_open { answer } else { Answer::refusal(answer.mode()) })
    }
}

fn log(asked: &Asked) {
    info!(
        query.id = %asked.query_id,
        cache = asked.cache.as_str(),
        cache.matched = asked.cache.matched(),
        refused = asked.answer.is_refused(),
        citations = asked.answer.citations().len(),
        supported_ratio = asked.answer.supported_ratio(),
        prompt_tokens = asked.spent.tokens.prompt,
        completion_tokens = asked.spent.tokens.completion,
        duration_ms = asked.timings.total,
        "answered a question"
    );
}

fn search_request(
    request: &AskRequest,
    session_id: &SessionId,
    question: &Question,
) -> SearchRequest {
    SearchRequest {
        collection: request.collection.clone(),
        question: question.clone(),
        filter: request.filter.clone(),
        limit: None,
        mmr: request.mmr,
        per_document: None,
        grouped: false,
        time_budget: request.time_budget,
        cache: request.cache,
        session_id: Some(session_id.clone()),
    }
}

/// Sends an event; a client that has gone is noticed when the answer is written, not here.
async fn send(events: &mpsc::Sender<AskEvent>, event: AskEvent) {
    if events.send(event).await.is_err() {
        tracing::debug!("nobody listens to the events of a question");
    }
}
