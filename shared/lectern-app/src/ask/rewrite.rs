//! A follow-up becomes a question that stands alone, and is searched for.
//!
//! The rule of [`lectern_core::followup`] decides whether a question leans on earlier ones. Where it may, a chat
//! model rewrites it, if there is one; without one, or when it fails, the rule's own reading is used.
//! A question that stands alone costs neither a call nor a second search.

use std::time::Duration;

use futures::StreamExt as _;
use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    followup::{self, Earlier, Reading, rewriting},
    ports::{ChatEvent, ChatMessage, ChatModel, ChatRequest, Role},
    question::Question,
};
use lectern_tables::sessions::SessionMessage;
use serde_json::Value;
use tracing::warn;

use super::{Ask, AskRequest, Turn, cached::Opened, record::STANDALONE};
use crate::{errors::FlowError, search::SearchRequest, spending::Bill};

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
        if let (Some(chat), true) = (self.chat.as_deref(), reading != Reading::Alone) {
            // Nobody who may not ask makes a model work.
            turn.search(&request.question).authorize(caller)?;
            if let Some(question) = rewrite(&turn.bill, chat, &earlier, request).await {
                return self.search_for(turn, question).await;
            }
        }
        match reading {
            Reading::Alone => self.search_for(turn, request.question.clone()).await,
            Reading::Follows(question) => self.search_for(turn, question).await,
            Reading::Unsure { with_topic, without } => {
                let (with_topic, without) = tokio::try_join!(
                    self.search_for(turn, with_topic),
                    self.search_for(turn, without)
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
    ) -> Result<Understood, FlowError> {
        let search = turn.search(&question);
        let opened = self.open(turn, &search).await?;
        let standalone_question = Some(question).filter(|asked| *asked != turn.request.question);
        Ok(Understood { search, opened, standalone_question })
    }
}

/// Returns the question as a model rewrites it; `None` when it fails, costs too much, or replies with something else.
async fn rewrite(
    bill: &Bill,
    chat: &dyn ChatModel,
    earlier: &[Earlier<'_>],
    request: &AskRequest,
) -> Option<Question> {
    let messages = rewriting::prompt(earlier, &request.question);
    let timeout = REWRITE_TIMEOUT.min(request.time_budget / 4);
    let replied = match tokio::time::timeout(timeout, reply(bill, chat, messages, timeout)).await {
        Ok(replied) => replied,
        Err(late) => Err(PortError::new(ErrorKind::Timeout, "rewrite", late).into()),
    };
    match replied {
        Ok(text) => rewriting::question_of(&text),
        Err(error) => {
            warn!(error = %chain(&error), "failed to rewrite a follow-up; using the rule");
            None
        }
    }
}

/// Returns the model's whole reply.
async fn reply(
    bill: &Bill,
    chat: &dyn ChatModel,
    messages: Vec<ChatMessage>,
    timeout: Duration,
) -> Result<String, FlowError> {
    let request =
        ChatRequest { messages, max_tokens: MAX_REWRITE_TOKENS, temperature: 0.0, timeout };
    let mut stream = bill.stream(chat, request).await?;
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        match event? {
            ChatEvent::Token(piece) => text.push_str(&piece),
            ChatEvent::Done { truncated: true, .. } => {
                return Err(PortError::bare(ErrorKind::TooLarge, "rewrite").into());
            }
            ChatEvent::Done { .. } => return Ok(text),
            // The answer is guarded as well.
            ChatEvent::Withheld { .. } => {
                return Err(PortError::bare(ErrorKind::Invalid, "rewrite").into());
            }
        }
        if text.len() > MAX_REPLY_BYTES {
            return Err(PortError::bare(ErrorKind::TooLarge, "rewrite").into());
        }
    }
    Err(PortError::bare(ErrorKind::Unavailable, "rewrite").into())
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
