//! A request that is sent again is carried out once: begin → carry out → keep the response, or forget that it was begun.
//!
//! The rules are those of AWS Powertools' idempotency and of draft-ietf-httpapi-idempotency-key-header-07. A client that heard
//! nothing sends the same request with the same key: while the first is carried out it is told to wait, afterwards it hears
//! what the first would have heard. What failed is forgotten, and can be sent again at once.

use std::time::Duration;

use lectern_core::{auth::Caller, errors::chain};
pub use lectern_tables::idempotency::StoredResponse;
use lectern_tables::{
    Tables,
    idempotency::{Begin, Ticket},
};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use crate::{clock::Clock, errors::FlowError};

/// How long a response is kept for whoever sends the request again.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Largest response that is kept, in bytes: an item of the table has at most 400 KB.
pub const MAX_RESPONSE_BYTES: usize = 256 << 10;

/// Carries requests out once.
#[derive(Clone, Debug)]
pub struct Once {
    /// The table.
    pub tables: Tables,
    /// The time.
    pub clock: Clock,
}

/// How a request stands.
#[derive(Debug)]
pub enum Begun {
    /// Carry it out, then [`Once::end`] it.
    First(Started),
    /// It was carried out; this was said.
    Again(StoredResponse),
}

/// A request that is being carried out.
#[derive(Debug)]
pub struct Started(Ticket);

impl Once {
    /// Begins a caller's request by its key and what it asks for. It counts as being carried out for `longest`.
    ///
    /// # Errors
    /// `InProgress` when it is being carried out; `Reused` when the key was used for something else; or when the table fails.
    pub async fn begin(
        &self,
        caller: &Caller,
        key: &str,
        payload_sha256: &str,
        longest: Duration,
    ) -> Result<Begun, FlowError> {
        let now = self.clock.now();
        let requests = self.tables.idempotency();
        let hash = name_of(caller, key);
        let begun =
            requests.begin(&caller.tenant, &hash, payload_sha256, now, longest, KEPT_FOR).await?;
        match begun {
            Begin::Started(ticket) => Ok(Begun::First(Started(ticket))),
            Begin::Replay(response) => Ok(Begun::Again(response)),
            Begin::InProgress(until) => {
                Err(FlowError::InProgress { retry_after: until.since(now) })
            }
            Begin::Mismatch => Err(FlowError::Reused),
        }
    }

    /// Keeps what was said, or, without, forgets that the request was begun. Where the table fails, those who send it again
    /// wait until its time is over, and it is carried out again.
    pub async fn end(&self, started: &Started, response: Option<StoredResponse>) {
        let requests = self.tables.idempotency();
        let ended = match response {
            Some(response) => requests.complete(&started.0, &response).await,
            None => requests.abandon(&started.0).await,
        };
        if let Err(error) = ended {
            warn!(error = %chain(&error), "a request may be carried out again when it is sent again");
        }
    }
}

/// Returns under which name a caller's request is kept. Two keys of a tenant have nothing of each other's.
fn name_of(caller: &Caller, key: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(caller.key_id.as_ref().map_or("", |id| id.as_str()));
    digest.update([0]);
    digest.update(key);
    hex::encode(digest.finalize())
}
