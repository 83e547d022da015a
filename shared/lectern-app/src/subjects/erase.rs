//! A subject's conversations and feedback go.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use lectern_core::{auth::Caller, errors::PortError, ids::KeyId, time::Timestamp};
use lectern_tables::{MAX_PAGE, holdings::HeldSession};
use tracing::info;

use super::Subjects;
use crate::errors::FlowError;

/// Conversations of one step: between two steps it is looked whether there is time left.
pub(super) const CONVERSATIONS_PER_STEP: usize = 25;
/// Conversations that are erased at the same time.
const AT_ONCE: usize = 8;

/// What became of what was held on a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectReceipt {
    /// Whether nothing is left. Otherwise the time was over, or the subject went on meanwhile: call it again.
    pub done: bool,
    /// When that was looked at.
    pub at: Timestamp,
    /// Conversations this call erased.
    pub conversations_deleted: u64,
    /// Their messages, with those of conversations that are not finished.
    pub messages_deleted: u64,
    /// Feedback this call erased.
    pub feedback_deleted: u64,
    /// Conversations counted afterwards.
    pub conversations_remaining: u64,
    /// Feedback counted afterwards.
    pub feedback_remaining: u64,
}

/// What one conversation left.
struct Gone {
    messages: u64,
    is_unlisted: bool,
}

impl Subjects {
    /// Erases the conversations and feedback of a subject of the caller's account: as much as can be done in `time_budget`, and
    /// at least a step of it. Repeating it goes on; of one nothing is held on it does nothing.
    ///
    /// What it used and spent stays, without a word of what it was for: the account's sums have to add up. A key is not
    /// revoked. Backups have neither conversations nor feedback.
    ///
    /// # Errors
    /// When the caller is no administrator, or the table fails; call it again.
    pub async fn erase(
        &self,
        caller: &Caller,
        subject: &KeyId,
        time_budget: Duration,
    ) -> Result<SubjectReceipt, FlowError> {
        self.authorize(caller)?;
        let until = Instant::now() + time_budget;
        let mut receipt = SubjectReceipt {
            done: false,
            at: self.clock.now(),
            conversations_deleted: 0,
            messages_deleted: 0,
            feedback_deleted: 0,
            conversations_remaining: 0,
            feedback_remaining: 0,
        };
        loop {
            let went_on = self.step(caller, subject, until, &mut receipt).await?;
            if !went_on || Instant::now() >= until {
                break;
            }
        }
        let left = self.tables.holdings().count(&caller.tenant, subject).await?;
        receipt.at = self.clock.now();
        receipt.conversations_remaining = left.conversations;
        receipt.feedback_remaining = left.feedback;
        receipt.done = left.conversations == 0 && left.feedback == 0;
        info!(
            subject = %subject,
            done = receipt.done,
            conversations = receipt.conversations_deleted,
            messages = receipt.messages_deleted,
            feedback = receipt.feedback_deleted,
            "erased what was held on a subject"
        );
        Ok(receipt)
    }

    /// Erases some conversations and some feedback; returns whether there were any.
    async fn step(
        &self,
        caller: &Caller,
        subject: &KeyId,
        until: Instant,
        receipt: &mut SubjectReceipt,
    ) -> Result<bool, PortError> {
        let (holdings, tenant) = (self.tables.holdings(), &caller.tenant);
        // From the begin each time: what is erased is on the list no more.
        let listed = holdings.sessions(tenant, subject, CONVERSATIONS_PER_STEP, None).await?.items;
        let had_conversations = !listed.is_empty();
        let erasing = stream::iter(listed).map(|session| async move {
            self.conversation(caller, subject, &session, until).await
        });
        let mut erasing = erasing.buffer_unordered(AT_ONCE);
        while let Some(gone) = erasing.try_next().await? {
            receipt.messages_deleted += gone.messages;
            receipt.conversations_deleted += u64::from(gone.is_unlisted);
        }
        let feedback = holdings.erase_feedback(tenant, subject, MAX_PAGE).await?;
        receipt.feedback_deleted += feedback.removed;
        Ok(had_conversations || feedback.next.is_some())
    }

    /// Erases the subject's messages of a conversation, a page at least; it stays on the list until none is left.
    async fn conversation(
        &self,
        caller: &Caller,
        subject: &KeyId,
        session: &HeldSession,
        until: Instant,
    ) -> Result<Gone, PortError> {
        let (holdings, tenant) = (self.tables.holdings(), &caller.tenant);
        let (mut messages, mut cursor) = (0, None::<String>);
        loop {
            let id = &session.session_id;
            let erased = holdings.erase_messages(tenant, subject, id, cursor.as_deref()).await?;
            messages += erased.removed;
            cursor = erased.next;
            if cursor.is_none() {
                let is_unlisted = holdings.unlist(tenant, subject, session).await?;
                return Ok(Gone { messages, is_unlisted });
            }
            if Instant::now() >= until {
                return Ok(Gone { messages, is_unlisted: false });
            }
        }
    }
}
