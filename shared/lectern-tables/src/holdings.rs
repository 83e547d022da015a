//! What is held on a subject (the holder of a key or of a token, the visitor of a page): which conversations it had, and what it
//! thought of answers. Listed with each exchange and each feedback, so that all of it can be shown and erased.
//!
//! A conversation's id comes from whoever asks, so that a conversation may have messages of others, too: each page below has
//! those of one subject. What is taken off the list was looked at as it stands on the list; an exchange or feedback that comes
//! meanwhile keeps its place there.

use std::collections::BTreeSet;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{IdError, KeyId, QueryId, SessionId, TenantId},
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    MAX_PAGE, Page,
    feedback::Feedback,
    item::{Item, from_item, number, number_in, text, text_in},
    layout::{self, HELD_FEEDBACK, HELD_SESSION, Key, MESSAGE},
    range::Range,
    sessions::{SessionMessage, WHOSE},
    table::{BatchWrite, Table, alive, expiry},
    transaction::{Condition, Transacted, Write},
};

/// Most entries of a subject's list that are counted.
pub const MAX_COUNTED: usize = 10_000;

const ERASE: &str = "erase what is held";
/// Attribute of an entry that changes with each exchange: its last question.
const LAST: &str = "last_query";

/// What is held on the subjects of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Holdings<'tables> {
    pub(crate) table: &'tables Table,
}

/// A conversation on a subject's list, as it stood there when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSession {
    /// Which.
    pub session_id: SessionId,
    /// Its last question then.
    last: String,
}

/// What is held on a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Conversations.
    pub conversations: u64,
    /// Answers it gave feedback on.
    pub feedback: u64,
}

/// What one step of an erasure did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Messages or feedback that are gone.
    pub removed: u64,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

impl Holdings<'_> {
    /// Returns up to `limit` (at most [`MAX_PAGE`]) of a subject's conversations by id, after the one in `cursor`. Some may
    /// have expired.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn sessions(
        &self,
        tenant: &TenantId,
        subject: &KeyId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<HeldSession>, PortError> {
        let operation = "list a subject's conversations";
        let mut range = held(tenant, subject, HELD_SESSION, limit);
        if let Some(cursor) = cursor {
            let id: SessionId = cursor.parse().map_err(|error| invalid(operation, error))?;
            range.after = Some(layout::held_session(tenant, subject, &id).to_item());
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let items: Vec<HeldSession> = found.iter().filter_map(held_session).collect();
        let next = last.and(items.last()).map(|entry| entry.session_id.to_string());
        Ok(Page { items, next })
    }

    /// Returns what a subject said in a conversation and was answered, oldest first: of up to `limit` (at most [`MAX_PAGE`])
    /// messages those that are its own. A page can be short, even empty, and have a successor.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn messages(
        &self,
        tenant: &TenantId,
        subject: &KeyId,
        session: &SessionId,
        limit: usize,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Page<SessionMessage>, PortError> {
        let operation = "read a subject's messages";
        let (found, next) = self.own(operation, tenant, subject, session, limit, cursor).await?;
        let alive = found.into_iter().filter_map(|item| alive(item, now));
        let items = alive.map(|item| from_item(operation, &item)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Removes a page of what a subject said in a conversation and was answered, and which variants of experiments these
    /// answers were made with.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no call returned; when the table cannot be written, call it again.
    pub async fn erase_messages(
        &self,
        tenant: &TenantId,
        subject: &KeyId,
        session: &SessionId,
        cursor: Option<&str>,
    ) -> Result<Erased, PortError> {
        let (found, next) = self.own(ERASE, tenant, subject, session, MAX_PAGE, cursor).await?;
        let partition = layout::session(tenant, session);
        let sorts = found.iter().filter_map(|item| text_in(item, "SK"));
        let messages = sorts.map(|sk| Key { pk: partition.clone(), sk: sk.to_owned() });
        // A question and its answer are of one query; a batch has no key twice.
        let queries: BTreeSet<QueryId> =
            found.iter().filter_map(|item| text_in(item, "query_id")?.parse().ok()).collect();
        let assignments = queries.iter().map(|query| layout::assignment(tenant, query));
        let writes = messages.chain(assignments).map(BatchWrite::Delete).collect();
        self.table.batch_write(ERASE, writes).await?;
        Ok(Erased { removed: found.len() as u64, next })
    }

    /// Takes a conversation off a subject's list, unless it went on since it was read; returns whether it did.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn unlist(
        &self,
        tenant: &TenantId,
        subject: &KeyId,
        session: &HeldSession,
    ) -> Result<bool, PortError> {
        let key = layout::held_session(tenant, subject, &session.session_id);
        let as_read = Condition::new(&format!("#{LAST} = :last"));
        self.table.delete(ERASE, &key, as_read.with(":last", text(&*session.last))).await
    }

    /// Returns a conversation as it stands on a subject's list.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn session(
        &self,
        tenant: &TenantId,
        subject: &KeyId,
        session: &SessionId,
    ) -> Result<Option<HeldSession>, PortError> {
        let key = layout::held_session(tenant, subject, session);
        let item = self.table.get("find a subject's conversation", &key).await?;
        Ok(item.as_ref().and_then(held_session))
    }

    /// Returns feedback a subject gave, by question: of up to `limit` (at most [`MAX_PAGE`]) that which nobody replaced. A page
    /// can be short, even empty, and have a successor.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn feedback(
        &self,
        tenant: &TenantId,
        subject: &KeyId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Feedback>, PortError> {
        let operation = "list a subject's feedback";
        let mut range = held(tenant, subject, HELD_FEEDBACK, limit);
        if let Some(cursor) = cursor {
            let id: QueryId = cursor.parse().map_err(|error| invalid(operation, error))?;
            range.after = Some(layout::held_feedback(tenant, subject, &id).to_item());
        }
        let (listed, last) = self.table.range(operation, &range).await?;
        let queries: Vec<QueryId> = listed.iter().filter_map(query_of).collect();
        let keys = queries.iter().map(|query| layout::feedback(tenant, query)).collect();
        let found = self.table.batch_get(operation, keys).await?;
        let mut items: Vec<Feedback> =
            found.iter().map(|item| from_item(operation, item)).collect::<Result<_, _>>()?;
        items.retain(|feedback| feedback.by.as_ref() == Some(subject));
        items.sort_by(|one, other| one.query_id.cmp(&other.query_id));
        Ok(Page { items, next: last.and(queries.last()).map(ToString::to_string) })
    }

    /// Removes up to `limit` (at most [`MAX_PAGE`]) feedbacks of a subject, the first of its list; what others replaced stays
    /// and is only taken off the list. `next` says whether the list had more than nothing: call it again until it has not.
    ///
    /// # Errors
    /// When the table cannot be written; call it again.
    pub async fn erase_feedback(
        &self,
        tenant: &TenantId,
        subject: &KeyId,
        limit: usize,
    ) -> Result<Erased, PortError> {
        let range = held(tenant, subject, HELD_FEEDBACK, limit);
        let (listed, _) = self.table.range(ERASE, &range).await?;
        let mut erased = Erased::default();
        for item in &listed {
            let Some(query) = query_of(item) else { continue };
            let key = layout::held_feedback(tenant, subject, &query);
            let as_read = Condition::new("#at = :at").with(":at", number(number_in(item, "at")));
            let own = Condition::new("#by = :by").with(":by", text(subject.as_str()));
            let writes = vec![
                Write::Delete(layout::feedback(tenant, &query), own),
                Write::Delete(key.clone(), as_read.clone()),
            ];
            match self.table.transact(ERASE, writes).await? {
                Transacted::Written => erased.removed += 1,
                Transacted::Refused(0) => {
                    self.table.delete(ERASE, &key, as_read).await?;
                }
                // Given anew meanwhile: the next call finds it.
                Transacted::Refused(_) => {}
            }
            erased.next = Some(query.to_string());
        }
        Ok(erased)
    }

    /// Counts what is on a subject's list, at most [`MAX_COUNTED`].
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn count(&self, tenant: &TenantId, subject: &KeyId) -> Result<Counted, PortError> {
        let range = held(tenant, subject, "", MAX_PAGE);
        let all = Range { sort: None, ..range };
        let pages = MAX_COUNTED / MAX_PAGE;
        let (found, _) = self.table.ranges("count what is held", all, MAX_COUNTED, pages).await?;
        let of = |prefix| {
            let sorts = found.iter().filter_map(|item| text_in(item, "SK"));
            sorts.filter(|sort| sort.starts_with(prefix)).count() as u64
        };
        Ok(Counted { conversations: of(HELD_SESSION), feedback: of(HELD_FEEDBACK) })
    }

    /// Returns the items of a subject's own messages among the next `limit` of a conversation, and where to go on.
    async fn own(
        &self,
        operation: &'static str,
        tenant: &TenantId,
        subject: &KeyId,
        session: &SessionId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<(Vec<Item>, Option<String>), PortError> {
        let partition = layout::session(tenant, session);
        let mut range = Range::prefixed(partition.clone(), MESSAGE, limit.clamp(1, MAX_PAGE));
        if let Some(cursor) = cursor {
            let sk = message_after(cursor).ok_or(PortError::bare(ErrorKind::Invalid, operation))?;
            range.after = Some(Key { pk: partition, sk }.to_item());
        }
        let (mut found, last) = self.table.range(operation, &range).await?;
        found.retain(|item| is_of(item, subject));
        let next = last.and_then(|last| {
            let place = text_in(&last, "SK")?.strip_prefix(MESSAGE)?;
            Some(place.replace('#', "-"))
        });
        Ok((found, next))
    }
}

/// Returns the item that puts a conversation on its subject's list.
pub(crate) fn listed_session(
    tenant: &TenantId,
    subject: &KeyId,
    session: &SessionId,
    last: &SessionMessage,
    until: Timestamp,
) -> Item {
    let mut item = layout::held_session(tenant, subject, session).to_item();
    item.insert(LAST.to_owned(), text(last.query_id.as_str()));
    item.insert("expires_at".to_owned(), expiry(until));
    item
}

/// Returns the item that puts feedback on its subject's list.
pub(crate) fn listed_feedback(feedback: &Feedback, subject: &KeyId) -> Item {
    let mut item = layout::held_feedback(&feedback.tenant, subject, &feedback.query_id).to_item();
    item.insert("at".to_owned(), number(feedback.at.as_millis()));
    item
}

fn held(tenant: &TenantId, subject: &KeyId, prefix: &str, limit: usize) -> Range {
    Range::prefixed(layout::held(tenant, subject), prefix, limit.clamp(1, MAX_PAGE))
}

fn held_session(item: &Item) -> Option<HeldSession> {
    let session_id = text_in(item, "SK")?.strip_prefix(HELD_SESSION)?.parse().ok()?;
    Some(HeldSession { session_id, last: text_in(item, LAST)?.to_owned() })
}

fn query_of(item: &Item) -> Option<QueryId> {
    text_in(item, "SK")?.strip_prefix(HELD_FEEDBACK)?.parse().ok()
}

fn is_of(item: &Item, subject: &KeyId) -> bool {
    let detail = text_in(item, "detail").and_then(|json| serde_json::from_str::<Value>(json).ok());
    detail.is_some_and(|detail| detail[WHOSE] == subject.as_str())
}

/// Returns the sort key of the message in a cursor, `{at}-{query}-{role}`.
fn message_after(cursor: &str) -> Option<String> {
    let mut parts = cursor.split('-');
    let (at, query, role) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let query: QueryId = query.parse().ok()?;
    let is_whole = parts.next().is_none() && is_number(at, 15) && is_number(role, 1);
    is_whole.then(|| format!("{MESSAGE}{at}#{query}#{role}"))
}

fn invalid(operation: &'static str, error: IdError) -> PortError {
    PortError::new(ErrorKind::Invalid, operation, error)
}
