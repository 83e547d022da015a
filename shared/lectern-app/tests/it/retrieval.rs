//! Finding, filtering, arranging and widening passages as a collection's settings say.

mod collections;
mod neighbours;
mod rerank;
mod search;
mod world;
