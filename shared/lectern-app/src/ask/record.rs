//! What a question leaves behind: usage (must not be lost) and the conversation (may be).

use std::time::Duration;

use lectern_core::{
    auth::Caller,
    ids::SessionId,
    ports::{ChatMessage, Role},
    time::Timestamp,
};
use lectern_tables::{
    sessions::{SessionMessage, Speaker},
    usage::Usage,
};
use tracing::warn;

use super::{Ask, AskRequest, Asked};
use crate::errors::FlowError;

/// Most messages of a conversation that are read.
pub(super) const MAX_HISTORY: usize = 12;

/// How long a conversation is kept after its last exchange.
pub(super) const SESSION_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Ask {
    /// Returns the newest messages of a conversation, oldest first.
    pub(crate) async fn history(
        &self,
        caller: &Caller,
        session_id: Option<&SessionId>,
    ) -> Result<Vec<ChatMessage>, FlowError> {
        let Some(session_id) = session_id else { return Ok(Vec::new()) };
        let sessions = self.tables.sessions();
        let now = self.clock.now();
        let messages = sessions.list(&caller.tenant, session_id, MAX_HISTORY, now).await?;
        let message = |stored: SessionMessage| ChatMessage {
            role: match stored.speaker {
                Speaker::User => Role::User,
                Speaker::Assistant => Role::Assistant,
            },
            content: stored.text,
        };
        Ok(messages.into_iter().map(message).collect())
    }

    /// Records usage and the two messages.
    pub(super) async fn record(
        &self,
        caller: &Caller,
        request: &AskRequest,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<(), FlowError> {
        let delta = Usage {
            requests: 1,
            prompt_tokens: u64::from(asked.spent.tokens.prompt),
            completion_tokens: u64::from(asked.spent.tokens.completion),
            cost_micro_usd: asked.spent.cost,
        };
        let usage = self.tables.usage();
        let sessions = self.tables.sessions();
        let message = |speaker: Speaker, text: &str| SessionMessage {
            query_id: asked.query_id.clone(),
            speaker,
            text: text.to_owned(),
            detail: serde_json::Map::new(),
            at: now,
        };
        let exchange = [
            message(Speaker::User, request.question.as_str()),
            message(Speaker::Assistant, asked.answer.text()),
        ];
        let (billed, remembered) = tokio::join!(
            usage.add(&caller.tenant, caller.key_id.as_ref(), &delta, now),
            sessions.append(&caller.tenant, &asked.session_id, &exchange, now + SESSION_TTL)
        );
        if let Err(error) = remembered {
            warn!(session.id = %asked.session_id, error = %lectern_core::errors::chain(&error), "failed to remember an exchange");
        }
        Ok(billed?)
    }
}
