//! The adapters against what they talk to: the installed weights, and a scripted API.

#![allow(clippy::unwrap_used, reason = "a panic is a test's report")]

mod bedrock;
mod chat;
mod embedder;
mod minilm;
mod reranker;
