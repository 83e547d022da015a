//! Ports whose calls are seen: decorators that change nothing.
//!
//! | module | decorates |
//! |---|---|
//! | [`dependency`] | the index |
//! | [`chat`] | chat models |
//! | [`vectors`] | embedders and rerankers |
//! | `model` | what is noted of a call of a model |

pub mod chat;
pub mod dependency;
mod model;
pub mod vectors;

pub use self::{
    chat::ObservedChat,
    dependency::Observed,
    vectors::{ObservedEmbedder, ObservedReranker},
};
