//! What readers thought of answers.

use lectern_core::{
    errors::PortError,
    ids::{KeyId, QueryId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    holdings::listed_feedback,
    item::{from_item, to_item},
    layout,
    table::Table,
    transaction::{Condition, Transacted, Write},
};

/// A thumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// The answer helped.
    Up,
    /// It did not.
    Down,
}

/// What a reader thought of one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Whose question.
    pub tenant: TenantId,
    /// The question.
    pub query_id: QueryId,
    /// The thumb.
    pub rating: Rating,
    /// In the reader's words.
    pub comment: Option<String>,
    /// Who gave it: the id of a subject, none for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<KeyId>,
    /// When it was given.
    pub at: Timestamp,
}

/// The feedback of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Feedbacks<'tables> {
    pub(crate) table: &'tables Table,
}

impl Feedbacks<'_> {
    /// Stores feedback, and puts it on the list of who gave it; later feedback on the same question replaces earlier.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put(&self, feedback: &Feedback) -> Result<(), PortError> {
        let mut item = to_item(feedback);
        layout::feedback(&feedback.tenant, &feedback.query_id).put_into(&mut item);
        let listed = feedback.by.as_ref().map(|by| listed_feedback(feedback, by));
        let writes = [Some(item), listed].into_iter().flatten();
        let writes = writes.map(|item| Write::Put(item, Condition::default())).collect();
        match self.table.transact("put feedback", writes).await? {
            Transacted::Written => Ok(()),
            Transacted::Refused(_) => unreachable!("it has no condition"),
        }
    }

    /// Returns the feedback on a question.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(
        &self,
        tenant: &TenantId,
        query: &QueryId,
    ) -> Result<Option<Feedback>, PortError> {
        let operation = "get feedback";
        let item = self.table.get(operation, &layout::feedback(tenant, query)).await?;
        item.map(|item| from_item(operation, &item)).transpose()
    }
}
