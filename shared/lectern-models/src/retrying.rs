//! Tries again what may pass: exponential backoff with full jitter, within a deadline.

use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{
        ChatModel, ChatRequest, ChatStream, Embedded, Embedder, EmbeddingModel, Quota, Reranker,
    },
};
use lectern_telemetry::{
    call::{Dependency, word_of},
    instruments::MODEL_RETRIES,
};
use tokio::time::{Instant, timeout_at};

/// How often and how patiently a call is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Most calls in all; 1 never tries again.
    pub max_attempts: u32,
    /// Upper end of the first random pause; doubled for each further one.
    pub first_pause: Duration,
    /// Largest upper end of a pause.
    pub max_pause: Duration,
    /// Longest `Retry-After` that is waited out. A server that asks for more is taken at its word: the error
    /// is returned at once, with the wait, for the caller to pass on.
    pub max_retry_after: Duration,
    /// Longest time for all attempts and pauses of an embedding together. A chat and a reranking have their
    /// own, given with each call.
    pub embedding_budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            first_pause: Duration::from_millis(250),
            max_pause: Duration::from_secs(4),
            max_retry_after: Duration::from_secs(10),
            embedding_budget: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.max_pause)
            .with_max_times(self.max_attempts.saturating_sub(1) as usize)
    }

    /// Returns the pause before the next attempt, `None` to give up. `longest` is the backoff's, `None` once
    /// its attempts are used up; `fraction`, from 0 to 1, is the jitter.
    fn pause(
        &self,
        error: &PortError,
        longest: Option<Duration>,
        fraction: f64,
        remaining: Duration,
    ) -> Option<Duration> {
        let jittered = longest?.mul_f64(fraction);
        let pause = match error.kind {
            ErrorKind::RateLimited { retry_after: Some(asked) } if asked > self.max_retry_after => {
                return None;
            }
            // The jitter on top keeps callers that were refused together from returning together.
            ErrorKind::RateLimited { retry_after: Some(asked) } => asked + jittered,
            _ => jittered,
        };
        (pause < remaining).then_some(pause)
    }

    async fn run<T, F, Call>(
        &self,
        dependency: Dependency,
        deadline: Instant,
        call: Call,
    ) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, PortError>>,
        Call: FnMut() -> F,
    {
        let remaining = || deadline.saturating_duration_since(Instant::now());
        call.retry(self.backoff())
            .when(PortError::is_retryable)
            .notify(|error, _| {
                let kind = word_of(error.kind);
                MODEL_RETRIES.add(1, &[("dependency", dependency.as_str()), ("kind", kind)]);
            })
            .adjust(|error, longest| self.pause(error, longest, fastrand::f64(), remaining()))
            .await
    }
}

/// A chat model, embedder or reranker that is tried again after `RateLimited`, `Timeout` and `Unavailable`.
///
/// A reply is tried again only until its first token: what was given out cannot be taken back, so a stream that
/// fails later ends in its error.
#[derive(Clone, Debug)]
pub struct Retrying<M> {
    inner: M,
    policy: RetryPolicy,
}

impl<M> Retrying<M> {
    /// Returns `inner`, tried again as `policy` says.
    pub fn new(inner: M, policy: RetryPolicy) -> Self {
        Self { inner, policy }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Retrying<M> {
    fn model(&self) -> &str {
        self.inner.model()
    }

    /// Starts a reply; each attempt gets what is left of the request's time.
    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError> {
        let deadline = Instant::now() + request.timeout;
        let attempt = || {
            let timeout = deadline.saturating_duration_since(Instant::now());
            self.inner.stream(ChatRequest { timeout, ..request.clone() })
        };
        self.policy.run(Dependency::Chat, deadline, attempt).await
    }

    /// Asks once: whoever probes wants to know how it is now.
    async fn ping(&self) -> Result<(), PortError> {
        self.inner.ping().await
    }

    fn quota(&self) -> Option<Quota> {
        self.inner.quota()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: Embedder> Embedder for Retrying<M> {
    fn model(&self) -> &EmbeddingModel {
        self.inner.model()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(self.embed_counted(texts).await?.vectors)
    }

    /// Counts the attempt that succeeded: one that was refused is not billed.
    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        let deadline = Instant::now() + self.policy.embedding_budget;
        let attempts =
            self.policy.run(Dependency::Embedder, deadline, || self.inner.embed_counted(texts));
        timeout_at(deadline, attempts)
            .await
            .map_err(|elapsed| PortError::new(ErrorKind::Timeout, "embed", elapsed))?
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        self.inner.estimate(texts)
    }

    /// Asks once: whoever probes wants to know how it is now.
    async fn ping(&self) -> Result<(), PortError> {
        self.inner.ping().await
    }

    fn quota(&self) -> Option<Quota> {
        self.inner.quota()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: Reranker> Reranker for Retrying<M> {
    fn model(&self) -> &str {
        self.inner.model()
    }

    /// Scores the passages; each attempt gets what is left of `timeout`.
    async fn rerank(
        &self,
        question: &str,
        passages: &[String],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        let deadline = Instant::now() + timeout;
        let attempt = || {
            let timeout = deadline.saturating_duration_since(Instant::now());
            self.inner.rerank(question, passages, timeout)
        };
        self.policy.run(Dependency::Reranker, deadline, attempt).await
    }
}

#[cfg(test)]
#[path = "retrying_tests.rs"]
mod tests;
