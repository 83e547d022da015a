//! How many requests of one caller a process works on at once.
//!
//! A rate says how often somebody may begin; this, how much of the process somebody may hold. A function works on one request at
//! a time, and there this bounds nothing: what a key may hold of the stack is bounded by its rate and by the functions' reserved
//! concurrency (docs/adr/011-concurrency-per-key.md).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use http_body_util::BodyExt as _;
use lectern_app::errors::FlowError;
use lectern_core::{auth::Caller, ids::KeyId};

/// Requests of one caller that are worked on at once, where nothing else is set.
pub const DEFAULT_KEY_CONCURRENCY: usize = 64;
/// When a refused caller may come again: what an answer takes, roughly.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Counts the requests that are worked on, by key or by the subject of a token; visitors of a page count with its key, as its rate
/// does. The operator of a local data directory is not counted.
#[derive(Clone, Debug)]
pub struct Concurrency {
    most: usize,
    /// Only callers of whom a request is being worked on.
    held: Arc<Mutex<HashMap<KeyId, usize>>>,
}

/// A request that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    of: Option<(KeyId, Concurrency)>,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self::of(DEFAULT_KEY_CONCURRENCY)
    }
}

impl Concurrency {
    /// Returns one that lets each caller have so many requests at once, at least one.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most: most.max(1), held: Arc::default() }
    }

    /// Counts a request of `caller`.
    ///
    /// # Errors
    /// `RateLimited` when as many are worked on as may be.
    pub(crate) fn hold(&self, caller: &Caller) -> Result<Held, FlowError> {
        let Some(id) = &caller.key_id else { return Ok(Held { of: None }) };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(id.clone()).or_default();
        if *count >= self.most {
            return Err(FlowError::RateLimited { retry_after: RETRY_AFTER });
        }
        *count += 1;
        Ok(Held { of: Some((id.clone(), self.clone())) })
    }
}

impl Held {
    /// Returns the response. One whose body is still being made counts until that has been sent, or nobody reads it any more.
    pub(crate) fn until_sent(self, response: Response) -> Response {
        if response.body().size_hint().exact().is_some() {
            return response;
        }
        response.map(|body| {
            let held = self;
            Body::new(body.map_frame(move |frame| {
                let _held = &held;
                frame
            }))
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some((id, concurrency)) = self.of.take() else { return };
        let mut held = concurrency.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                held.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lectern_core::time::Timestamp;

    use super::*;

    fn caller(key: Option<u128>) -> Caller {
        let operator = Caller::operator("acme".parse().unwrap());
        Caller { key_id: key.map(|key| KeyId::new(Timestamp::from_millis(1), key)), ..operator }
    }

    #[test]
    fn a_caller_holds_so_many_and_no_more() {
        let concurrency = Concurrency::of(2);
        let (one, other) = (caller(Some(1)), caller(Some(2)));
        let first = concurrency.hold(&one).unwrap();
        let _second = concurrency.hold(&one).unwrap();
        let refused = concurrency.hold(&one).unwrap_err();
        assert!(matches!(refused, FlowError::RateLimited { .. }), "{refused:?}");
        concurrency.hold(&other).unwrap();
        drop(first);
        concurrency.hold(&one).unwrap();
    }

    #[test]
    fn nobody_is_kept_who_has_no_request() {
        let concurrency = Concurrency::of(1);
        drop(concurrency.hold(&caller(Some(1))).unwrap());
        assert!(concurrency.held.lock().unwrap().is_empty());
    }

    #[test]
    fn the_operator_is_not_counted() {
        let concurrency = Concurrency::of(1);
        let held: Vec<Held> = (0..3).map(|_| concurrency.hold(&caller(None)).unwrap()).collect();
        assert_eq!(held.len(), 3);
    }

    #[test]
    fn a_stream_counts_until_its_body_is_gone() {
        let concurrency = Concurrency::of(1);
        let one = caller(Some(1));
        let pieces = futures::stream::iter([Ok::<_, std::io::Error>("piece")]);
        let stream = Response::new(Body::from_stream(pieces));
        let stream = concurrency.hold(&one).unwrap().until_sent(stream);
        concurrency.hold(&one).unwrap_err();
        drop(stream);
        let whole = concurrency.hold(&one).unwrap().until_sent(Response::new(Body::from("whole")));
        assert_eq!(whole.body().size_hint().exact(), Some(5), "its length is still told");
        concurrency.hold(&one).unwrap();
    }
}
