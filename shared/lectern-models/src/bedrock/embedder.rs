//! An embedding model behind Bedrock.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_bedrockruntime::primitives::Blob;
use futures::{StreamExt, TryStreamExt, stream};
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{Embedded, Embedder, EmbeddingModel},
};
use thiserror::Error;
use tokio::time::timeout;

use super::{
    client::Bedrock,
    failures::{self, Failure},
    models::{Model, ModelError},
};
use crate::{
    retrying::{RetryPolicy, Retrying},
    vectors::normalise,
};

const OPERATION: &str = "bedrock embed";

/// Bounds of a call and of the requests it is cut into. How many texts a request takes is the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddingLimits {
    /// Most texts of one call: few enough requests to fit the time a call may take.
    pub texts: usize,
    /// Most requests at the same time. Titan takes one text per request, so that a call is many.
    pub concurrent: usize,
    /// Longest wait for one request's reply.
    pub timeout: Duration,
}

impl Default for EmbeddingLimits {
    fn default() -> Self {
        Self { texts: 512, concurrent: 8, timeout: Duration::from_secs(10) }
    }
}

/// A reply whose vectors cannot be used.
#[derive(Debug, Error)]
enum Unusable {
    #[error("{found} texts in one call, at most {limit} are allowed")]
    TooMany { found: usize, limit: usize },
    #[error("bedrock sent {found} vectors for {expected} texts")]
    Count { expected: usize, found: usize },
    #[error("bedrock sent a vector of {found} numbers instead of {expected}")]
    Dimensions { expected: usize, found: usize },
    #[error("bedrock sent a vector that is zero or not finite")]
    Direction,
}

/// An Amazon Titan or Cohere model.
///
/// Cohere tells documents and queries apart. The port does not, so that both are embedded as `search_document`: passages
/// as they should be, and questions in the same way, which compares like with like. Should the port ever
/// tell them apart, only the questions' vectors change, and no index.
#[derive(Clone, Debug)]
pub struct BedrockEmbedder {
    requests: Retrying<Requests>,
    batch_texts: usize,
    limits: EmbeddingLimits,
}

impl BedrockEmbedder {
    /// Returns the model of the id `name`, with vectors of `dimensions` numbers or the model's own. Each request is
    /// tried again as `policy` says: a call is many requests, and one that is throttled must not repeat the others.
    ///
    /// # Errors
    /// When it is neither a Titan nor a Cohere model, does not offer vectors of that length, or its own length
    /// is not known.
    pub fn new(
        bedrock: Bedrock,
        name: &str,
        dimensions: Option<usize>,
        limits: EmbeddingLimits,
        policy: RetryPolicy,
    ) -> Result<Self, ModelError> {
        let model = Model::parse(name, dimensions)?;
        let batch_texts = model.batch_texts();
        let requests = Requests { bedrock, model, timeout: limits.timeout };
        Ok(Self { requests: Retrying::new(requests, policy), batch_texts, limits })
    }
}

#[async_trait]
impl Embedder for BedrockEmbedder {
    fn model(&self) -> &EmbeddingModel {
        self.requests.model()
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
        let requests =
            texts.chunks(self.batch_texts).map(|batch| self.requests.embed_counted(batch));
        // Collected first: a stream over a closure that borrows is not `Send` for every lifetime.
        let requests: Vec<_> = requests.collect();
        let replies = stream::iter(requests).buffered(self.limits.concurrent.max(1));
        let replies: Vec<Embedded> = replies.try_collect().await?;
        let tokens = replies.iter().map(|reply| reply.tokens).sum();
        let vectors = replies.into_iter().flat_map(|reply| reply.vectors).collect();
        Ok(Embedded { vectors, tokens })
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        self.requests.estimate(texts)
    }
}

/// The model, asked with one request per call.
#[derive(Clone, Debug)]
struct Requests {
    bedrock: Bedrock,
    model: Model,
    timeout: Duration,
}

impl Requests {
    async fn ask(&self, texts: &[String]) -> Result<Embedded, PortError> {
        let cut: Vec<_> = texts.iter().map(|text| self.model.cut(text).to_owned()).collect();
        let body = self.model.body(&cut).to_string();
        let client = self.bedrock.client(OPERATION).await?;
        let send = client
            .invoke_model()
            .model_id(&self.model.name)
            .content_type("application/json")
            .accept("application/json")
            .body(Blob::new(body))
            .send();
        let limit_bytes = self.bedrock.limits.body_bytes;
        let output =
            send.await.map_err(|error| failures::refused(OPERATION, error, limit_bytes))?;
        let reply = self.model.embedded(output.body.as_ref(), texts);
        let Embedded { vectors, tokens } =
            reply.map_err(|error| Failure::json(&error).at(OPERATION))?;
        let vectors = checked(vectors, texts.len(), self.model.identity.dimensions)
            .map_err(|unusable| PortError::new(ErrorKind::Internal, OPERATION, unusable))?;
        Ok(Embedded { vectors, tokens })
    }
}

#[async_trait]
impl Embedder for Requests {
    fn model(&self) -> &EmbeddingModel {
        &self.model.identity
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(self.embed_counted(texts).await?.vectors)
    }

    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        timeout(self.timeout, self.ask(texts))
            .await
            .map_err(|_| failures::silent(OPERATION, self.timeout))?
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        self.model.estimate(texts)
    }
}

/// Returns the vectors, normalised, if they can be used.
fn checked(
    mut vectors: Vec<Vec<f32>>,
    expected: usize,
    dimensions: usize,
) -> Result<Vec<Vec<f32>>, Unusable> {
    if vectors.len() != expected {
        return Err(Unusable::Count { expected, found: vectors.len() });
    }
    for vector in &mut vectors {
        if vector.len() != dimensions {
            return Err(Unusable::Dimensions { expected: dimensions, found: vector.len() });
        }
        if !normalise(vector) {
            return Err(Unusable::Direction);
        }
    }
    Ok(vectors)
}
