//! `ingest`: makes documents ready, from a queue.
//!
//! The library holds what the function reads from its environment; what it does is the flow `lectern_app::ingest`, called by
//! `main` and its modules.

pub mod settings;
