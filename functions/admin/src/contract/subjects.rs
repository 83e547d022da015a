//! What is held on a subject.

use lectern_app::{
    errors::FlowError,
    subjects::{
        Feedback, HeldConversation, HeldMessage, HeldOnSubject, MonthSpent, Named, Rating, Speaker,
        SubjectReceipt, UsageDay,
    },
};
use lectern_core::ids::KeyId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::KeyBody;

/// Which subject: the first two, or the last two.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindSubjectParams {
    /// `iss` of its tokens.
    pub issuer: Option<String>,
    /// `sub` of its tokens.
    pub subject: Option<String>,
    /// The key that tokens for a page are made with.
    pub key_id: Option<String>,
    /// The visitor they are made for.
    pub visitor: Option<String>,
}

impl FindSubjectParams {
    pub(crate) fn parse(self) -> Result<Named, FlowError> {
        match (self.issuer, self.subject, self.key_id, self.visitor) {
            (Some(issuer), Some(subject), None, None) => Ok(Named::Token { issuer, subject }),
            (None, None, Some(key_id), Some(visitor)) => {
                let key_id = key_id.parse();
                let key_id: KeyId = key_id.map_err(|error| FlowError::field("/key_id", error))?;
                Ok(Named::Visitor { key_id, visitor })
            }
            (Some(_), None, None, None) => Err(missing("/subject", "issuer")),
            (None, Some(_), None, None) => Err(missing("/issuer", "subject")),
            (None, None, Some(_), None) => Err(missing("/visitor", "key_id")),
            (None, None, None, Some(_)) => Err(missing("/key_id", "visitor")),
            _ => Err(FlowError::field(
                "/issuer",
                "name `issuer` and `subject`, or `key_id` and `visitor`",
            )),
        }
    }
}

fn missing(pointer: &str, given: &str) -> FlowError {
    FlowError::field(pointer, format!("must be given with `{given}`"))
}

/// The id of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectBody {
    /// What stands for it in `/v1/subjects/{id}`, in usage and in the audit log.
    pub id: String,
}

/// Which page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldParams {
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpeakerBody {
    /// The subject.
    User,
    /// Lectern.
    Assistant,
}

/// A thumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatingBody {
    /// The answer helped.
    Up,
    /// It did not.
    Down,
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldMessageBody {
    /// The question it belongs to.
    pub query_id: String,
    /// Who said it.
    pub role: SpeakerBody,
    /// What was said.
    pub content: String,
    /// The question as it was understood after the earlier ones; `null` where that is what was asked.
    pub standalone_question: Option<String>,
    /// When it was said, RFC 3339.
    #[schema(format = DateTime)]
    pub at: String,
}

/// Messages of a conversation; a long one goes on with the next page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldConversationBody {
    /// Its id.
    pub session_id: String,
    /// What the subject asked, and was answered, oldest first.
    pub messages: Vec<HeldMessageBody>,
}

/// What the subject thought of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldFeedbackBody {
    /// The question.
    pub query_id: String,
    /// The thumb.
    pub rating: RatingBody,
    /// In its words.
    pub comment: Option<String>,
    /// When it was given, RFC 3339.
    #[schema(format = DateTime)]
    pub at: String,
}

/// What the subject used on a day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HeldUsageBody {
    /// The UTC day, `2026-11-21`.
    pub day: String,
    /// Questions.
    pub requests: u64,
    /// Tokens sent to models.
    pub prompt_tokens: u64,
    /// Tokens received from models.
    pub completion_tokens: u64,
    /// What the tokens cost, by the price table.
    pub cost_usd: f64,
}

/// What the subject spent in a month.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MonthBody {
    /// The UTC month, `2026-11`.
    pub month: String,
    /// Dollars spent.
    pub spent_usd: f64,
    /// Dollars set aside for requests that are under way.
    pub held_usd: f64,
}

/// A page of what is held on a subject.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HeldBody {
    /// Its id.
    pub id: String,
    /// The record of the key, where the subject is one, without the hash of its secret; on the first page.
    pub key: Option<KeyBody>,
    /// What was spent by month, newest first, of the last 60 months; on the first page.
    pub ledger: Vec<MonthBody>,
    /// Conversations, which are kept for 30 days after their last question.
    pub conversations: Vec<HeldConversationBody>,
    /// Feedback.
    pub feedback: Vec<HeldFeedbackBody>,
    /// Usage by day, newest first, of the last 1830 days. Days without a request are not there.
    pub usage: Vec<HeldUsageBody>,
    /// Whether there is more: whether `next` is there.
    pub truncated: bool,
    /// The cursor of the next page; `null` when this was all.
    pub next: Option<String>,
}

impl HeldBody {
    pub(crate) fn of(id: &KeyId, held: HeldOnSubject) -> Self {
        Self {
            id: id.to_string(),
            key: held.key.map(KeyBody::from),
            ledger: held.ledger.into_iter().map(MonthBody::from).collect(),
            conversations: held.conversations.into_iter().map(conversation).collect(),
            feedback: held.feedback.into_iter().map(HeldFeedbackBody::from).collect(),
            usage: held.usage.into_iter().map(HeldUsageBody::from).collect(),
            truncated: held.next.is_some(),
            next: held.next,
        }
    }
}

fn conversation(held: HeldConversation) -> HeldConversationBody {
    let messages = held.messages.into_iter().map(HeldMessageBody::from).collect();
    HeldConversationBody { session_id: held.session_id.into(), messages }
}

impl From<HeldMessage> for HeldMessageBody {
    fn from(message: HeldMessage) -> Self {
        Self {
            query_id: message.query_id.into(),
            role: match message.speaker {
                Speaker::User => SpeakerBody::User,
                Speaker::Assistant => SpeakerBody::Assistant,
            },
            content: message.text,
            standalone_question: message.standalone_question,
            at: message.at.to_rfc3339(),
        }
    }
}

impl From<Feedback> for HeldFeedbackBody {
    fn from(given: Feedback) -> Self {
        Self {
            query_id: given.query_id.into(),
            rating: match given.rating {
                Rating::Up => RatingBody::Up,
                Rating::Down => RatingBody::Down,
            },
            comment: given.comment,
            at: given.at.to_rfc3339(),
        }
    }
}

impl From<UsageDay> for HeldUsageBody {
    fn from(row: UsageDay) -> Self {
        Self {
            day: row.day,
            requests: row.usage.requests,
            prompt_tokens: row.usage.prompt_tokens,
            completion_tokens: row.usage.completion_tokens,
            cost_usd: row.usage.cost_micro_usd.as_dollars(),
        }
    }
}

impl From<MonthSpent> for MonthBody {
    fn from(spent: MonthSpent) -> Self {
        Self {
            month: spent.month,
            spent_usd: spent.balance.spent.as_dollars(),
            held_usd: spent.balance.held.as_dollars(),
        }
    }
}

/// What became of what was held on a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectReceiptBody {
    /// Its id.
    pub id: String,
    /// Whether nothing is left. While it is `false`, call it again.
    pub done: bool,
    /// When that was looked at, RFC 3339.
    #[schema(format = DateTime)]
    pub at: String,
    /// Conversations this call erased.
    pub conversations_deleted: u64,
    /// Messages this call erased.
    pub messages_deleted: u64,
    /// Feedback this call erased.
    pub feedback_deleted: u64,
    /// Conversations that are left, counted afterwards; of both together 10 000 are counted at most.
    pub conversations_remaining: u64,
    /// Feedback that is left, counted afterwards.
    pub feedback_remaining: u64,
}

impl SubjectReceiptBody {
    pub(crate) fn of(id: &KeyId, receipt: &SubjectReceipt) -> Self {
        Self {
            id: id.to_string(),
            done: receipt.done,
            at: receipt.at.to_rfc3339(),
            conversations_deleted: receipt.conversations_deleted,
            messages_deleted: receipt.messages_deleted,
            feedback_deleted: receipt.feedback_deleted,
            conversations_remaining: receipt.conversations_remaining,
            feedback_remaining: receipt.feedback_remaining,
        }
    }
}
