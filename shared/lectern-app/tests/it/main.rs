//! The flows over real engines: the table and the index in this process.
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod back_up;
mod backfill;
mod behind;
mod canary;
mod coherence;
mod expire;
mod fallback;
mod fetch;
mod guardrail;
mod hits;
mod money;
mod order;
mod personal;
mod race;
mod restore;
mod retrieval;
mod subjects;
mod vectors;
mod world;
