//! Ranked candidates as they are kept. They are candidates still: every use is checked against the documents'
//! records like those fresh from the index.

use std::sync::Arc;

use lectern_core::{
    passage::{Passage, ScoredPassage},
    time::Timestamp,
};

use super::{Caches, Epoch, Key, MAX_RETRIEVAL_BYTES, RETRIEVAL_TTL};

/// What the index found, fused and reranked, in one epoch of the collection.
#[derive(Clone, Debug)]
pub(crate) struct Retrieved {
    epoch: Epoch,
    until: Timestamp,
    /// Best first.
    pub(crate) ranked: Vec<ScoredPassage>,
}

impl Retrieved {
    /// Whether nothing of the collection changed since.
    pub(crate) fn is_of(&self, epoch: Epoch) -> bool {
        self.epoch == epoch
    }

    fn size(&self) -> usize {
        self.ranked.iter().map(|found| size(&found.passage)).sum()
    }

    fn to_json(&self) -> Option<Vec<u8>> {
        let pairs: Vec<(&Passage, f32)> =
            self.ranked.iter().map(|found| (&found.passage, found.score)).collect();
        serde_json::to_vec(&(self.epoch, self.until, pairs)).ok()
    }

    fn of_json(bytes: &[u8]) -> Option<Self> {
        let (epoch, until, pairs): (Epoch, Timestamp, Vec<(Passage, f32)>) =
            serde_json::from_slice(bytes).ok()?;
        let scored = |(passage, score)| ScoredPassage { passage, score };
        Some(Self { epoch, until, ranked: pairs.into_iter().map(scored).collect() })
    }
}

impl Caches {
    /// Returns what was retrieved under `key` lately, from memory or else the table; not yet verified.
    pub(crate) async fn retrieved(&self, key: &Key) -> Option<Arc<Retrieved>> {
        let now = self.now();
        if let Some(found) = self.shared.retrievals.get(key, now) {
            return Some(found);
        }
        let bytes = self.stored(&[*key]).await.remove(key)?;
        let found = Arc::new(Retrieved::of_json(&bytes)?);
        self.shared.retrievals.put(*key, Arc::clone(&found), found.size(), found.until);
        Some(found)
    }

    /// Keeps what was retrieved in or after `epoch`; in the table too when it is small.
    pub(crate) fn keep_retrieved(&self, key: Key, epoch: Epoch, ranked: &[ScoredPassage]) {
        let until = self.now() + RETRIEVAL_TTL;
        let kept = Arc::new(Retrieved { epoch, until, ranked: ranked.to_vec() });
        let bytes = kept.size();
        self.shared.retrievals.put(key, Arc::clone(&kept), bytes, until);
        // The estimate first: writing out hundreds of passages only to measure them takes a millisecond.
        if bytes <= MAX_RETRIEVAL_BYTES
            && let Some(json) = kept.to_json().filter(|json| json.len() <= MAX_RETRIEVAL_BYTES)
        {
            self.write_later(key, json, until);
        }
    }

    /// Counts whether candidates came from the cache.
    pub(crate) fn count_retrieved(&self, is_hit: bool) {
        self.shared.counters.retrievals.add(usize::from(is_hit), usize::from(!is_hit));
    }
}

/// Returns about how many bytes a passage takes in memory.
fn size(passage: &Passage) -> usize {
    let acl: usize = passage.acl.iter().map(|name| name.len() + size_of::<String>()).sum();
    let metadata = passage.metadata.iter().map(|(name, value)| 64 + name.len() + weigh(value));
    size_of::<ScoredPassage>()
        + passage.text.len()
        + passage.heading.len()
        + passage.document_name.len()
        + 160
        + acl
        + metadata.sum::<usize>()
}

fn weigh(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(|item| 32 + weigh(item)).sum(),
        serde_json::Value::Object(fields) => {
            fields.iter().map(|(name, item)| 64 + name.len() + weigh(item)).sum()
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => 0,
    }
}
