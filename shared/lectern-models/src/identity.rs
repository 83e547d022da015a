//! Whose vectors an embedder makes, known without it: indexes are named so, also by functions that embed nothing.

use lectern_core::ports::EmbeddingModel;

/// Id and vector length of the model in process.
pub(crate) const MINILM: (&str, usize) = ("all-MiniLM-L6-v2", 384);

/// Returns how many numbers a vector of a well-known model has.
#[must_use]
#[cfg_attr(not(feature = "openai"), allow(unreachable_pub, reason = "`openai` exports it"))]
pub fn native_dimensions(model: &str) -> Option<usize> {
    match model {
        "text-embedding-3-small" | "text-embedding-ada-002" => Some(1_536),
        "text-embedding-3-large" | "gemini-embedding-001" => Some(3_072),
        "nomic-embed-text" => Some(768),
        "mxbai-embed-large" | "bge-m3" => Some(1_024),
        "all-minilm" => Some(384),
        _ => None,
    }
}

/// Returns the identity of a model behind an OpenAI-compatible API. Where a well-known model's vectors are longer, the API is
/// asked to shorten them, and the id says so.
pub(crate) fn openai(name: &str, dimensions: usize) -> EmbeddingModel {
    let shortened = native_dimensions(name).is_some_and(|native| native != dimensions);
    let suffix = if shortened { format!("@{dimensions}") } else { String::new() };
    EmbeddingModel { id: format!("openai:{name}{suffix}"), dimensions }
}
