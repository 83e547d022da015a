//! How a failed call is told to a person.

use std::{fmt, io, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::output::harmless;

/// A problem (RFC 9457) as a client reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// Stable name of the kind of problem.
    #[serde(default)]
    pub(crate) r#type: String,
    /// The kind in words.
    #[serde(default)]
    pub(crate) title: String,
    /// HTTP status.
    #[serde(default)]
    pub(crate) status: u16,
    /// What happened this time.
    #[serde(default)]
    pub(crate) detail: String,
    /// Id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// The wrong fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<ProblemField>,
    /// How long the server asks to wait, from the header `Retry-After`.
    #[serde(skip)]
    pub(crate) retry_after: Option<Duration>,
}

/// A wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProblemField {
    /// JSON pointer to it.
    #[serde(default)]
    pub(crate) pointer: String,
    /// What it must be.
    #[serde(default)]
    pub(crate) detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", harmless(&self.title), harmless(&self.detail))?;
        for field in &self.errors {
            write!(formatter, "\n  {}: {}", harmless(&field.pointer), harmless(&field.detail))?;
        }
        match &self.instance {
            Some(instance) if self.status >= 500 => {
                write!(formatter, "\n  request {}", harmless(instance))
            }
            _ => Ok(()),
        }
    }
}

/// Why a call brought no answer.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// The API refused, and says why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// Nobody answers there.
    #[error("cannot reach {base_url}; is the server running, and is the address right?")]
    Unreachable {
        /// Where.
        base_url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer took too long.
    #[error("{base_url} did not answer within {seconds} s")]
    TooSlow {
        /// Where.
        base_url: String,
        /// The limit.
        seconds: u64,
    },
    /// The answer broke off.
    #[error("the connection broke off before the end of the answer")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is not what this program understands.
    #[error("the server answers something else than Lectern's API: {0}")]
    Unexpected(String),
    /// The answer is larger than anything Lectern sends.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// A file to upload cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The request cannot be written.
    #[error("the request cannot be sent")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// Whether the server could not be reached or did not answer in time.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TooSlow { .. })
    }

    /// Returns how long the server asks to wait before the same call.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem(problem) if problem.status == 429 => problem.retry_after,
            _ => None,
        }
    }

    /// Returns the status of a refusal.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_has_its_line() {
        let field =
            |pointer: &str| ProblemField { pointer: pointer.into(), detail: "is bad".into() };
        let problem = Problem {
            title: "Invalid fields".into(),
            status: 422,
            detail: "two \u{1b}[31mfields".into(),
            instance: Some("r-1".into()),
            errors: vec![field("/a"), field("/b")],
            ..Problem::default()
        };
        let text = problem.to_string();
        assert_eq!(text, "Invalid fields: two \u{fffd}[31mfields\n  /a: is bad\n  /b: is bad");
        let crashed = Problem { status: 500, errors: vec![], ..problem };
        assert!(
            crashed.to_string().ends_with("request r-1"),
            "a server's failure names the request"
        );
    }
}
