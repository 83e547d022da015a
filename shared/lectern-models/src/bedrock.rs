//! Models of Amazon Bedrock: chats by `ConverseStream`, Amazon Titan and Cohere embeddings by `InvokeModel`.
//!
//! Region and credentials come from where AWS tools look for them, in their order; `AWS_BEARER_TOKEN_BEDROCK` (an
//! Amazon Bedrock API key) and `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` or `AWS_ENDPOINT_URL` are honoured. Nothing of this
//! is looked for before the first call. Models are named by the id of a foundation model, by the id of an inference
//! profile or by an ARN.
//!
//! Sources: Amazon Bedrock API Reference, "`ConverseStream`", "`InvokeModel`" and "Common Errors"; Amazon Bedrock User
//! Guide, "Amazon Titan Embeddings Text", "Cohere Embed v3", "Use a guardrail with the Converse API" and "Troubleshooting Amazon Bedrock API Error Codes".

#[cfg(feature = "bedrock")]
mod chat;
#[cfg(feature = "bedrock")]
mod client;
#[cfg(feature = "bedrock")]
mod conversation;
#[cfg(feature = "bedrock")]
mod embedder;
#[cfg(feature = "bedrock")]
mod failures;
#[cfg(feature = "bedrock")]
mod formats;
mod guardrail;
mod models;
mod open;
#[cfg(feature = "bedrock")]
mod remedies;
#[cfg(feature = "bedrock")]
mod reply;

#[cfg(feature = "bedrock")]
pub use chat::BedrockChat;
#[cfg(feature = "bedrock")]
pub use client::{Bedrock, Limits};
#[cfg(feature = "bedrock")]
pub use embedder::{BedrockEmbedder, EmbeddingLimits};
pub use guardrail::{Guardrail, NotAGuardrail};
pub(crate) use models::Model;
pub use models::ModelError;
pub(crate) use open::{open_chat, open_embedder};
