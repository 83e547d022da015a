//! What flows ask of the outside world. Each line of a contract is a function in `lectern-testkit`
//! and is run against every adapter.

use std::{fmt::Debug, pin::Pin, time::Duration};

use async_trait::async_trait;
use futures::Stream;

use crate::{
    document::Job,
    errors::PortError,
    issuers::Issuer,
    passage::{Candidates, Passage, PassageQuery, Point, PointId, Scope, ScrollPage, Visibility},
};

/// Whose vectors these are. Vectors of different models are never compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingModel {
    /// Stable name, `all-MiniLM-L6-v2` or `openai:text-embedding-3-small`.
    pub id: String,
    /// Length of each vector.
    pub dimensions: usize,
}

impl EmbeddingModel {
    /// Whether the model was made for a language (ISO 639-3). all-MiniLM-L6-v2 was trained on English; of other models
    /// nothing is known, and those offered as a service are multilingual.
    #[must_use]
    pub fn knows(&self, language: &str) -> bool {
        self.id != "all-MiniLM-L6-v2" || language == "eng"
    }
}

/// What a provider says is left of what may be asked of it, of requests or tokens in its period, usually a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is left.
    pub left: u64,
    /// Of how much; not 0.
    pub limit: u64,
}

impl Quota {
    /// Returns the share that is left, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share is told with three digits")]
    pub fn share(self) -> f64 {
        (self.left as f64 / self.limit as f64).min(1.0)
    }
}

/// Vectors, and what their provider bills for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embedded {
    /// The vectors, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were billed; 0 for vectors that cost nothing.
    pub tokens: u64,
}

/// Turns texts into vectors.
///
/// Contract: one vector per text, in order, each of `model().dimensions` finite numbers with
/// Euclidean norm 1 (±0.001); the same text gives the same vector; no text is an error; a text longer
/// than the model's window is truncated, not refused; an empty list gives an empty list; counting changes no
/// vector, and an empty list counts nothing.
#[async_trait]
pub trait Embedder: Send + Sync + Debug {
    /// Returns whose vectors these are.
    fn model(&self) -> &EmbeddingModel;

    /// Returns the vectors of `texts`.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError>;

    /// Returns the vectors of `texts` with the tokens their provider bills: what it says, else [`Self::estimate`].
    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        let tokens = self.estimate(texts);
        Ok(Embedded { vectors: self.embed(texts).await?, tokens })
    }

    /// Returns how many tokens a provider would bill for the vectors of `texts` now, by estimate; 0 where they cost
    /// nothing, which is so in process.
    fn estimate(&self, texts: &[String]) -> u64 {
        let _ = texts;
        0
    }

    /// Answers when the model is there and takes the credentials, without using it; for readiness probes. One that offers
    /// no such question is taken to be there.
    async fn ping(&self) -> Result<(), PortError> {
        Ok(())
    }

    /// Returns what is left of the provider's quota, where it said so lately.
    fn quota(&self) -> Option<Quota> {
        None
    }
}

/// Hands out the keys an issuer signs its tokens with.
///
/// Contract: what is returned is the JSON of a key set (RFC 7517, section 5) as the issuer publishes it, bounded in size and
/// time; keys are not checked here; an issuer that cannot be reached, or whose configuration names another, is an error.
#[async_trait]
pub trait IssuerKeys: Send + Sync + Debug {
    /// Returns the key set of an issuer.
    async fn fetch(&self, issuer: &Issuer) -> Result<Vec<u8>, PortError>;
}

/// Who speaks in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The operator's instructions.
    System,
    /// The person who asks.
    User,
    /// The model.
    Assistant,
}

/// One message of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// What a chat model is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    /// The messages, oldest first.
    pub messages: Vec<ChatMessage>,
    /// Most tokens of the reply.
    pub max_tokens: u32,
    /// Sampling temperature.
    pub temperature: f32,
    /// How long the whole reply may take.
    pub timeout: Duration,
}

/// Tokens a model counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCount {
    /// Tokens sent.
    pub prompt: u32,
    /// Tokens received.
    pub completion: u32,
}

/// A piece of a model's reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatEvent {
    /// More text.
    Token(String),
    /// The reply is complete. Always the last event of a reply that did not fail.
    Done {
        /// What the model says it counted, if it says so.
        usage: Option<TokenCount>,
        /// Whether the reply was cut at `max_tokens`.
        truncated: bool,
    },
    /// A guardrail of the operator keeps the reply back: what came before is not to be used. The last event, in place of
    /// `Done`.
    Withheld {
        /// What the model says it counted, if it says so.
        usage: Option<TokenCount>,
    },
}

/// A reply as it arrives. A stream that ends without [`ChatEvent::Done`], [`ChatEvent::Withheld`] or an error was cut; adapters
/// turn that into [`crate::errors::ErrorKind::Unavailable`].
pub type ChatStream = Pin<Box<dyn Stream<Item = Result<ChatEvent, PortError>> + Send>>;

/// Replies to a prompt.
///
/// Contract: a refusal before the first token is the outer error; a reply ends with exactly one
/// `Done`, one `Withheld` or one error; a stalled stream ends in `Timeout`, a cut one in `Unavailable`; 429 becomes
/// `RateLimited` with the server's `Retry-After`; a prompt over the context length is `TooLarge`.
#[async_trait]
pub trait ChatModel: Send + Sync + Debug {
    /// Returns the name the price table knows the model by.
    fn model(&self) -> &str;

    /// Starts a reply.
    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError>;

    /// Answers when the model is there and takes the credentials, without using it; for readiness probes. One that offers
    /// no such question is taken to be there.
    async fn ping(&self) -> Result<(), PortError> {
        Ok(())
    }

    /// Returns what is left of the provider's quota, where it said so lately.
    fn quota(&self) -> Option<Quota> {
        None
    }
}

/// Orders passages by how well they answer a question.
///
/// Contract: one score per passage, in the order given, finite, higher is better and comparable within one call only;
/// the same input gives the same order; an empty list gives an empty list without a call; 100 passages are taken,
/// more than the adapter takes are `TooLarge` without a call; no text is an error; a text longer than the model's
/// window is truncated, not refused; a call that is not over in time ends in `Timeout`; a score that is missing,
/// double, foreign or not finite is `Internal`; 429 becomes `RateLimited` with the server's `Retry-After`.
#[async_trait]
pub trait Reranker: Send + Sync + Debug {
    /// Returns the name by which logs, caches and experiments know the model, vendor first: `cohere:rerank-v3.5`.
    fn model(&self) -> &str;

    /// Returns the scores of `passages`, each a text, for `question`. Takes at most `timeout`.
    async fn rerank(
        &self,
        question: &str,
        passages: &[String],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError>;
}

/// Reads passages. The query function holds only this.
///
/// Contract: never returns a passage of another tenant, of another collection than asked, outside
/// the filter, or whose ACL holds neither `*` nor a principal of the caller; each ranking is
/// best first, at most `limit` long, and stable between two equal calls; an empty sparse vector or an absent
/// dense one gives an empty ranking; `get` returns each passage that is there and visible once, whatever was asked
/// beside it; `count` is exact; `scroll` returns every point of the scope once, in id order, with its vectors.
#[async_trait]
pub trait PassageReader: Send + Sync + Debug {
    /// Returns the two rankings for a question.
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError>;

    /// Returns those of the passages `ids` that exist and that the caller may see, in no order.
    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError>;

    /// Returns how many passages the scope holds.
    async fn count(&self, scope: &Scope) -> Result<u64, PortError>;

    /// Returns up to `limit` points of the scope whose ids are at or after `from`.
    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError>;

    /// Answers when the index can be read; for readiness probes.
    async fn ping(&self) -> Result<(), PortError>;
}

/// Writes passages.
///
/// Contract: what a call acknowledged survives `kill -9` and is seen by the next read; writing the
/// same point twice leaves one; deleting what is not there succeeds; `delete` removes nothing outside its scope.
#[async_trait]
pub trait PassageWriter: Send + Sync + Debug {
    /// Writes points, replacing those with the same id.
    async fn upsert(&self, points: Vec<Point>) -> Result<(), PortError>;

    /// Removes every point of the scope.
    async fn delete(&self, scope: &Scope) -> Result<(), PortError>;
}

/// Rings for the ingestion worker. At-least-once; order is not kept. A lost ring is found again by
/// the sweep over pending versions.
#[async_trait]
pub trait JobQueue: Send + Sync + Debug {
    /// Announces a job.
    async fn enqueue(&self, job: &Job) -> Result<(), PortError>;

    /// Answers when the queue can be reached; for readiness probes.
    async fn ping(&self) -> Result<(), PortError> {
        Ok(())
    }
}
