//! Everything that is held on a subject, page by page.

use std::{collections::HashSet, time::Duration};

use lectern_core::{
    auth::{ApiKey, Caller},
    document::Document,
    errors::{ErrorKind, PortError},
    ids::{DocumentId, KeyId, QueryId, SessionId},
    time::Timestamp,
};
use lectern_tables::{
    MAX_PAGE,
    budget::{Ledger, MonthSpent},
    documents::MAX_MANY,
    feedback::Feedback,
    sessions::{SessionMessage, Speaker},
    usage::UsageDay,
};
use serde_json::Value;

use super::{Subjects, place::Place};
use crate::{
    ask::STANDALONE,
    conversation::{WITHDRAWN, cited, is_open},
    errors::FlowError,
};

/// Messages, feedback and days of usage of one page; it can have fewer, even none, and have a successor.
pub const MAX_RECORDS: usize = 200;
/// Most pages that are read of the table for one page of this.
pub const MAX_READS: usize = 100;
/// Days of usage that are looked for, back from today: five years.
pub const USAGE_DAYS: u32 = 1_830;
/// Months of the ledger that are looked for, back from this one.
pub const LEDGER_MONTHS: u32 = 60;
/// Days of usage that are read at once.
const DAYS_AT_ONCE: u32 = 100;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A message of a subject's conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldMessage {
    /// The question it belongs to.
    pub query_id: QueryId,
    /// Who said it.
    pub speaker: Speaker,
    /// What was said; [`WITHDRAWN`] for an answer that cites a document that is gone, or is not the caller's to see.
    pub text: String,
    /// The question as it was understood, where that differs from what was asked.
    pub standalone_question: Option<String>,
    /// When it was said.
    pub at: Timestamp,
    cited: Vec<DocumentId>,
}

/// Messages of one conversation. A long one goes on with the next page.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldConversation {
    /// Which.
    pub session_id: SessionId,
    /// What the subject asked, and was answered.
    pub messages: Vec<HeldMessage>,
}

/// A page of what is held on a subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeldOnSubject {
    /// The record of the key, where the subject is one; on the first page.
    pub key: Option<ApiKey>,
    /// What was spent by month, newest first, at most [`LEDGER_MONTHS`]; on the first page.
    pub ledger: Vec<MonthSpent>,
    /// Conversations that have not expired, by id, which is by time.
    pub conversations: Vec<HeldConversation>,
    /// What it thought of answers.
    pub feedback: Vec<Feedback>,
    /// What was used on the last [`USAGE_DAYS`] days, newest first.
    pub usage: Vec<UsageDay>,
    /// The cursor of the next page; `None` when this was all.
    pub next: Option<String>,
}

/// A page while it is filled.
struct Filling<'a> {
    caller: &'a Caller,
    subject: &'a KeyId,
    now: Timestamp,
    page: HeldOnSubject,
    records: usize,
    reads: usize,
}

impl Filling<'_> {
    fn room(&self) -> usize {
        MAX_RECORDS.saturating_sub(self.records).min(MAX_PAGE)
    }

    fn is_full(&self) -> bool {
        self.records >= MAX_RECORDS || self.reads >= MAX_READS
    }

    fn add_messages(&mut self, session_id: &SessionId, messages: Vec<SessionMessage>) {
        if messages.is_empty() {
            return;
        }
        self.records += messages.len();
        let messages = messages.into_iter().map(HeldMessage::from).collect();
        let session_id = session_id.clone();
        self.page.conversations.push(HeldConversation { session_id, messages });
    }
}

impl Subjects {
    /// Returns a page of what is held on a subject of the caller's account. One nothing is held on has an empty page.
    ///
    /// # Errors
    /// When the caller is no administrator, the cursor is none that a page returned, or the table fails.
    pub async fn show(
        &self,
        caller: &Caller,
        subject: &KeyId,
        cursor: Option<&str>,
    ) -> Result<HeldOnSubject, FlowError> {
        self.authorize(caller)?;
        let no_cursor = || FlowError::field("/cursor", "must be the `next` of a page");
        let now = self.clock.now();
        let place = cursor.map(|raw| raw.parse::<Place>().map_err(|()| no_cursor())).transpose()?;
        let page = if place.is_none() {
            self.first(caller, subject, now).await?
        } else {
            HeldOnSubject::default()
        };
        let mut filling = Filling { caller, subject, now, page, records: 0, reads: 0 };
        let filled = self.fill(&mut filling, place.unwrap_or(Place::Sessions(None))).await;
        let next = filled.map_err(|error| match error.kind {
            ErrorKind::Invalid => no_cursor(),
            _ => error.into(),
        })?;
        let mut page = filling.page;
        page.next = next.map(|place| place.to_string());
        self.withhold(caller, &mut page).await?;
        Ok(page)
    }

    /// Returns what stands on the first page alone.
    async fn first(
        &self,
        caller: &Caller,
        subject: &KeyId,
        now: Timestamp,
    ) -> Result<HeldOnSubject, PortError> {
        let (keys, budgets) = (self.tables.keys(), self.tables.budgets());
        let ledger = Ledger { tenant: &caller.tenant, key: Some(subject) };
        let (key, ledger) = tokio::try_join!(
            keys.get(&caller.tenant, subject),
            budgets.months(ledger, now, LEDGER_MONTHS)
        )?;
        Ok(HeldOnSubject { key, ledger, ..HeldOnSubject::default() })
    }

    /// Reads on from a place until the page is full; returns where the next one begins.
    async fn fill(
        &self,
        filling: &mut Filling<'_>,
        begin: Place,
    ) -> Result<Option<Place>, PortError> {
        let mut place = begin;
        while !filling.is_full() {
            let next = match place {
                Place::Sessions(after) => Some(self.conversations(filling, after).await?),
                Place::Messages(session, after) => {
                    Some(self.messages(filling, session, Some(&after)).await?)
                }
                Place::Feedback(after) => Some(self.feedback(filling, after).await?),
                Place::Usage(last, days) => self.usage(filling, last, days).await?,
            };
            match next {
                Some(next) => place = next,
                None => return Ok(None),
            }
        }
        Ok(Some(place))
    }

    async fn conversations(
        &self,
        filling: &mut Filling<'_>,
        after: Option<SessionId>,
    ) -> Result<Place, PortError> {
        let (tenant, cursor) = (&filling.caller.tenant, after.as_ref().map(SessionId::as_str));
        let holdings = self.tables.holdings();
        let listed = holdings.sessions(tenant, filling.subject, filling.room(), cursor).await?;
        filling.reads += 1;
        let mut last = after;
        for session in listed.items {
            if filling.is_full() {
                return Ok(Place::Sessions(last));
            }
            let session_id = session.session_id;
            match self.messages(filling, session_id.clone(), None).await? {
                Place::Sessions(_) => last = Some(session_id),
                within => return Ok(within),
            }
        }
        Ok(if listed.next.is_some() { Place::Sessions(last) } else { Place::Feedback(None) })
    }

    /// Reads a page of a conversation; returns where to go on, in it or after it.
    async fn messages(
        &self,
        filling: &mut Filling<'_>,
        session: SessionId,
        after: Option<&str>,
    ) -> Result<Place, PortError> {
        let Filling { caller, subject, now, .. } = *filling;
        let (holdings, room) = (self.tables.holdings(), filling.room());
        let page = holdings.messages(&caller.tenant, subject, &session, room, after, now).await?;
        filling.reads += 1;
        filling.add_messages(&session, page.items);
        Ok(match page.next {
            Some(after) => Place::Messages(session, after),
            None => Place::Sessions(Some(session)),
        })
    }

    async fn feedback(
        &self,
        filling: &mut Filling<'_>,
        after: Option<QueryId>,
    ) -> Result<Place, PortError> {
        let (tenant, cursor) = (&filling.caller.tenant, after.as_ref().map(QueryId::as_str));
        let holdings = self.tables.holdings();
        let page = holdings.feedback(tenant, filling.subject, filling.room(), cursor).await?;
        filling.reads += 1;
        filling.records += page.items.len();
        filling.page.feedback.extend(page.items);
        match page.next.map(|next| next.parse()) {
            None => Ok(Place::Usage(filling.now, 0)),
            Some(Ok(query)) => Ok(Place::Feedback(Some(query))),
            Some(Err(error)) => Err(PortError::new(ErrorKind::Internal, "list feedback", error)),
        }
    }

    async fn usage(
        &self,
        filling: &mut Filling<'_>,
        last: Timestamp,
        days: u32,
    ) -> Result<Option<Place>, PortError> {
        if days >= USAGE_DAYS {
            return Ok(None);
        }
        let (usage, at_once) = (self.tables.usage(), DAYS_AT_ONCE.min(USAGE_DAYS - days));
        let (tenant, from) = (&filling.caller.tenant, last.before(DAY * days));
        let rows = usage.of(tenant, filling.subject, from, at_once).await?;
        filling.reads += 1;
        filling.records += rows.len();
        filling.page.usage.extend(rows);
        Ok(Some(Place::Usage(last, days + at_once)).filter(|_| days + at_once < USAGE_DAYS))
    }

    /// Takes away what quotes a document that is gone or closed to the caller, as reading a conversation does.
    async fn withhold(&self, caller: &Caller, page: &mut HeldOnSubject) -> Result<(), PortError> {
        let messages = page.conversations.iter().flat_map(|one| &one.messages);
        let ids: HashSet<DocumentId> =
            messages.flat_map(|message| message.cited.iter().cloned()).collect();
        let ids: Vec<DocumentId> = ids.into_iter().collect();
        let mut documents: Vec<Document> = Vec::new();
        for ids in ids.chunks(MAX_MANY) {
            documents.extend(self.tables.documents().get_many(&caller.tenant, ids).await?);
        }
        for message in page.conversations.iter_mut().flat_map(|one| &mut one.messages) {
            let is_shown = message.cited.iter().all(|id| is_open(caller, &documents, id));
            if message.speaker == Speaker::Assistant && !is_shown {
                WITHDRAWN.clone_into(&mut message.text);
            }
        }
        Ok(())
    }
}

impl From<SessionMessage> for HeldMessage {
    fn from(message: SessionMessage) -> Self {
        let understood = message.detail.get(STANDALONE).and_then(Value::as_str);
        Self {
            standalone_question: understood.map(str::to_owned),
            cited: cited(&message),
            query_id: message.query_id,
            speaker: message.speaker,
            text: message.text,
            at: message.at,
        }
    }
}
