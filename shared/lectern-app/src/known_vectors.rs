//! Vectors that are known already need not be made: those that came with an import.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{Embedded, Embedder, EmbeddingModel, Quota},
};

/// An embedder that has some vectors already, of its own model.
#[derive(Debug)]
pub struct KnownVectors {
    inner: Arc<dyn Embedder>,
    // A lock, looked under for an instant: an import fills it, ingestion reads it.
    known: Mutex<HashMap<String, Vec<f32>>>,
    used: AtomicU64,
}

impl KnownVectors {
    /// Returns one that knows none.
    #[must_use]
    pub fn new(inner: Arc<dyn Embedder>) -> Self {
        Self { inner, known: Mutex::default(), used: AtomicU64::new(0) }
    }

    /// Knows these vectors by the text they are of, and no others from here on. Those of another length than the model's are
    /// left out.
    pub fn know(&self, vectors: HashMap<String, Vec<f32>>) {
        let dimensions = self.inner.model().dimensions;
        let fitting = vectors.into_iter().filter(|(_, vector)| vector.len() == dimensions);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = fitting.collect();
    }

    /// Returns how many known vectors were given out.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn look_up(&self, texts: &[String]) -> Vec<Option<Vec<f32>>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<Option<Vec<f32>>> =
            texts.iter().map(|text| known.get(text).cloned()).collect();
        let used = found.iter().flatten().count() as u64;
        self.used.fetch_add(used, Ordering::Relaxed);
        found
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Embedder for KnownVectors {
    fn model(&self) -> &EmbeddingModel {
        self.inner.model()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(self.embed_counted(texts).await?.vectors)
    }

    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        let known = self.look_up(texts);
        let pairs = texts.iter().zip(&known);
        let missing: Vec<String> =
            pairs.filter(|(_, known)| known.is_none()).map(|(text, _)| text.clone()).collect();
        let Embedded { vectors: made, tokens } = if missing.is_empty() {
            Embedded::default()
        } else {
            self.inner.embed_counted(&missing).await?
        };
        let mut made = made.into_iter();
        let vectors: Vec<Vec<f32>> =
            known.into_iter().map_while(|known| known.or_else(|| made.next())).collect();
        if vectors.len() != texts.len() {
            return Err(PortError::bare(ErrorKind::Internal, "embed"));
        }
        Ok(Embedded { vectors, tokens })
    }

    /// Returns the estimate of what is not known.
    fn estimate(&self, texts: &[String]) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = texts.iter().filter(|text| !known.contains_key(*text));
        self.inner.estimate(&missing.cloned().collect::<Vec<_>>())
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.inner.ping().await
    }

    fn quota(&self) -> Option<Quota> {
        self.inner.quota()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting(EmbeddingModel, Mutex<Vec<String>>);

    #[async_trait]
    impl Embedder for Counting {
        fn model(&self) -> &EmbeddingModel {
            &self.0
        }

        async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
            self.1.lock().unwrap().extend(texts.iter().cloned());
            Ok(texts.iter().map(|_| vec![0.0, 1.0]).collect())
        }
    }

    #[tokio::test]
    async fn only_what_is_not_known_is_made_and_the_order_stays() {
        let model = EmbeddingModel { id: "two".into(), dimensions: 2 };
        let inner = Arc::new(Counting(model, Mutex::default()));
        let known = KnownVectors::new(Arc::clone(&inner) as Arc<dyn Embedder>);
        let vectors = [("b", vec![1.0, 0.0]), ("d", vec![1.0])];
        known.know(vectors.map(|(text, vector)| (text.to_owned(), vector)).into());
        let texts = ["a", "b", "c", "d"].map(str::to_owned);
        let embedded = known.embed(&texts).await.unwrap();
        assert_eq!(embedded, [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]);
        assert_eq!(*inner.1.lock().unwrap(), ["a", "c", "d"], "a vector of another length is none");
        assert_eq!(known.used(), 1);
        known.know(HashMap::new());
        known.embed(&texts[1..2]).await.unwrap();
        assert_eq!(inner.1.lock().unwrap().last().unwrap(), "b");
        assert_eq!(known.embed(&[]).await.unwrap(), [] as [Vec<f32>; 0]);
    }
}
