//! The flows over real engines: the table in memory, the index in a temporary directory.
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod collections;
mod neighbours;
mod rerank;
mod search;
mod world;
