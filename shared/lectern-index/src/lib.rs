//! Where passages are kept and found: the adapters of [`lectern_core::ports::PassageReader`] and
//! [`lectern_core::ports::PassageWriter`].
//!
//! Both speak to the same engine, Qdrant's, so that a deployment and a laptop rank alike: `qdrant` over gRPC
//! to a server, `edge` in this process. A search returns two rankings, dense and BM25; this crate does
//! not know how they are fused, what a question is, who embeds it, or who is allowed to ask.
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | whose vectors an index keeps, its name, its bounds |
//! | `conditions` | tenant, ACL, scope and filter as conditions both engines know |
//! | `payload` | a passage as stored JSON, and the indexed fields |
//! | `batches` | writes cut to size |
//! | `rankings` | one order for ties |
//! | `edge` | the engine in this process (feature `edge`) |
//! | `qdrant` | a server (feature `qdrant`) |
//! | `resolve` | from a URL to an index |
//!
//! Points carry the named vectors `dense` (cosine, int8 copies with exact rescoring once a segment is
//! indexed; optional per point) and `bm25` (the engine multiplies by IDF). The tenants of an index share
//! its IDF statistics: a term's weight, never its text, depends on what others wrote.
#![warn(missing_docs)]
#![cfg_attr(
    not(any(feature = "edge", feature = "qdrant")),
    allow(dead_code, reason = "without an adapter only `resolve` is left, to say so")
)]

mod batches;
mod conditions;
#[cfg(feature = "edge")]
mod edge;
mod payload;
#[cfg(feature = "qdrant")]
mod qdrant;
mod rankings;
mod resolve;
mod settings;

pub use self::batches::{MAX_BATCH_BYTES, MAX_BATCH_POINTS};
#[cfg(feature = "edge")]
pub use self::edge::{Edge, FLUSH_AFTER_POINTS, SCANNED_POINTS};
#[cfg(feature = "qdrant")]
pub use self::qdrant::{Qdrant, Timeouts};
pub use self::{
    resolve::{Index, ServerSettings, resolve},
    settings::{IndexSettings, MAX_MODEL_ID_BYTES, MAX_PAGE, MAX_RANKING},
};
