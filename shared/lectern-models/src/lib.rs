//! The models behind the ports [`Embedder`](lectern_core::ports::Embedder),
//! [`ChatModel`](lectern_core::ports::ChatModel) and [`Reranker`](lectern_core::ports::Reranker).
//!
//! This crate refuses to know: prompts, citations, indexes, the environment. It turns a text into a vector,
//! a chat into tokens and passages into scores, says by remedy how that failed, and never puts a text, a
//! prompt, a reply or a key into an error or a log line.
//!
//! | module | is |
//! |---|---|
//! | [`minilm`] | all-MiniLM-L6-v2 in process, and the installer of its weights (feature `minilm`) |
//! | [`bedrock`] | models of Amazon Bedrock, chat and embeddings (feature `bedrock`) |
//! | [`openai`] | any OpenAI-compatible API, chat and embeddings (feature `openai`) |
//! | [`rerank`] | rerankers behind an API: Cohere, Jina, Voyage, Text Embeddings Inference (feature `openai`) |
//! | [`http`] | where an API is, and how long and large a reply may be |
//! | [`config`] | which of them a setting names |
//! | [`retrying`] | tries again what may pass, within the deadline |
//! | [`timed`] | bounds how long an embedder may take |

pub mod bedrock;
pub mod config;
#[cfg(any(feature = "minilm", feature = "openai"))]
pub mod http;
mod identity;
#[cfg(feature = "minilm")]
pub mod minilm;
#[cfg(feature = "openai")]
pub mod openai;
pub mod rerank;
pub mod retrying;
pub mod timed;
#[cfg(any(feature = "bedrock", feature = "minilm", feature = "openai"))]
mod vectors;
