//! A follow-up becomes a question that stands alone, and is searched for.
//!
//! The rule of [`lectern_core::followup`] decides whether a question leans on earlier ones. Where it may, a chat
//! model rewrites it, if there is one; without one, or when it fails, the rule's own reading is used.
//! A question that stands alone costs neither a call nor a second search.

use std::time::Duration;

use futures::StreamExt as _;
use lectern_core::{
    chunking::estimate_tokens,
    errors::{ErrorKind, PortError, chain},
    followup::{self, Earlier, Reading, rewriting},
    ports::{ChatEvent, ChatMessage, ChatModel, ChatRequest, Role, TokenCount},
    question::Question,
};
use lectern_tables::sessions::SessionMessage;
use serde_json::Value;
use tracing::warn;

use super::{Ask, AskRequest, Spent, Turn, cached::Opened, record::STANDALONE};
use crate::{errors::FlowError, search::SearchRequest};

/// How long a model may take to rewrite a question.
pub(super) const REWRITE_TIMEOUT: Duration = Duration::from_secs(3);
/// Most tokens of a rewritten question.
pub(super) const MAX_REWRITE_TOKENS: u32 = 96;
/// Longest reply in bytes that is waited for, whatever the model was told.
const MAX_REPLY_BYTES: usize = 4_096;

/// A question as it is understood, and what the index finds for it.
pub(super) struct Understood {
    /// What was searched for.
    pub(super) search: SearchRequest,
    /// An earlier answer to it, or what was found.
    pub(super) opened: Opened,
    /// The question as it was understood, where that differs from what was asked.
    pub(super) standalone_question: Option<Question>,
    /// What rewriting used.
    pub(super) spent: Spent,
}

impl Ask {
    /// Searches for the question as it is to be understood after `turns`, oldest first.
    pub(super) async fn understand(
        &self,
        turn: &Turn<'_>,
        turns: &[SessionMessage],
    ) -> Result<Understood, FlowError> {
        let Turn { caller, request, .. } = *turn;
        let earlier: Vec<Earlier<'_>> = turns.iter().map(earlier).collect();
        let reading = followup::read(&earlier, &request.question);
        let mut spent = Spent::default();
        if let (Some(chat), true) = (self.chat.as_deref(), reading != Reading::Alone) {
            // Nobody who may not ask makes a model work.
            turn.search(&request.question).authorize(caller)?;
            let (rewritten, used) = self.rewrite(chat, &earlier, request).await;
            spent = used;
            if let Some(question) = rewritten {
                return self.search_for(turn, question, spent).await;
            }
        }
        match reading {
            Reading::Alone => self.search_for(turn, request.question.clone(), spent).await,
            Reading::Follows(question) => self.search_for(turn, question, spent).await,
            Reading::Unsure { with_topic, without } => {
                let (with_topic, without) = tokio::try_join!(
                    self.search_for(turn, with_topic, spent),
                    self.search_for(turn, without, spent)
                )?;
                let best = |found: &Understood| found.opened.best();
                let follows = followup::favours_topic(
                    &request.question,
                    &with_topic.search.question,
                    best(&with_topic).as_ref(),
                    best(&without).as_ref(),
                );
                Ok(if follows { with_topic } else { without })
            }
        }
    }

    async fn search_for(
        &self,
        turn: &Turn<'_>,
        question: Question,
        spent: Spent,
    ) -> Result<Understood, FlowError> {
        let search = turn.search(&question);
        let opened = self.open(turn.caller, turn.request, &search).await?;
        let standalone_question = Some(question).filter(|asked| *asked != turn.request.question);
        Ok(Understood { search, opened, standalone_question, spent })
    }

    /// Returns the question as a model rewrites it, and what that used; `None` when it fails or replies
    /// with something else.
    async fn rewrite(
        &self,
        chat: &dyn ChatModel,
        earlier: &[Earlier<'_>],
        request: &AskRequest,
    ) -> (Option<Question>, Spent) {
        let messages = rewriting::prompt(earlier, &request.question);
        let sent = messages.iter().map(|message| estimate_tokens(&message.content)).sum();
        let timeout = REWRITE_TIMEOUT.min(request.time_budget / 4);
        let mut used = TokenCount::default();
        let asking = reply(chat, messages, sent, timeout, &mut used);
        let replied = match tokio::time::timeout(timeout, asking).await {
            Ok(replied) => replied,
            Err(late) => Err(PortError::new(ErrorKind::Timeout, "rewrite", late)),
        };
        let question = match replied {
            Ok(text) => rewriting::question_of(&text),
            Err(error) => {
                warn!(error = %chain(&error), "failed to rewrite a follow-up; using the rule");
                None
            }
        };
        let cost = self.prices.cost(chat.model(), used);
        (question, Spent { tokens: used, cost })
    }
}

/// Returns the model's whole reply; keeps what is spent in `used`, also when it fails half-way.
async fn reply(
    chat: &dyn ChatModel,
    messages: Vec<ChatMessage>,
    sent: usize,
    timeout: Duration,
    used: &mut TokenCount,
) -> Result<String, PortError> {
    let request =
        ChatRequest { messages, max_tokens: MAX_REWRITE_TOKENS, temperature: 0.0, timeout };
    let mut stream = chat.stream(request).await?;
    let estimate = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    used.prompt = estimate(sent);
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        match event? {
            ChatEvent::Token(piece) => {
                text.push_str(&piece);
                used.completion = estimate(estimate_tokens(&text));
            }
            ChatEvent::Done { truncated: true, .. } => {
                return Err(PortError::bare(ErrorKind::TooLarge, "rewrite"));
            }
            ChatEvent::Done { usage, .. } => {
                *used = usage.unwrap_or(*used);
                return Ok(text);
            }
        }
        if text.len() > MAX_REPLY_BYTES {
            return Err(PortError::bare(ErrorKind::TooLarge, "rewrite"));
        }
    }
    Err(PortError::bare(ErrorKind::Unavailable, "rewrite"))
}

/// Returns the questions of a conversation as a model is shown them.
pub(super) fn spoken(turns: &[SessionMessage]) -> Vec<ChatMessage> {
    let message =
        |turn: &SessionMessage| ChatMessage { role: Role::User, content: turn.text.clone() };
    turns.iter().map(message).collect()
}

fn earlier(turn: &SessionMessage) -> Earlier<'_> {
    let standalone = turn.detail.get(STANDALONE).and_then(Value::as_str);
    Earlier { question: &turn.text, standalone }
}
