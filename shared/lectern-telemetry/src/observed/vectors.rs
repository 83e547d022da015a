//! Embedders and rerankers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lectern_core::{
    errors::PortError,
    ports::{Embedded, Embedder, EmbeddingModel, Quota, Reranker},
};
use tracing::Instrument as _;

use super::model::{Named, Seen};
use crate::{call::Dependency, circuit::Circuit, labels};

/// An embedder whose calls are noted, and not made while they cannot succeed.
#[derive(Clone, Debug)]
pub struct ObservedEmbedder {
    inner: Arc<dyn Embedder>,
    named: Named,
    circuit: Circuit,
}

impl ObservedEmbedder {
    /// Returns `inner`; `provider` as the GenAI conventions name it.
    #[must_use]
    pub fn new(inner: Arc<dyn Embedder>, provider: &'static str) -> Self {
        let model = labels::word(&inner.model().id);
        let named = Named { operation: "embeddings", provider, model };
        Self { inner, named, circuit: Circuit::to(Dependency::Embedder) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Embedder for ObservedEmbedder {
    fn model(&self) -> &EmbeddingModel {
        self.inner.model()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        let mut seen = Seen::new(self.named);
        seen.admit(&self.circuit)?;
        let made = self.inner.embed(texts).instrument(seen.span.clone()).await;
        seen.ended(&made);
        made
    }

    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        let mut seen = Seen::new(self.named);
        seen.admit(&self.circuit)?;
        let made = self.inner.embed_counted(texts).instrument(seen.span.clone()).await;
        if let Ok(made) = &made {
            seen.span.record("gen_ai.usage.input_tokens", made.tokens);
            #[expect(clippy::cast_precision_loss, reason = "no call reads 2^52 tokens")]
            seen.counted("input", made.tokens as f64);
        }
        seen.ended(&made);
        made
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        self.inner.estimate(texts)
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.circuit.check("ping")?;
        self.inner.ping().await
    }

    fn quota(&self) -> Option<Quota> {
        self.inner.quota()
    }
}

/// A reranker whose calls are noted, and not made while they cannot succeed.
#[derive(Clone, Debug)]
pub struct ObservedReranker {
    inner: Arc<dyn Reranker>,
    named: Named,
    circuit: Circuit,
}

impl ObservedReranker {
    /// Returns `inner`; `provider` as its settings name it.
    #[must_use]
    pub fn new(inner: Arc<dyn Reranker>, provider: &'static str) -> Self {
        let model = labels::word(inner.model());
        let named = Named { operation: "rerank", provider, model };
        Self { inner, named, circuit: Circuit::to(Dependency::Reranker) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Reranker for ObservedReranker {
    fn model(&self) -> &str {
        self.inner.model()
    }

    async fn rerank(
        &self,
        question: &str,
        passages: &[String],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        let mut seen = Seen::new(self.named);
        seen.admit(&self.circuit)?;
        let call = self.inner.rerank(question, passages, timeout);
        let scores = call.instrument(seen.span.clone()).await;
        seen.ended(&scores);
        scores
    }
}
