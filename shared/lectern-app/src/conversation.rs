//! Conversations and feedback: reading, deleting, and what readers thought.

use std::collections::HashSet;

use lectern_core::{
    auth::{Caller, Permission},
    document::{Document, DocumentState},
    ids::{DocumentId, QueryId, SessionId},
    ports::{ChatMessage, Role},
};
use lectern_tables::{
    feedback::{Feedback, Rating},
    sessions::{SessionMessage, Speaker},
};

use crate::{
    ask::{Ask, CITED},
    errors::FlowError,
    experiments,
};

/// Longest comment in bytes.
pub const MAX_COMMENT_BYTES: usize = 2_000;

/// What stands in place of an answer whose sources are gone.
pub const WITHDRAWN: &str = "This answer is withheld: a document it cites was deleted or closed.";

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
        let messages = self.own_messages(caller, session_id).await?;
        if messages.is_empty() {
            return Err(FlowError::NotFound("session"));
        }
        let ids: HashSet<DocumentId> = messages.iter().flat_map(cited).collect();
        let ids: Vec<DocumentId> = ids.into_iter().collect();
        let documents = self.tables.documents().get_many(&caller.tenant, &ids).await?;
        // What quotes a document that is gone or closed to the caller is not shown again.
        let is_shown = |message: &SessionMessage| {
            cited(message).iter().all(|id| is_open(caller, &documents, id))
        };
        let shown = messages.iter().map(|message| match message.speaker {
            Speaker::User => ChatMessage { role: Role::User, content: message.text.clone() },
            Speaker::Assistant if is_shown(message) => {
                ChatMessage { role: Role::Assistant, content: message.text.clone() }
            }
            Speaker::Assistant => {
                ChatMessage { role: Role::Assistant, content: WITHDRAWN.to_owned() }
            }
        });
        Ok(shown.collect())
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
        if self.own_messages(caller, session_id).await?.is_empty() {
            return Ok(());
        }
        let (tenant, holdings) = (&caller.tenant, self.tables.holdings());
        // As it is before: what comes meanwhile stays on its subject's list.
        let listed = match caller.subject() {
            Some(subject) => holdings.session(tenant, subject, session_id).await?,
            None => None,
        };
        self.tables.sessions().delete(tenant, session_id).await?;
        if let (Some(subject), Some(listed)) = (caller.subject(), listed) {
            holdings.unlist(tenant, subject, &listed).await?;
        }
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
            by: caller.subject().cloned(),
            at: self.clock.now(),
        };
        self.tables.feedback().put(&feedback).await?;
        let Feedback { query_id, rating, at, .. } = &feedback;
        experiments::count_rating(&self.tables, caller, query_id, *rating, *at).await;
        Ok(())
    }
}

/// Returns the documents a message cites.
pub(crate) fn cited(message: &SessionMessage) -> Vec<DocumentId> {
    let cited = message.detail.get(CITED).cloned().unwrap_or_default();
    serde_json::from_value(cited).unwrap_or_default()
}

/// Whether a document is among those that exist, is not being deleted, and is the caller's to see.
pub(crate) fn is_open(caller: &Caller, documents: &[Document], id: &DocumentId) -> bool {
    let document = documents.iter().find(|document| document.id == *id);
    document
        .is_some_and(|found| found.state != DocumentState::Deleting && caller.may_see(&found.acl))
}

fn authorize(caller: &Caller) -> Result<(), FlowError> {
    if caller.may(Permission::Query) {
        Ok(())
    } else {
        Err(FlowError::Forbidden("it lacks the permission `query`"))
    }
}
