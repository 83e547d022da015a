//! An embedding model behind an OpenAI-compatible API.

use std::time::Duration;

use async_trait::async_trait;
use lectern_core::{
    chunking::estimate_tokens,
    errors::{ErrorKind, PortError},
    ports::{Embedded, Embedder, EmbeddingModel, Quota},
};
use thiserror::Error;
use tokio::time::timeout;

use super::wire::{EmbeddingBody, EmbeddingReply, IndexedEmbedding};
use crate::{
    http::{
        Endpoint,
        failures::{self, Failure},
    },
    identity::{self, native_dimensions},
    vectors::normalise,
};

const OPERATION: &str = "openai embed";

/// Bounds of a call and of the requests it is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddingLimits {
    /// Most texts of one call: few enough requests to fit the time a call may take.
    pub texts: usize,
    /// Most texts of one request. Gemini takes 100.
    pub batch_texts: usize,
    /// Most bytes of text of one request, the first text excepted.
    pub batch_bytes: usize,
    /// Most bytes of one text; the rest is cut. No tokeniser makes more tokens than bytes, so a text of 8 191
    /// bytes fits OpenAI's window of 8 191 tokens.
    pub text_bytes: usize,
    /// Longest wait for one request's reply.
    pub timeout: Duration,
}

impl Default for EmbeddingLimits {
    fn default() -> Self {
        Self {
            texts: 512,
            batch_texts: 96,
            batch_bytes: 256 * 1024,
            text_bytes: 8_191,
            timeout: Duration::from_secs(20),
        }
    }
}

/// A reply whose vectors cannot be used.
#[derive(Debug, Error)]
enum Unusable {
    #[error("{found} texts in one call, at most {limit} are allowed")]
    TooMany { found: usize, limit: usize },
    #[error("the server sent {found} vectors for {expected} texts, or an index twice")]
    Count { expected: usize, found: usize },
    #[error("the server sent a vector of {found} numbers instead of {expected}")]
    Dimensions { expected: usize, found: usize },
    #[error("the server sent a vector that is zero or not finite")]
    Direction,
}

/// One embedding model of an endpoint.
#[derive(Clone, Debug)]
pub struct OpenAiEmbedder {
    endpoint: Endpoint,
    name: String,
    model: EmbeddingModel,
    limits: EmbeddingLimits,
}

impl OpenAiEmbedder {
    /// Returns the model that `endpoint` calls `name` and whose vectors have `dimensions` numbers. Where a
    /// well-known model's vectors are longer, the API is asked to shorten them, and the model's id says so.
    #[must_use]
    pub fn new(endpoint: Endpoint, name: &str, dimensions: usize, limits: EmbeddingLimits) -> Self {
        let (model, endpoint) = (identity::openai(name, dimensions), endpoint.for_one_model());
        Self { endpoint, name: name.to_owned(), model, limits }
    }

    fn batches<'texts>(&self, texts: &'texts [String]) -> Vec<Vec<&'texts str>> {
        let mut batches: Vec<Vec<&str>> = Vec::new();
        let mut bytes = 0;
        for text in texts {
            // The API refuses an empty input, and the port refuses none.
            let text = if text.is_empty() { " " } else { cut(text, self.limits.text_bytes) };
            bytes += text.len();
            match batches.last_mut() {
                Some(batch)
                    if batch.len() < self.limits.batch_texts
                        && bytes <= self.limits.batch_bytes =>
                {
                    batch.push(text);
                }
                _ => {
                    batches.push(vec![text]);
                    bytes = text.len();
                }
            }
        }
        batches
    }

    async fn request(&self, batch: &[&str]) -> Result<Embedded, PortError> {
        let native = native_dimensions(&self.name);
        let dimensions = self.model.dimensions;
        let body = EmbeddingBody {
            model: &self.name,
            input: batch,
            encoding_format: "float",
            dimensions: native.filter(|native| *native != dimensions).map(|_| dimensions),
        };
        let reply =
            self.endpoint.exchange("embeddings", &body, self.limits.timeout, OPERATION).await?;
        let reply: EmbeddingReply =
            serde_json::from_slice(&reply).map_err(|error| Failure::json(&error).at(OPERATION))?;
        let counted = reply.usage.and_then(|usage| usage.prompt_tokens);
        // A server that says 0 of a text has not counted.
        let counted = counted.filter(|tokens| *tokens > 0).map(u64::from);
        let vectors = in_order(reply.data, batch.len(), dimensions)
            .map_err(|unusable| PortError::new(ErrorKind::Internal, OPERATION, unusable))?;
        Ok(Embedded { vectors, tokens: counted.unwrap_or_else(|| estimate(batch)) })
    }
}

/// Returns how many tokens the texts of a request are, where the server does not say.
fn estimate(batch: &[&str]) -> u64 {
    batch.iter().map(|text| estimate_tokens(text) as u64).sum()
}

/// Returns the longest beginning of `text` of at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Returns the vectors by their index, each checked and normalised.
fn in_order(
    data: Vec<IndexedEmbedding>,
    expected: usize,
    dimensions: usize,
) -> Result<Vec<Vec<f32>>, Unusable> {
    let found = data.len();
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; expected];
    for IndexedEmbedding { index, mut embedding } in data {
        if embedding.len() != dimensions {
            return Err(Unusable::Dimensions { expected: dimensions, found: embedding.len() });
        }
        if !normalise(&mut embedding) {
            return Err(Unusable::Direction);
        }
        match vectors.get_mut(index) {
            Some(free @ None) => *free = Some(embedding),
            _ => return Err(Unusable::Count { expected, found }),
        }
    }
    let vectors: Option<Vec<_>> = vectors.into_iter().collect();
    vectors.ok_or(Unusable::Count { expected, found })
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(self.embed_counted(texts).await?.vectors)
    }

    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        let (found, limit) = (texts.len(), self.limits.texts);
        if found > limit {
            let error = Unusable::TooMany { found, limit };
            return Err(PortError::new(ErrorKind::TooLarge, OPERATION, error));
        }
        let mut all = Embedded { vectors: Vec::with_capacity(found), tokens: 0 };
        // One after the other: the API's rate limit, not the round trip, bounds an ingestion.
        for batch in self.batches(texts) {
            let reply = timeout(self.limits.timeout, self.request(&batch)).await;
            let made = reply.map_err(|_| failures::silent(OPERATION, self.limits.timeout))??;
            all.vectors.extend(made.vectors);
            all.tokens += made.tokens;
        }
        Ok(all)
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        self.batches(texts).iter().map(|batch| estimate(batch)).sum()
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.endpoint.ping(OPERATION).await
    }

    fn quota(&self) -> Option<Quota> {
        self.endpoint.quota()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::ReplyLimits;

    fn embedder(limits: EmbeddingLimits) -> OpenAiEmbedder {
        let endpoint = Endpoint::new("http://localhost", None, ReplyLimits::default()).unwrap();
        OpenAiEmbedder::new(endpoint, "text-embedding-3-small", 1_536, limits)
    }

    fn sizes(limits: EmbeddingLimits, lengths: &[usize]) -> Vec<Vec<usize>> {
        let texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
        let batches = embedder(limits).batches(&texts);
        batches.iter().map(|batch| batch.iter().map(|text| text.len()).collect()).collect()
    }

    #[test]
    fn batches_are_bounded_by_count_and_by_bytes() {
        let limits = EmbeddingLimits {
            batch_texts: 3,
            batch_bytes: 100,
            text_bytes: 80,
            ..EmbeddingLimits::default()
        };
        assert_eq!(sizes(limits, &[1, 1, 1, 1]), [vec![1, 1, 1], vec![1]]);
        assert_eq!(sizes(limits, &[60, 40, 1]), [vec![60, 40], vec![1]]);
        assert_eq!(sizes(limits, &[500, 0, 70]), [vec![80, 1], vec![70]]);
        assert!(sizes(limits, &[]).is_empty());
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("aüb", 2), "a");
        assert_eq!(cut("aüb", 3), "aü");
        assert_eq!(cut("ab", 9), "ab");
    }

    fn indexed(index: usize, embedding: &[f32]) -> IndexedEmbedding {
        IndexedEmbedding { index, embedding: embedding.to_vec() }
    }

    #[test]
    fn vectors_are_put_in_order_and_normalised() {
        let vectors = in_order(vec![indexed(1, &[0.0, 2.0]), indexed(0, &[3.0, 4.0])], 2, 2);
        assert_eq!(vectors.unwrap(), [[0.6, 0.8], [0.0, 1.0]]);
    }

    #[test]
    fn missing_double_foreign_short_and_zero_vectors_are_refused() {
        let good = || indexed(0, &[1.0, 0.0]);
        for data in [
            vec![good()],
            vec![good(), good()],
            vec![good(), indexed(2, &[1.0, 0.0])],
            vec![good(), indexed(1, &[1.0])],
            vec![good(), indexed(1, &[0.0, 0.0])],
            vec![good(), indexed(1, &[1.0, 0.0]), indexed(1, &[1.0, 0.0])],
        ] {
            assert!(in_order(data, 2, 2).is_err());
        }
    }

    #[test]
    fn a_shortened_model_has_its_own_id() {
        let full = embedder(EmbeddingLimits::default());
        assert_eq!(full.model().id, "openai:text-embedding-3-small");
        let short = OpenAiEmbedder::new(full.endpoint, &full.name, 512, full.limits);
        assert_eq!(short.model().id, "openai:text-embedding-3-small@512");
    }
}
