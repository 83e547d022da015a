//! One question: understand → an earlier answer that still holds, or retrieve → widen → prompt → generate → verify
//! → record → answer.

mod cached;
mod chat;
mod draft;
mod observe;
mod passages;
mod record;
mod reply;
mod rewrite;

pub use self::chat::ChatModels;
pub(crate) use self::record::{CITED, STANDALONE};
pub use crate::spending::Spent;

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use lectern_core::{
    answer::{Answer, Citation, Refusal},
    auth::Caller,
    errors::{ErrorKind, PortError},
    experiment::Assignments,
    filter::Filter,
    ids::{CollectionId, DocumentId, QueryId, SessionId},
    passage::ScoredPassage,
    ports::ChatModel,
    pricing::{Estimates, Function},
    prompt::PromptBudget,
    question::Question,
    settings::Mmr,
    time::Timestamp,
};
use lectern_tables::Tables;
use lectern_telemetry::{instruments::ACTIVE_SESSIONS, stage::Staged as _};
use serde::Serialize;
use tokio::sync::mpsc;

use self::{cached::Opened, draft::Asking};
use crate::{
    cache::CacheUse,
    clock::{Clock, entropy},
    conversation::is_open,
    errors::FlowError,
    search::{Search, SearchRequest, millis},
    spending::{Bill, Spending},
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
    /// What else answering cost, by estimate; held against no budget.
    pub estimates: Estimates,
    /// Where the time went.
    pub timings: AskTimings,
    /// Whether the answer came from the cache.
    pub cache: CacheUse,
    /// The variants of the collection's experiments it was answered with.
    pub experiment: Assignments,
    /// The documents whose passages it was made from, cited or not.
    pub documents: Vec<DocumentId>,
    /// Whether the collection wants the question's text in the audit log.
    pub keeps_question: bool,
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
    /// Counts what answers cost, and refuses what would be too much.
    pub spending: Spending,
    /// The function that answers, where its time is billed.
    pub function: Option<Function>,
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
        let now = self.clock.now();
        let new_session = || SessionId::new(now, entropy());
        let turn = Turn {
            caller,
            request,
            events,
            query_id: QueryId::new(now, entropy()),
            session_id: request.session_id.clone().unwrap_or_else(new_session),
            now,
            started: Instant::now(),
            first_token: OnceLock::new(),
            bill: self.spending.bill(caller, self.most(request), request.time_budget),
        };
        let _active = ACTIVE_SESSIONS.while_held(&[]);
        let answered = self.answer(&turn);
        let answered = match tokio::time::timeout(request.time_budget, answered).await {
            Ok(answered) => answered,
            Err(late) => Err(PortError::new(ErrorKind::Timeout, "answer", late).into()),
        };
        if answered.is_err() {
            turn.bill.give_up().await;
        }
        observe::ended(&turn, &answered);
        answered
    }

    async fn answer(&self, turn: &Turn<'_>) -> Result<Asked, FlowError> {
        let Turn { caller, request, .. } = *turn;
        // What is searched for depends on the conversation so far, where there is one.
        let turns = self.history(caller, request.session_id.as_ref()).await?;
        let understood = self.understand(turn, &turns).staged("find").await?;
        let rewrite::Understood { search, opened, standalone_question } = understood;
        let (similar, place) = match opened {
            Opened::Hit(hit) => {
                let mut asked = hit.asked(turn);
                asked.standalone_question = standalone_question;
                return self.give(turn, &hit, asked).await;
            }
            Opened::Searched(similar, place) => (*similar, place),
        };
        let (settings, experiment) = (similar.settings.clone(), similar.assignments.clone());
        let history = rewrite::spoken(&turns);
        let asking = Asking { caller, search: &search, settings: &settings, history: &history };

        let retrieving = self.retrieve(turn, &asking, similar).staged("check");
        let (mut found, begun) = retrieving.await?;
        let shown = begun.widened.passages.clone();
        let retrieval = AskEvent::Retrieval {
            query_id: turn.query_id.clone(),
            session_id: turn.session_id.clone(),
            passages: shown.clone(),
        };
        send(turn.events, retrieval).await;
        let drafting = self.draft(turn, &asking, begun, &mut found).staged("generate");
        let drafted = drafting.await?;
        let answer = self.still_shown(caller, drafted.answer).await?;
        for citation in answer.citations() {
            send(turn.events, AskEvent::Citation(citation.clone())).await;
        }

        // Keep before responding, after the check: what is kept was right a moment ago.
        if found.degraded.is_empty() {
            place.keep(&self.search.caches, &search.question, &answer, &shown);
        }
        let documents = shown.iter().map(|shown| shown.passage.document_id.clone()).collect();
        // What a guardrail keeps back is not given in another form.
        let is_unsupported = answer.refused_for() == Some(Refusal::Unsupported);
        let nearest = if is_unsupported { NEAREST_PASSAGES } else { 0 };
        let asked = Asked {
            query_id: turn.query_id.clone(),
            session_id: turn.session_id.clone(),
            standalone_question,
            answer,
            nearest: found.passages.into_iter().take(nearest).collect(),
            degraded: found.degraded,
            spent: turn.spent(),
            estimates: Estimates::default(),
            timings: AskTimings { total: millis(turn.started.elapsed()), ..drafted.timings },
            cache: place.cache_use(),
            experiment,
            documents,
            keeps_question: settings.audit.questions,
        };
        self.conclude(turn, asked).staged("record").await
    }

    /// Records before responding: nothing runs after the response.
    async fn conclude(&self, turn: &Turn<'_>, mut asked: Asked) -> Result<Asked, FlowError> {
        let (recorded, ()) = tokio::join!(self.record(turn, &asked), self.search.caches.settle());
        recorded?;
        // Last: the time of what was recorded is billed, too.
        asked.estimates = self.spending.prices.estimates(self.function, turn.started.elapsed());
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

/// A question on its way to an answer.
struct Turn<'a> {
    caller: &'a Caller,
    request: &'a AskRequest,
    events: &'a mpsc::Sender<AskEvent>,
    query_id: QueryId,
    session_id: SessionId,
    now: Timestamp,
    started: Instant,
    /// When the first piece of the answer was passed on.
    first_token: OnceLock<Duration>,
    bill: Bill,
}

impl Turn<'_> {
    /// Passes a piece of the answer on.
    async fn pass_on(&self, piece: String) {
        if !piece.is_empty() {
            self.first_token.get_or_init(|| self.started.elapsed());
            send(self.events, AskEvent::Token(piece)).await;
        }
    }

    /// Returns how long the first piece of the answer took, `None` when it came all at once.
    fn first_token(&self) -> Option<Duration> {
        self.first_token.get().copied()
    }

    /// Returns what the question used so far.
    fn spent(&self) -> Spent {
        self.bill.spent()
    }

    fn remaining(&self) -> Duration {
        self.request.time_budget.saturating_sub(self.started.elapsed())
    }

    /// Returns what a search for `question`, as this one is understood, asks for.
    fn search(&self, question: &Question) -> SearchRequest {
        let AskRequest { collection, filter, mmr, time_budget, cache, .. } = self.request;
        SearchRequest {
            collection: collection.clone(),
            question: question.clone(),
            filter: filter.clone(),
            limit: None,
            mmr: *mmr,
            per_document: None,
            grouped: false,
            collapses: true,
            time_budget: *time_budget,
            cache: *cache,
            session_id: Some(self.session_id.clone()),
        }
    }
}

/// Sends an event; a client that has gone is noticed when the answer is written, not here.
async fn send(events: &mpsc::Sender<AskEvent>, event: AskEvent) {
    if events.send(event).await.is_err() {
        tracing::debug!("nobody listens to the events of a question");
    }
}
