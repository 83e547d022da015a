//! The two tiers: memory bounded by bytes, and the table, whose writes wait for the end of a question.

use std::{collections::HashMap, sync::Arc};

use lectern_core::{errors::chain, time::Timestamp};
use lectern_tables::cache::CacheWrite;
use quick_cache::{Weighter, sync::Cache};
use tracing::warn;

use super::{Caches, Key};

/// Values a memory tier is laid out for; it grows beyond.
const USUAL_VALUES: usize = 1_024;

/// The first tier of one kind of value: at most so many bytes, least useful values out first.
#[derive(Debug)]
pub(super) struct Memory<V>(Cache<Key, Held<V>, ByBytes>);

/// A value in memory. Cheap to clone.
#[derive(Debug)]
struct Held<V> {
    value: Arc<V>,
    bytes: u64,
    until: Timestamp,
}

impl<V> Clone for Held<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), bytes: self.bytes, until: self.until }
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl<V> Weighter<Key, Held<V>> for ByBytes {
    fn weight(&self, _: &Key, held: &Held<V>) -> u64 {
        held.bytes
    }
}

impl<V> Memory<V> {
    pub(super) fn new(bytes: u64) -> Self {
        Self(Cache::with_weighter(USUAL_VALUES, bytes, ByBytes))
    }

    /// Returns the value unless it has expired.
    pub(super) fn get(&self, key: &Key, now: Timestamp) -> Option<Arc<V>> {
        let held = self.0.get(key)?;
        (held.until > now).then_some(held.value)
    }

    /// Keeps a value that takes `bytes`. One that is larger than a share of the whole is not kept.
    pub(super) fn put(&self, key: Key, value: Arc<V>, bytes: usize, until: Timestamp) {
        // The key and the bookkeeping count too: many small values are not free.
        let bytes = (bytes + size_of::<Key>() + size_of::<Held<V>>()) as u64;
        self.0.insert(key, Held { value, bytes, until });
    }
}

impl Caches {
    /// Returns what the table keeps under `keys`; nothing when it fails or is slow.
    pub(super) async fn stored(&self, keys: &[Key]) -> HashMap<Key, Vec<u8>> {
        let Some(store) = &self.shared.store else { return HashMap::new() };
        let hashes: Vec<String> = keys.iter().map(|key| key.to_hex()).collect();
        let cache = store.cache();
        let reading = cache.get_many(&hashes, self.now());
        match tokio::time::timeout(self.shared.limits.read_timeout, reading).await {
            Ok(Ok(mut found)) => {
                let pair = |(key, hash): (&Key, &String)| Some((*key, found.remove(hash)?));
                keys.iter().zip(&hashes).filter_map(pair).collect()
            }
            Ok(Err(error)) => {
                warn!(error = %chain(&error), "failed to read a cache; going on without it");
                HashMap::new()
            }
            Err(_) => {
                warn!("reading a cache took too long; going on without it");
                HashMap::new()
            }
        }
    }

    /// Puts a write for the table aside until [`Self::settle`]. Dropped when too many wait.
    pub(super) fn write_later(&self, key: Key, value: Vec<u8>, until: Timestamp) {
        if self.shared.store.is_none() {
            return;
        }
        let mut pending = self.shared.pending.lock().expect("no panic while it is held");
        let waiting: usize = pending.iter().map(|write| write.value.len()).sum();
        if waiting + value.len() <= self.shared.limits.pending {
            pending.push(CacheWrite { hash: key.to_hex(), value, until });
        }
    }

    /// Writes what waits. Called beside a flow's own last call, so that it costs no round trip; nothing
    /// is spawned, because a function is frozen after its response.
    pub async fn settle(&self) {
        let Some(store) = &self.shared.store else { return };
        let writes = {
            let mut pending = self.shared.pending.lock().expect("no panic while it is held");
            std::mem::take(&mut *pending)
        };
        if writes.is_empty() {
            return;
        }
        let cache = store.cache();
        let writing = cache.put_many(writes);
        match tokio::time::timeout(self.shared.limits.write_timeout, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(error = %chain(&error), "failed to write a cache"),
            Err(_) => warn!("writing a cache took too long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        Key::of_vector("test", number, "")
    }

    #[test]
    fn memory_stays_within_its_bytes_and_forgets_in_time() {
        let memory = Memory::new(1 << 20);
        let until = Timestamp::from_millis(100);
        for number in 0..5_000 {
            memory.put(key(number), Arc::new(number), 10_000, until);
        }
        assert!(memory.0.weight() <= 1 << 20, "{}", memory.0.weight());
        assert!(memory.0.len() > 10);
        memory.put(key(9), Arc::new(9), 10, until);
        assert_eq!(memory.get(&key(9), Timestamp::from_millis(99)).as_deref(), Some(&9));
        assert_eq!(memory.get(&key(9), until), None);
        memory.put(key(7), Arc::new(7), 2 << 20, until);
        assert_eq!(memory.get(&key(7), Timestamp::default()), None, "larger than all of it");
    }
}
