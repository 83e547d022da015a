//! How flows fail, in words a client can act on.

use std::{fmt, time::Duration};

use lectern_core::{errors::PortError, spending::Period};
use lectern_telemetry::call::word_of;
use thiserror::Error;

/// Whose money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spender {
    /// The account's.
    Account,
    /// One key's.
    Key,
}

impl fmt::Display for Spender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Account => "account",
            Self::Key => "key",
        })
    }
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field, `/question`.
    pub pointer: String,
    /// What the field must be.
    pub detail: String,
}

/// Why a flow did not do what was asked.
#[derive(Debug, Error)]
pub enum FlowError {
    /// Fields of the request are wrong.
    #[error("the request has invalid fields")]
    Invalid(Vec<FieldError>),
    /// No credential, or one that does not work.
    #[error("the request carries no valid credential")]
    Unauthenticated,
    /// The credential does not allow this.
    #[error("the credential does not allow this: {0}")]
    Forbidden(&'static str),
    /// What was asked for does not exist, or belongs to somebody else.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The state of the thing forbids this now.
    #[error("{0}")]
    Conflict(String),
    /// The content is larger than allowed.
    #[error("the content is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The content is of a type that is not read.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// Too many requests.
    #[error("too many requests")]
    RateLimited {
        /// When the next one will pass.
        retry_after: Duration,
    },
    /// What may be spent is spent.
    #[error("the {whose}'s budget of this {period} is spent")]
    OverBudget {
        /// Whose budget.
        whose: Spender,
        /// Which of its limits.
        period: Period,
        /// When the next begins.
        retry_after: Duration,
    },
    /// What may be spent is set aside for requests that are under way.
    #[error("what is left of the {whose}'s budget is set aside for requests under way")]
    BudgetHeld {
        /// Whose budget.
        whose: Spender,
    },
    /// Somebody stopped all spending.
    #[error("spending is stopped")]
    SpendingStopped,
    /// Documents are taken in more slowly than they come.
    #[error("documents wait for more than an hour to be ingested")]
    Behind {
        /// When to try again.
        retry_after: Duration,
    },
    /// The same request is being carried out.
    #[error("the same request is being carried out")]
    InProgress {
        /// When it is over at the latest.
        retry_after: Duration,
    },
    /// The key of a request was used for another one.
    #[error("the key was used for another request")]
    Reused,
    /// Something behind a port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl FlowError {
    /// Returns its kind in one word, for labels and spans.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Conflict(_) => "conflict",
            Self::TooLarge { .. } => "too_large",
            Self::UnsupportedMedia(_) => "unsupported_media",
            Self::RateLimited { .. } => "rate_limited",
            Self::OverBudget { .. } => "over_budget",
            Self::BudgetHeld { .. } => "budget_held",
            Self::SpendingStopped => "spending_stopped",
            Self::Behind { .. } => "behind",
            Self::InProgress { .. } => "in_progress",
            Self::Reused => "reused",
            Self::Port(error) => word_of(error.kind),
        }
    }

    /// Returns the error of one wrong field.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over errors and sentences alike"
    )]
    pub fn field(pointer: &str, detail: impl ToString) -> Self {
        Self::Invalid(vec![FieldError { pointer: pointer.to_owned(), detail: detail.to_string() }])
    }
}
