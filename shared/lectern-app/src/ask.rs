//! One question: retrieve → prompt → generate → verify → record → answer.

mod chat;
mod record;
mod reply;

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
    experiment::{self, Assignments},
    extract,
    filter::Filter,
    ids::{CollectionId, DocumentId, QueryId, SessionId},
    passage::{Passage, ScoredPassage},
    ports::{ChatMessage, ChatModel, TokenCount},
    pricing::{MicroDollars, PriceTable},
    prompt::{self, PromptBudget},
    question::Question,
    settings::CollectionSettings,
};
use lectern_tables::Tables;
use serde::Serialize;
use tokio::sync::mpsc;
use tracing::info;

use crate::{
    clock::{Clock, entropy},
    conversation::is_open,
    errors::FlowError,
    experiments,
    search::{Search, SearchRequest, millis},
};

/// Passages a question is answered from.
pub const ANSWER_PASSAGES: usize = 8;
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
    /// The conversation it belongs to; a new one without.
    pub session_id: Option<SessionId>,
    /// How long the whole answer may take.
    pub time_budget: Duration,
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
    /// Turning the question into a vector.
    pub embed: f64,
    /// Finding and checking passages.
    pub retrieve: f64,
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

/// An answered question.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Id of the question.
    pub query_id: QueryId,
    /// Id of the conversation.
    pub session_id: SessionId,
    /// The verified answer.
    pub answer: Answer,
    /// The nearest passages, when it was refused.
    pub nearest: Vec<ScoredPassage>,
    /// What it used.
    pub spent: Spent,
    /// Where the time went.
    pub timings: AskTimings,
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

        // What the index finds, the conversation so far and the settings do not depend on each other.
        let search = search_request(request);
        let settings =
            async { Ok(experiments::declared(&self.tables, caller, &request.collection).await?) };
        let (similar, history, settings) = tokio::try_join!(
            self.search.similar(caller, &search),
            self.history(caller, request.session_id.as_ref()),
            settings
        )?;
        let (settings, experiment) =
            experiment::effective(&settings, caller.key_id.as_ref(), &session_id);

        // The model is asked while the records are checked; nothing of its reply is passed on before,
        // and if the check changes the passages it is asked again.
        let hopeful = similar.hopeful(ANSWER_PASSAGES);
        let remaining = || request.time_budget.saturating_sub(started.elapsed());
        let generating = Instant::now();
        let (found, early) = tokio::join!(
            self.search.check(caller, &search, similar),
            self.begin(&settings, &request.question, &hopeful, &history, remaining())
        );
        let found = found?;
        let passages: Vec<Passage> =
            found.passages.iter().map(|scored| scored.passage.clone()).collect();
        let begun = match early {
            early if passages == hopeful => early,
            _ => self.begin(&settings, &request.question, &passages, &history, remaining()).await,
        };
        let retrieval = AskEvent::Retrieval {
            query_id: query_id.clone(),
            session_id: session_id.clone(),
            passages: found.passages.clone(),
        };
        send(events, retrieval).await;

        // Draft and verify; without a model, or without anything to tell it, choose sentences.
        let mut timings = AskTimings {
            embed: found.timings.embed,
            retrieve: found.timings.retrieve,
            ..AskTimings::default()
        };
        let mut spent = Spent::default();
        let answer = match begun? {
            Some((chat, begun)) => {
                let used = begun.passages_used;
                let reply = reply::collect(begun, events).await?;
                timings.generate = millis(generating.elapsed());
                let cost = self.prices.cost(chat.model(), reply.tokens);
                spent = Spent { tokens: reply.tokens, cost };
                let verifying = Instant::now();
                let answer = citations::verify(&Draft::new(reply.text), &passages[..used]);
                timings.verify = millis(verifying.elapsed());
                answer
            }
            None => {
                let choosing = Instant::now();
                let answer = extract::answer(&request.question, &passages);
                timings.verify = millis(choosing.elapsed());
                answer
            }
        };
        let answer = self.still_shown(caller, answer).await?;
        for citation in answer.citations() {
            send(events, AskEvent::Citation(citation.clone())).await;
        }

        // Record before responding: nothing runs after the response.
        let shown = if answer.is_refused() { NEAREST_PASSAGES } else { 0 };
        let nearest = found.passages.into_iter().take(shown).collect();
        timings.total = millis(started.elapsed());
        let asked = Asked { query_id, session_id, answer, nearest, spent, timings, experiment };
        self.record(caller, request, &asked, now).await?;
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

    /// Sends the prompt, where there is a model and anything to tell it.
    async fn begin(
        &self,
        settings: &CollectionSettings,
        question: &Question,
        passages: &[Passage],
        history: &[ChatMessage],
        timeout: Duration,
    ) -> Result<Option<(&dyn ChatModel, reply::Begun)>, PortError> {
        let Some(chat) = self.chat(settings).filter(|_| !passages.is_empty()) else {
            return Ok(None);
        };
        let prompt =
            prompt::assemble(settings.answers.prompt, question, passages, history, self.budget);
        let begun = reply::begin(chat, prompt, timeout).await?;
        Ok(Some((chat, begun)))
    }
}

fn log(asked: &Asked) {
    info!(
        query.id = %asked.query_id,
        refused = asked.answer.is_refused(),
        citations = asked.answer.citations().len(),
        supported_ratio = asked.answer.supported_ratio(),
        prompt_tokens = asked.spent.tokens.prompt,
        completion_tokens = asked.spent.tokens.completion,
        duration_ms = asked.timings.total,
        "answered a question"
    );
}

fn search_request(request: &AskRequest) -> SearchRequest {
    SearchRequest {
        collection: request.collection.clone(),
        question: request.question.clone(),
        filter: request.filter.clone(),
        limit: ANSWER_PASSAGES,
    }
}

/// Sends an event; a client that has gone is noticed when the answer is written, not here.
async fn send(events: &mpsc::Sender<AskEvent>, event: AskEvent) {
    if events.send(event).await.is_err() {
        tracing::debug!("nobody listens to the events of a question");
    }
}
