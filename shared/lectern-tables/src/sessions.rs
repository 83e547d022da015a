//! Conversations: messages in order, forgotten after a while.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{KeyId, QueryId, SessionId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    MAX_PAGE,
    holdings::listed_session,
    item::{from_item, text_in, to_item},
    layout::{self, MESSAGE},
    range::Range,
    table::{BatchWrite, Table, alive, expiry},
    transaction::{Condition, Transacted, Write},
};

/// The field of a message's detail that says whose it is: the id of a subject.
pub const WHOSE: &str = "key_id";
/// Most messages that are added at once.
pub const MAX_ADDED: usize = 10;
/// Messages removed per round, and most rounds: 100 000 messages of one session.
const MESSAGES_PER_ROUND: usize = 100;
const MAX_ROUNDS: usize = 1_000;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person who asked.
    User,
    /// Lectern.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionMessage {
    /// The question it belongs to.
    pub query_id: QueryId,
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub text: String,
    /// What else a reader of the history needs, the citations for one.
    pub detail: Map<String, Value>,
    /// When it was said.
    pub at: Timestamp,
}

/// The conversations of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'tables> {
    pub(crate) table: &'tables Table,
}

impl Sessions<'_> {
    /// Adds up to [`MAX_ADDED`] messages, which are kept until `until`, and puts the conversation on the list of its subject,
    /// where there is one: all of it or nothing, so that what is kept can be found. Adding the same messages twice leaves one
    /// of each.
    ///
    /// # Errors
    /// `TooLarge` for too many messages and for one that is too long; when the table cannot be written.
    pub async fn append(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        subject: Option<&KeyId>,
        messages: &[SessionMessage],
        until: Timestamp,
    ) -> Result<(), PortError> {
        let operation = "append to session";
        let Some(last) = messages.last() else { return Ok(()) };
        if messages.len() > MAX_ADDED {
            return Err(PortError::bare(ErrorKind::TooLarge, operation));
        }
        let partition = layout::session(tenant, session);
        let added = messages.iter().map(|message| {
            let mut item = to_item(message);
            let role = message.speaker as u8;
            layout::message(&partition, message.at, &message.query_id, role).put_into(&mut item);
            item.insert("expires_at".to_owned(), expiry(until));
            item
        });
        let listed = subject.map(|subject| listed_session(tenant, subject, session, last, until));
        let writes = added.chain(listed).map(|item| Write::Put(item, Condition::default()));
        match self.table.transact(operation, writes.collect()).await? {
            Transacted::Written => Ok(()),
            Transacted::Refused(_) => unreachable!("it has no condition"),
        }
    }

    /// Returns the last `limit` (at most [`MAX_PAGE`]) messages, oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMessage>, PortError> {
        let operation = "read session";
        let partition = layout::session(tenant, session);
        let mut range = Range::prefixed(partition, MESSAGE, limit.clamp(1, MAX_PAGE));
        range.backwards = true;
        let (found, _) = self.table.range(operation, &range).await?;
        let alive = found.into_iter().rev().filter_map(|item| alive(item, now));
        alive.map(|item| from_item(operation, &item)).collect()
    }

    /// Removes a conversation; returns how many messages it had.
    ///
    /// # Errors
    /// When the table cannot be written; call it again.
    pub async fn delete(&self, tenant: &TenantId, session: &SessionId) -> Result<u64, PortError> {
        let operation = "delete session";
        let partition = layout::session(tenant, session);
        let mut deleted = 0;
        for _ in 0..MAX_ROUNDS {
            let range = Range::prefixed(partition.clone(), MESSAGE, MESSAGES_PER_ROUND);
            let (found, _) = self.table.range(operation, &range).await?;
            if found.is_empty() {
                break;
            }
            deleted += found.len() as u64;
            let sorts = found.iter().filter_map(|item| text_in(item, "SK"));
            let keys = sorts.map(|sk| layout::Key { pk: partition.clone(), sk: sk.to_owned() });
            self.table.batch_write(operation, keys.map(BatchWrite::Delete).collect()).await?;
        }
        Ok(deleted)
    }
}
