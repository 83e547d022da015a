//! Bounds how long an embedder may take.

use std::time::Duration;

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{Embedded, Embedder, EmbeddingModel, Quota},
};
use tokio::time::timeout;

/// An embedder whose calls fail with `Timeout` after a limit.
#[derive(Clone, Debug)]
pub struct Timed<E> {
    inner: E,
    limit: Duration,
}

impl<E> Timed<E> {
    /// Returns `inner` with each call bounded by `limit`.
    pub fn new(inner: E, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<E: Embedder> Embedder for Timed<E> {
    fn model(&self) -> &EmbeddingModel {
        self.inner.model()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        timeout(self.limit, self.inner.embed(texts))
            .await
            .map_err(|elapsed| PortError::new(ErrorKind::Timeout, "embed", elapsed))?
    }

    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        timeout(self.limit, self.inner.embed_counted(texts))
            .await
            .map_err(|elapsed| PortError::new(ErrorKind::Timeout, "embed", elapsed))?
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        self.inner.estimate(texts)
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
    use futures::future;

    use super::*;

    #[derive(Debug)]
    struct Slow {
        model: EmbeddingModel,
        takes: Option<Duration>,
    }

    #[async_trait]
    impl Embedder for Slow {
        fn model(&self) -> &EmbeddingModel {
            &self.model
        }

        async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
            match self.takes {
                Some(duration) => tokio::time::sleep(duration).await,
                None => future::pending().await,
            }
            Ok(vec![vec![1.0]; texts.len()])
        }
    }

    fn timed(takes: Option<Duration>) -> Timed<Slow> {
        let model = EmbeddingModel { id: "slow".into(), dimensions: 1 };
        Timed::new(Slow { model, takes }, Duration::from_millis(300))
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_past_the_limit_is_a_timeout_and_one_within_passes() {
        let error = timed(None).embed(&["a".into()]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout);
        let error = timed(Some(Duration::from_millis(301))).embed(&["a".into()]).await;
        assert_eq!(error.unwrap_err().kind, ErrorKind::Timeout);
        let quick = timed(Some(Duration::from_millis(299)));
        assert_eq!(quick.embed(&["a".into()]).await.unwrap(), [[1.0]]);
        assert_eq!(quick.model().id, "slow");
    }
}
