//! The JSON of the API: only the fields that are read or sent.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct ChatBody<'request> {
    pub(super) model: &'request str,
    pub(super) messages: Vec<Message<'request>>,
    pub(super) max_tokens: u32,
    pub(super) temperature: f32,
    pub(super) stream: bool,
    pub(super) stream_options: StreamOptions,
}

#[derive(Serialize)]
pub(super) struct Message<'request> {
    pub(super) role: &'static str,
    pub(super) content: &'request str,
}

#[derive(Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

/// A chunk of a stream, or a whole reply where the server does not stream.
#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(alias = "message")]
    pub(super) delta: Option<Delta>,
    pub(super) finish_reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Delta {
    pub(super) content: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    pub(super) prompt_tokens: u32,
    #[serde(default)]
    pub(super) completion_tokens: u32,
}

#[derive(Serialize)]
pub(super) struct EmbeddingBody<'request> {
    pub(super) model: &'request str,
    pub(super) input: &'request [&'request str],
    pub(super) encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dimensions: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct EmbeddingReply {
    pub(super) data: Vec<IndexedEmbedding>,
    pub(super) usage: Option<EmbeddingUsage>,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct EmbeddingUsage {
    pub(super) prompt_tokens: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct IndexedEmbedding {
    pub(super) index: usize,
    pub(super) embedding: Vec<f32>,
}
