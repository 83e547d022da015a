//! An embedder that remembers vectors.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use futures::future::{Either, select};
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{Embedded, Embedder, EmbeddingModel, Quota},
};

use super::{Caches, Key, VECTOR_TTL};

/// Most texts of one call whose vectors are looked for in the table.
const MAX_STORED: usize = 16;

/// An embedder in front of which vectors are kept by model and exact text. For questions: what is
/// ingested is told apart by the passages' own hashes.
///
/// The table and the model are asked at the same time, so that a vector nobody has costs no round trip
/// more than before. What a vector from the table spares is the wait for the model, and its
/// failure; the fraction of a cent is spent, and counted by estimate. What memory has costs nothing.
#[derive(Clone, Debug)]
pub struct CachedEmbedder {
    inner: Arc<dyn Embedder>,
    caches: Caches,
    has_table: bool,
}

impl CachedEmbedder {
    /// Returns `inner` behind both tiers; for a model on the network.
    #[must_use]
    pub fn new(inner: Arc<dyn Embedder>, caches: Caches) -> Self {
        Self { inner, caches, has_table: true }
    }

    /// Returns `inner` behind the memory of this process; for a model in it, which is no slower than
    /// the table.
    #[must_use]
    pub fn in_memory(inner: Arc<dyn Embedder>, caches: Caches) -> Self {
        Self { inner, caches, has_table: false }
    }

    fn key(&self, text: &str) -> Key {
        let model = self.inner.model();
        Key::of_vector(&model.id, model.dimensions, text)
    }

    /// Returns the vectors of `texts`, from whoever has all of them first.
    async fn make(&self, keys: &[Key], texts: &[String]) -> Result<Embedded, PortError> {
        let made = pin!(self.made(keys, texts));
        let stored = pin!(self.stored(keys));
        match select(made, stored).await {
            Either::Left((Ok(made), _)) => Ok(made),
            Either::Left((Err(error), stored)) => {
                // What timed out may have been read; what was refused was not.
                let is_read = error.kind == ErrorKind::Timeout;
                let tokens = if is_read { self.inner.estimate(texts) } else { 0 };
                Ok(Embedded { vectors: stored.await.ok_or(error)?, tokens })
            }
            // The model was asked already.
            Either::Right((Some(vectors), _)) => {
                Ok(Embedded { vectors, tokens: self.inner.estimate(texts) })
            }
            Either::Right((None, made)) => made.await,
        }
    }

    async fn made(&self, keys: &[Key], texts: &[String]) -> Result<Embedded, PortError> {
        let Embedded { vectors, tokens } = self.inner.embed_counted(texts).await?;
        if vectors.len() != texts.len() {
            return Err(PortError::bare(ErrorKind::Internal, "embed"));
        }
        if self.has_table {
            let until = self.caches.now() + VECTOR_TTL;
            for (key, vector) in keys.iter().zip(&vectors).take(MAX_STORED) {
                self.caches.write_later(*key, bytes_of(vector), until);
            }
        }
        Ok(Embedded { vectors, tokens })
    }

    /// Returns the vectors of `keys` if the table has every one.
    async fn stored(&self, keys: &[Key]) -> Option<Vec<Vec<f32>>> {
        if !self.has_table || keys.len() > MAX_STORED {
            return None;
        }
        let found = self.caches.stored(keys).await;
        let dimensions = self.inner.model().dimensions;
        keys.iter().map(|key| vector_of(found.get(key)?, dimensions)).collect()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Embedder for CachedEmbedder {
    fn model(&self) -> &EmbeddingModel {
        self.inner.model()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(self.embed_counted(texts).await?.vectors)
    }

    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        let memory = &self.caches.shared.vectors;
        let now = self.caches.now();
        let keys: Vec<Key> = texts.iter().map(|text| self.key(text)).collect();
        let known: Vec<Option<Arc<Vec<f32>>>> =
            keys.iter().map(|key| memory.get(key, now)).collect();
        let missing: Vec<usize> = (0..texts.len()).filter(|at| known[*at].is_none()).collect();
        let hits = texts.len() - missing.len();
        self.caches.shared.counters.vectors.add(hits, missing.len());
        let Embedded { vectors: made, tokens } = if missing.is_empty() {
            Embedded::default()
        } else {
            let wanted: Vec<Key> = missing.iter().map(|at| keys[*at]).collect();
            let unknown: Vec<String> = missing.iter().map(|at| texts[*at].clone()).collect();
            self.make(&wanted, &unknown).await?
        };
        let mut made = made.into_iter();
        let mut vectors = Vec::with_capacity(texts.len());
        for (key, known) in keys.into_iter().zip(known) {
            if let Some(vector) = known {
                vectors.push(vector.to_vec());
            } else if let Some(vector) = made.next() {
                let kept = Arc::new(vector.clone());
                memory.put(key, kept, size_of_val(vector.as_slice()), now + VECTOR_TTL);
                vectors.push(vector);
            }
        }
        Ok(Embedded { vectors, tokens })
    }

    /// Returns the estimate of what memory does not have.
    fn estimate(&self, texts: &[String]) -> u64 {
        if self.inner.estimate(texts) == 0 {
            return 0;
        }
        let (memory, now) = (&self.caches.shared.vectors, self.caches.now());
        let is_unknown = |text: &&String| memory.get(&self.key(text), now).is_none();
        let unknown: Vec<String> = texts.iter().filter(is_unknown).cloned().collect();
        self.inner.estimate(&unknown)
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.inner.ping().await
    }

    fn quota(&self) -> Option<Quota> {
        self.inner.quota()
    }
}

fn bytes_of(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Returns the vector of `dimensions` finite numbers that `bytes` are, if they are one.
fn vector_of(bytes: &[u8], dimensions: usize) -> Option<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let vector: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    let is_vector = rest.is_empty()
        && vector.len() == dimensions
        && vector.iter().all(|number| number.is_finite());
    is_vector.then_some(vector)
}
