//! What a question leaves behind: usage (must not be lost), the conversation and counts of experiments (may be).

use std::time::Duration;

use lectern_core::{auth::Caller, ids::SessionId};
use lectern_tables::sessions::{SessionMessage, Speaker, WHOSE};
use serde_json::{Map, Value, json};
use tracing::warn;

use super::{Ask, Asked, Turn};
use crate::{errors::FlowError, experiments};

/// The documents an answer cites, in a message's detail.
pub(crate) const CITED: &str = "cited";
/// A question as it was understood, in a message's detail, where that differs from what was asked.
pub(crate) const STANDALONE: &str = "standalone_question";
/// Most messages of a conversation that are read.
pub(super) const MAX_HISTORY: usize = 12;

/// How long a conversation is kept after its last exchange.
pub(super) const SESSION_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Ask {
    /// Returns the caller's own questions of a conversation, oldest first.
    ///
    /// Earlier answers are left out: they hold text of documents that may be deleted or closed to the
    /// caller by now.
    pub(super) async fn history(
        &self,
        caller: &Caller,
        session_id: Option<&SessionId>,
    ) -> Result<Vec<SessionMessage>, FlowError> {
        let Some(session_id) = session_id else { return Ok(Vec::new()) };
        let mut messages = self.own_messages(caller, session_id).await?;
        messages.retain(|message| message.speaker == Speaker::User);
        Ok(messages)
    }

    /// Returns the newest messages of a conversation that the caller's key had.
    pub(crate) async fn own_messages(
        &self,
        caller: &Caller,
        session_id: &SessionId,
    ) -> Result<Vec<SessionMessage>, FlowError> {
        let now = self.clock.now();
        let sessions = self.tables.sessions();
        let mut messages = sessions.list(&caller.tenant, session_id, MAX_HISTORY, now).await?;
        messages.retain(|message| message.detail.get(WHOSE) == Some(&key_of(caller)));
        Ok(messages)
    }

    /// Records usage, the two messages and the outcome for experiments.
    pub(super) async fn record(&self, turn: &Turn<'_>, asked: &Asked) -> Result<(), FlowError> {
        let Turn { caller, request, now, .. } = *turn;
        let sessions = self.tables.sessions();
        let cited = asked.answer.citations().iter();
        let cited: Vec<Value> = cited.map(|citation| json!(citation.document_id)).collect();
        let mut detail = Map::from_iter([
            (WHOSE.to_owned(), key_of(caller)),
            (CITED.to_owned(), Value::from(cited)),
        ]);
        if let Some(understood) = &asked.standalone_question {
            detail.insert(STANDALONE.to_owned(), understood.as_str().into());
        }
        let message = |speaker: Speaker, text: &str| SessionMessage {
            query_id: asked.query_id.clone(),
            speaker,
            text: text.to_owned(),
            detail: detail.clone(),
            at: now,
        };
        let exchange = [
            message(Speaker::User, request.question.as_str()),
            message(Speaker::Assistant, asked.answer.text()),
        ];
        let (session_id, until) = (&asked.session_id, now + SESSION_TTL);
        let remembering =
            sessions.append(&caller.tenant, session_id, caller.subject(), &exchange, until);
        let (billed, remembered, ()) = tokio::join!(
            turn.bill.settle(),
            remembering,
            experiments::count(&self.tables, caller, &request.collection, asked, now)
        );
        if let Err(error) = remembered {
            warn!(session.id = %asked.session_id, error = %lectern_core::errors::chain(&error), "failed to remember an exchange");
        }
        Ok(billed?)
    }
}

/// Whose a conversation is.
fn key_of(caller: &Caller) -> Value {
    caller.subject().map_or(Value::Null, |id| id.as_str().into())
}
