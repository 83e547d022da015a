//! What was worked out once and need not be again: question vectors, retrieved passages, answers.
//!
//! Two tiers: the memory of this process, and the table with a time to live. Neither is told of changes; every hit
//! is verified against the records as they stand when it is asked for, so there is nothing to
//! invalidate and nothing to miss (docs/adr/006-caches.md argues the order of reads and writes).
//! A cache that fails or is slow costs a miss, never the question.
//!
//! | module | holds |
//! |---|---|
//! | `key` | what a value depends on, as one hash |
//! | `tiers` | the two tiers, and the writes that wait |
//! | `entry` | an answer as it is kept, what it was made from, and whether that still holds |
//! | `retrieved` | fused candidates as they are kept |
//! | `recent` | recent questions by meaning, for the semantic hit |
//! | `embedder` | an embedder that remembers vectors |

mod embedder;
pub(crate) mod entry;
mod key;
mod recent;
pub(crate) mod retrieved;
mod tiers;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lectern_core::{
    ids::{CollectionId, TenantId},
    settings::CollectionSettings,
    time::Timestamp,
};
use lectern_tables::{Tables, cache::CacheWrite, collections::Collection};
use lectern_telemetry::instruments::{CACHE_HITS, CACHE_MISSES};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

pub use self::embedder::CachedEmbedder;
pub(crate) use self::key::{Key, View};
use self::{entry::KeptAnswer, recent::Recent, retrieved::Retrieved, tiers::Memory};
use crate::clock::Clock;

/// How long an answer is kept.
pub const ANSWER_TTL: Duration = Duration::from_secs(6 * 60 * 60);
/// How long what was retrieved is kept.
pub const RETRIEVAL_TTL: Duration = Duration::from_secs(5 * 60);
/// How long a question's vector is kept.
pub const VECTOR_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Largest answer kept in the table, in bytes. An item holds 400 KB.
pub const MAX_ANSWER_BYTES: usize = 350_000;
/// Largest retrieval kept in the table, in bytes. A write of 350 KB would cost more than the search it spares and
/// take longer; larger ones stay in memory.
pub const MAX_RETRIEVAL_BYTES: usize = 64 * 1024;

/// Collections whose settings a process remembers.
const KNOWN_SETTINGS: usize = 256;

/// How large the caches of a process may grow, and how long they may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Memory for answers, in bytes.
    pub answers: u64,
    /// Memory for what was retrieved, in bytes.
    pub retrievals: u64,
    /// Memory for vectors, in bytes.
    pub vectors: u64,
    /// Writes that wait for the table, in bytes; more are dropped.
    pub pending: usize,
    /// How long reading the table's tier may take.
    pub read_timeout: Duration,
    /// How long writing the table's tier may take.
    pub write_timeout: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            answers: 16 << 20,
            retrievals: 32 << 20,
            vectors: 8 << 20,
            pending: 4 << 20,
            read_timeout: Duration::from_millis(250),
            write_timeout: Duration::from_millis(500),
        }
    }
}

/// Where an answer or a search result came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// Nothing was looked up: the request, the collection or the kind of question forbids it.
    #[default]
    Off,
    /// It was made for this question.
    Miss,
    /// It was made for an equal question.
    Exact,
    /// It was made for a question of nearly the same meaning.
    Semantic,
}

impl CacheUse {
    /// Whether it came from a cache.
    #[must_use]
    pub fn is_hit(self) -> bool {
        matches!(self, Self::Exact | Self::Semantic)
    }

    /// Returns the word of responses and logs: `off`, `miss` or `hit`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Miss => "miss",
            Self::Exact | Self::Semantic => "hit",
        }
    }

    /// Returns how the question of a hit matched: `exact` or `semantic`.
    #[must_use]
    pub fn matched(self) -> Option<&'static str> {
        match self {
            Self::Off | Self::Miss => None,
            Self::Exact => Some("exact"),
            Self::Semantic => Some("semantic"),
        }
    }
}

/// How often one cache had what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HitCount {
    /// It had it, and it still held.
    pub hits: u64,
    /// It did not.
    pub misses: u64,
}

/// How often each cache of this process had what was asked for, since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheCounts {
    /// Answers.
    pub answers: HitCount,
    /// What was retrieved.
    pub retrievals: HitCount,
    /// Vectors, each text counted.
    pub vectors: HitCount,
}

/// The caches of one process. Clones share them.
#[derive(Clone, Debug)]
pub struct Caches {
    shared: Arc<Shared>,
    clock: Clock,
}

#[derive(Debug)]
struct Shared {
    limits: CacheLimits,
    store: Option<Tables>,
    answers: Memory<KeptAnswer>,
    retrievals: Memory<Retrieved>,
    vectors: Memory<Vec<f32>>,
    recent: Recent,
    settings: Cache<(TenantId, CollectionId), Arc<CollectionSettings>>,
    // A lock for the time of a push or a swap.
    pending: Mutex<Vec<CacheWrite>>,
    counters: Counters,
}

#[derive(Debug)]
struct Counters {
    answers: Counter,
    retrievals: Counter,
    vectors: Counter,
}

impl Default for Counters {
    fn default() -> Self {
        let [answers, retrievals, vectors] = ["answers", "retrievals", "vectors"].map(Counter::of);
        Self { answers, retrievals, vectors }
    }
}

/// Counts hits and misses.
#[derive(Debug)]
struct Counter {
    cache: &'static str,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Counter {
    fn of(cache: &'static str) -> Self {
        Self { cache, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    fn add(&self, hits: usize, misses: usize) {
        for (instrument, count) in [(&CACHE_HITS, hits), (&CACHE_MISSES, misses)] {
            if count > 0 {
                instrument.add(count as u64, &[("cache", self.cache)]);
            }
        }
        self.hits.fetch_add(hits as u64, Ordering::Relaxed);
        self.misses.fetch_add(misses as u64, Ordering::Relaxed);
    }

    fn read(&self) -> HitCount {
        let (hits, misses) = (&self.hits, &self.misses);
        HitCount { hits: hits.load(Ordering::Relaxed), misses: misses.load(Ordering::Relaxed) }
    }
}

impl Caches {
    /// Returns empty caches; `store` is the table of the second tier, none for memory alone.
    #[must_use]
    pub fn new(store: Option<Tables>, limits: CacheLimits, clock: Clock) -> Self {
        let shared = Shared {
            limits,
            store,
            answers: Memory::new(limits.answers),
            retrievals: Memory::new(limits.retrievals),
            vectors: Memory::new(limits.vectors),
            recent: Recent::default(),
            settings: Cache::new(KNOWN_SETTINGS),
            pending: Mutex::default(),
            counters: Counters::default(),
        };
        Self { shared: Arc::new(shared), clock }
    }

    /// Returns how often each cache had what was asked for.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        let counters = &self.shared.counters;
        CacheCounts {
            answers: counters.answers.read(),
            retrievals: counters.retrievals.read(),
            vectors: counters.vectors.read(),
        }
    }

    /// Returns a collection's settings as this process last read them; they may have changed since.
    pub(crate) fn known_settings(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
    ) -> Option<Arc<CollectionSettings>> {
        self.shared.settings.get(&(tenant.clone(), collection.clone()))
    }

    /// Remembers a collection's settings, read just now.
    pub(crate) fn know_settings(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
        settings: CollectionSettings,
    ) {
        let place = (tenant.clone(), collection.clone());
        self.shared.settings.insert(place, Arc::new(settings));
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A collection's state as far as answers depend on it. Two equal epochs, and whatever was read of the collection
/// between them is what would be read now: everything that changes which passages answer (a version
/// goes live, a deletion begins, a setting changes) changes the generation in the same transaction.
/// A collection that was deleted and made anew counts from 1 again, hence the time of its creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Epoch {
    created_at: Timestamp,
    generation: u64,
}

impl From<&Collection> for Epoch {
    fn from(collection: &Collection) -> Self {
        Self { created_at: collection.created_at, generation: collection.generation }
    }
}
