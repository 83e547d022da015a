//! Conversations and feedback: reading, deleting, and what readers thought.

use lectern_core::{
    auth::{Caller, Permission},
    ids::{QueryId, SessionId},
    ports::ChatMessage,
};
use lectern_tables::feedback::{Feedback, Rating};

use crate::{ask::Ask, errors::FlowError};

/// Longest comment in bytes.
pub const MAX_COMMENT_BYTES: usize = 2_000;

/// What a reader thought of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFeedback {
    /// Id of the question.
    pub query_id: String,
    /// Whether it helped.
    pub helpful: bool,
    /// In words.
    pub comment: Option<String>,
}

impl Ask {
    /// Returns the newest messages of a conversation, oldest first.
    ///
    /// # Errors
    /// `NotFound` when it does not exist, has expired, or is another tenant's.
    pub async fn conversation(
        &self,
        caller: &Caller,
        session_id: &SessionId,
    ) -> Result<Vec<ChatMessage>, FlowError> {
        authorize(caller)?;
        let messages = self.history(caller, Some(session_id)).await?;
        if messages.is_empty() { Err(FlowError::NotFound("session")) } else { Ok(messages) }
    }

    /// Deletes a conversation; one that does not exist is fine.
    ///
    /// # Errors
    /// When the caller may not or the table fails.
    pub async fn forget_conversation(
        &self,
        caller: &Caller,
        session_id: &SessionId,
    ) -> Result<(), FlowError> {
        authorize(caller)?;
        self.tables.sessions().delete(&caller.tenant, session_id).await?;
        Ok(())
    }

    /// Records feedback; later feedback on the same question replaces it.
    ///
    /// # Errors
    /// When a field is wrong, the caller may not, or the table fails.
    pub async fn feedback(&self, caller: &Caller, new: NewFeedback) -> Result<(), FlowError> {
        authorize(caller)?;
        let query_id: QueryId =
            new.query_id.parse().map_err(|error| FlowError::field("/query_id", error))?;
        if new.comment.as_ref().is_some_and(|comment| comment.len() > MAX_COMMENT_BYTES) {
            let detail = format!("must have at most {MAX_COMMENT_BYTES} bytes");
            return Err(FlowError::field("/comment", detail));
        }
        let feedback = Feedback {
            tenant: caller.tenant.clone(),
            query_id,
            rating: if new.helpful { Rating::Up } else { Rating::Down },
            comment: new.comment,
            at: self.clock.now(),
        };
        Ok(self.tables.feedback().put(&feedback).await?)
    }
}

fn authorize(caller: &Caller) -> Result<(), FlowError> {
    if caller.may(Permission::Query) {
        Ok(())
    } else {
        Err(FlowError::Forbidden("it lacks the permission `query`"))
    }
}
