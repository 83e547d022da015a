//! One error type for every port: what failed, and what the caller can do about it.

use std::{error::Error, fmt, time::Duration};

/// What a caller can do about a failed port call. Ordered by remedy, not by origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong; sending it again cannot help.
    Invalid,
    /// The request is larger than the other side takes (for a model: its context length). Shorten it.
    TooLarge,
    /// The credentials were refused.
    Unauthenticated,
    /// The thing asked for does not exist.
    NotFound,
    /// Somebody else changed the thing first. Read it again, then decide.
    Conflict,
    /// The other side asks to slow down, and says for how long where it knows.
    RateLimited {
        /// How long the other side asks the caller to wait.
        retry_after: Option<Duration>,
    },
    /// No answer within the time allowed.
    Timeout,
    /// The other side cannot be reached or says it is unwell. A later try may succeed.
    Unavailable,
    /// Anything else: a defect here or an answer nobody expected.
    Internal,
}

/// A failed call through a port. Keeps its cause; the message is for logs, never for clients.
#[derive(Debug)]
pub struct PortError {
    /// What the caller can do.
    pub kind: ErrorKind,
    /// Which call failed, in the words of the log: `qdrant search`.
    pub operation: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PortError {
    /// Returns an error of `kind` in `operation` caused by `source`.
    pub fn new(
        kind: ErrorKind,
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, operation, source: Some(source.into()) }
    }

    /// Returns an error of `kind` in `operation` that has no further cause.
    #[must_use]
    pub fn bare(kind: ErrorKind, operation: &'static str) -> Self {
        Self { kind, operation, source: None }
    }

    /// Whether the same call, sent again later, may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::RateLimited { .. } | ErrorKind::Timeout | ErrorKind::Unavailable
        )
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remedy = match self.kind {
            ErrorKind::Invalid => "the request is invalid",
            ErrorKind::TooLarge => "the request is too large",
            ErrorKind::Unauthenticated => "the credentials were refused",
            ErrorKind::NotFound => "not found",
            ErrorKind::Conflict => "changed by somebody else",
            ErrorKind::RateLimited { .. } => "rate limited",
            ErrorKind::Timeout => "timed out",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Internal => "internal error",
        };
        write!(formatter, "{} failed: {remedy}", self.operation)
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

/// Returns an error and all its causes as one line for the log, joined by `: `.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        line.push_str(": ");
        line.push_str(&source.to_string());
        cause = source.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_cause_and_names_the_operation() {
        let error =
            PortError::new(ErrorKind::Timeout, "qdrant search", "deadline of 500 ms passed");
        assert_eq!(chain(&error), "qdrant search failed: timed out: deadline of 500 ms passed");
        assert!(error.is_retryable());
    }
}
