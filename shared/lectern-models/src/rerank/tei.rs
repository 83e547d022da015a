//! Text Embeddings Inference: a cross-encoder (`BAAI/bge-reranker-v2-m3`, say) on one's own machine.

use std::time::Duration;

use async_trait::async_trait;
use lectern_core::{errors::PortError, ports::Reranker};
use serde::{Deserialize, Serialize};

use super::scores::{cut, in_order, read, sendable, within};
use crate::http::Endpoint;

const OPERATION: &str = "tei rerank";

/// Most passages of one request: what a server takes that was started without `--max-client-batch-size`.
pub const TEI_BATCH: usize = 32;

/// The model a server was started with.
#[derive(Clone, Debug)]
pub struct TeiReranker {
    endpoint: Endpoint,
}

#[derive(Serialize)]
struct Request<'call> {
    query: &'call str,
    texts: &'call [&'call str],
    /// The model's own scores: the sigmoid's 0 to 1 rounds the best ones to the same number.
    raw_scores: bool,
    truncate: bool,
}

#[derive(Deserialize)]
struct Rank {
    index: usize,
    score: f32,
}

impl TeiReranker {
    /// Returns the model of the server at `endpoint`, the part before `/rerank`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Scores the passages batch by batch. A cross-encoder looks at one passage at a time, so that the scores
    /// of different batches compare.
    async fn batches(
        &self,
        query: &str,
        texts: &[&str],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        let mut scores = Vec::with_capacity(texts.len());
        for texts in texts.chunks(TEI_BATCH) {
            let request = Request { query, texts, raw_scores: true, truncate: true };
            let reply = self.endpoint.exchange("rerank", &request, timeout, OPERATION).await?;
            let ranks: Vec<Rank> = read(&reply, OPERATION)?;
            let scored = ranks.into_iter().map(|rank| (rank.index, rank.score));
            scores.extend(in_order(scored, texts.len(), OPERATION)?);
        }
        Ok(scores)
    }
}

#[async_trait]
impl Reranker for TeiReranker {
    /// The server does not say its model in a reply.
    fn model(&self) -> &str {
        "tei"
    }

    async fn rerank(
        &self,
        question: &str,
        passages: &[String],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        let texts = sendable(passages, OPERATION)?;
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        within(timeout, OPERATION, self.batches(cut(question), &texts, timeout)).await
    }
}
