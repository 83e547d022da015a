//! What goes to a reranker and what comes back, within bounds.

use std::time::Duration;

use lectern_core::errors::{ErrorKind, PortError};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::time::timeout;

use super::{MAX_PASSAGES, MAX_TEXT_BYTES};
use crate::http::failures::{self, Failure};

/// A call or a reply that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Unusable {
    #[error("{found} passages in one call, at most {MAX_PASSAGES} are allowed")]
    TooMany { found: usize },
    #[error("the server scored passage {index} of {expected}")]
    Foreign { index: usize, expected: usize },
    #[error("the server scored passage {index} twice")]
    Twice { index: usize },
    #[error("the server did not score passage {index} of {expected}")]
    Missing { index: usize, expected: usize },
    #[error("the server gave passage {index} a score that is not finite")]
    NotFinite { index: usize },
}

impl Unusable {
    fn at(self, operation: &'static str) -> PortError {
        let kind = match self {
            Self::TooMany { .. } => ErrorKind::TooLarge,
            _ => ErrorKind::Internal,
        };
        PortError::new(kind, operation, self)
    }
}

/// Returns the texts that are sent for `passages`.
pub(super) fn sendable<'texts>(
    passages: &'texts [String],
    operation: &'static str,
) -> Result<Vec<&'texts str>, PortError> {
    if passages.len() > MAX_PASSAGES {
        return Err(Unusable::TooMany { found: passages.len() }.at(operation));
    }
    Ok(passages.iter().map(|text| cut(text)).collect())
}

/// Returns the longest beginning of `text` that is sent. APIs refuse an empty text, and the port refuses none.
pub(super) fn cut(text: &str) -> &str {
    if text.is_empty() { " " } else { &text[..text.floor_char_boundary(MAX_TEXT_BYTES)] }
}

/// Returns what `call` returns, if it takes no longer than `limit`. A call that has no time is not begun:
/// a timer fires a millisecond late, which is long enough to send a request and pay for it.
pub(super) async fn within<T>(
    limit: Duration,
    operation: &'static str,
    call: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    if limit.is_zero() {
        return Err(failures::silent(operation, limit));
    }
    timeout(limit, call).await.map_err(|_| failures::silent(operation, limit))?
}

/// Reads a reply.
pub(super) fn read<T: DeserializeOwned>(
    body: &[u8],
    operation: &'static str,
) -> Result<T, PortError> {
    serde_json::from_slice(body).map_err(|error| Failure::json(&error).at(operation))
}

/// Returns the scores in the order of the `expected` passages: each must be there, once, and finite.
pub(super) fn in_order(
    scored: impl IntoIterator<Item = (usize, f32)>,
    expected: usize,
    operation: &'static str,
) -> Result<Vec<f32>, PortError> {
    place(scored, expected).map_err(|unusable| unusable.at(operation))
}

fn place(
    scored: impl IntoIterator<Item = (usize, f32)>,
    expected: usize,
) -> Result<Vec<f32>, Unusable> {
    let mut scores: Vec<Option<f32>> = vec![None; expected];
    for (index, score) in scored {
        if !score.is_finite() {
            return Err(Unusable::NotFinite { index });
        }
        match scores.get_mut(index) {
            Some(free @ None) => *free = Some(score),
            Some(Some(_)) => return Err(Unusable::Twice { index }),
            None => return Err(Unusable::Foreign { index, expected }),
        }
    }
    let in_order = scores.into_iter().enumerate();
    in_order.map(|(index, score)| score.ok_or(Unusable::Missing { index, expected })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_put_in_the_order_of_the_passages() {
        assert_eq!(place([(2, 0.5), (0, -3.0), (1, 9.0)], 3).unwrap(), [-3.0, 9.0, 0.5]);
        assert!(place([], 0).unwrap().is_empty());
    }

    #[test]
    fn foreign_double_missing_and_infinite_scores_are_refused() {
        for (scored, expected) in [
            (vec![(0, 1.0), (2, 1.0)], Unusable::Foreign { index: 2, expected: 2 }),
            (vec![(0, 1.0), (0, 1.0)], Unusable::Twice { index: 0 }),
            (vec![(1, 1.0)], Unusable::Missing { index: 0, expected: 2 }),
            (vec![(0, f32::NAN), (1, 1.0)], Unusable::NotFinite { index: 0 }),
            (vec![(0, 1.0), (1, f32::INFINITY)], Unusable::NotFinite { index: 1 }),
        ] {
            assert_eq!(place(scored, 2).unwrap_err(), expected);
        }
    }

    #[test]
    fn texts_are_cut_between_characters_and_never_empty() {
        assert_eq!(cut(""), " ");
        assert_eq!(cut("a"), "a");
        // Two bytes each, after one of one byte: the limit falls inside a character.
        let long = format!("a{}", "ü".repeat(MAX_TEXT_BYTES));
        assert_eq!(cut(&long).len(), MAX_TEXT_BYTES - 1);
        let passages = vec![String::new(); MAX_PASSAGES];
        assert_eq!(sendable(&passages, "test").unwrap().len(), MAX_PASSAGES);
        let passages = vec![String::new(); MAX_PASSAGES + 1];
        assert_eq!(sendable(&passages, "test").unwrap_err().kind, ErrorKind::TooLarge);
    }
}
