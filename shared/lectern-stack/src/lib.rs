//! A deployed Lectern as its functions see it: settings become connections.
//!
//! Every function of the stack reads its settings from the same groups and connects by the same functions, so that a
//! variable means the same everywhere and a `main` only says which parts it takes. Without features this crate holds the
//! settings alone: `lectern doctor --env` reads them for every function and links no client.
//!
//! | module | feature | what it gives |
//! |---|---|---|
//! | [`settings`] | | groups of variables, typed |
//! | [`callers`] | | who may call: API keys, tokens of issuers, origins |
//! | `gate` | `gate` | the gate they come through |
//! | [`secrets`] | `secrets` | secrets by value or from AWS Secrets Manager |
//! | [`blobs`] | `blobs` | files in S3, or in a folder |
//! | [`index`] | `index` | passages in Qdrant |
//! | [`models`] | `models` | embedders, chat models and rerankers |
//! | [`pages`] | `pages` | documents from the web |
//! | [`warm`] | | connections opened before the first request |

pub mod callers;
pub mod settings;
pub mod warm;

#[cfg(feature = "blobs")]
pub mod blobs;
#[cfg(feature = "gate")]
mod gate;
#[cfg(feature = "index")]
pub mod index;
#[cfg(feature = "models")]
pub mod models;
#[cfg(feature = "secrets")]
pub mod secrets;

#[cfg(feature = "pages")]
pub use lectern_fetch::pages;

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Something behind a port refuses.
    #[error(transparent)]
    Port(#[from] lectern_core::errors::PortError),
    /// A model cannot be used.
    #[error(transparent)]
    Model(#[from] lectern_models::config::ConfigError),
}
