//! Whether ingestion keeps up. What would wait longer than anybody expects is refused at the door, by the age of what waits
//! longest (load shedding by queue age: F. Schroeder et al., "Addressing Cascading Failures", Site Reliability Engineering).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lectern_core::{errors::chain, time::Timestamp};
use lectern_tables::Tables;
use tracing::warn;

use crate::{clock::Clock, errors::FlowError};

/// How old the oldest waiting document may be while new ones are taken: twelve times what is promised.
pub const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// How long what was read holds.
const HOLDS: Duration = Duration::from_secs(10);
/// When whoever was refused may try again.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Watches what waits. Clones share what was read.
#[derive(Clone, Debug)]
pub struct Backlog(Option<Watched>);

#[derive(Clone, Debug)]
struct Watched {
    tables: Tables,
    clock: Clock,
    read: Arc<Mutex<Option<Read>>>,
}

#[derive(Clone, Copy, Debug)]
struct Read {
    at: Timestamp,
    oldest: Option<Timestamp>,
}

impl Backlog {
    /// Returns what watches a table.
    #[must_use]
    pub fn of(tables: Tables, clock: Clock) -> Self {
        Self(Some(Watched { tables, clock, read: Arc::default() }))
    }

    /// Returns what never refuses, for who takes in files that are there already.
    #[must_use]
    pub fn ignored() -> Self {
        Self(None)
    }

    /// Refuses when the oldest document waits longer than [`MAX_AGE`].
    ///
    /// # Errors
    /// `Behind`. A table that fails is for whatever is done next to say.
    pub async fn admit(&self) -> Result<(), FlowError> {
        let Some(watched) = &self.0 else { return Ok(()) };
        let now = watched.clock.now();
        let oldest = watched.oldest(now).await;
        if oldest.is_some_and(|since| now.since(since) > MAX_AGE) {
            return Err(FlowError::Behind { retry_after: RETRY_AFTER });
        }
        Ok(())
    }
}

impl Watched {
    async fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        let known = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = known.filter(|read| now.since(read.at) < HOLDS) {
            return read.oldest;
        }
        match self.tables.versions().oldest_pending().await {
            Ok(oldest) => {
                let read = Read { at: now, oldest };
                *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
                oldest
            }
            Err(error) => {
                warn!(error = %chain(&error), "the oldest waiting document is not known");
                None
            }
        }
    }
}
