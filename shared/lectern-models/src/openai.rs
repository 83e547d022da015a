//! Any API that speaks OpenAI's chat-completions and embeddings format: OpenAI itself, Gemini's compatible
//! endpoint, Ollama, vLLM and the like.

mod chat;
mod embedder;
mod reply;
mod wire;

pub use chat::OpenAiChat;
pub use embedder::{EmbeddingLimits, OpenAiEmbedder};
pub use reply::replayed;

pub use crate::{
    http::{Endpoint, EndpointError, ReplyLimits},
    identity::native_dimensions,
};

/// Where requests go when nothing else is said.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";
