//! What tests share and nobody ships: contract suites of the ports, servers that stand in for a
//! deployment, and decorators that make ports fail.
//!
//! Adapters run the contract suites; flows use the decorators. This crate knows the ports, not the adapters.
//!
//! | module | feature | what it holds |
//! |---|---|---|
//! | `chat` | `chat` | an OpenAI-compatible server that answers as scripted |
//! | `corruptions` | `corruptions` | true sentences and what they become when they are made false |
//! | `dynamodb_server` | `dynamodb` | DynamoDB on loopback, for other processes |
//! | `embedder_contract` | `chat` | the contract of `Embedder` |
//! | `rerank` | `chat` | rerankers' APIs that answer as scripted |
//! | `reranker_contract` | `chat` | the contract of `Reranker` |
//! | `faults` | | any port, failing on purpose |
//! | `index_contract` | `index` | the contract of `PassageReader` and `PassageWriter` |
//! | `issuer` | `issuer` | an OpenID Connect issuer, and signers of tokens |
//! | `lambda` | `lambda` | Lambda's Runtime API, a driver of built functions, AWS's events |
//! | `moto` | `moto` | S3, SQS and Secrets Manager on loopback |
//! | `qdrant_facade` | `index` | a Qdrant server in this process |
//! | `wire` | `chat` | a connection that fails as told |
#![warn(missing_docs)]
#![allow(clippy::unwrap_used, reason = "tests call this crate; a panic is its report")]

#[cfg(feature = "chat")]
pub mod chat;
#[cfg(feature = "collector")]
pub mod collector;
#[cfg(feature = "corruptions")]
pub mod corruptions;
#[cfg(feature = "dynamodb")]
pub mod dynamodb_server;
#[cfg(feature = "chat")]
pub mod embedder_contract;
pub mod faults;
#[cfg(feature = "index")]
pub mod index_contract;
#[cfg(feature = "issuer")]
pub mod issuer;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(any(feature = "chat", feature = "collector", feature = "dynamodb", feature = "issuer"))]
mod loopback;
#[cfg(feature = "moto")]
pub mod moto;
#[cfg(feature = "index")]
pub mod qdrant_facade;
#[cfg(any(feature = "moto", all(feature = "dynamodb", test)))]
mod raw_http;
#[cfg(feature = "chat")]
pub mod rerank;
#[cfg(feature = "chat")]
pub mod reranker_contract;
#[cfg(feature = "chat")]
pub mod wire;
