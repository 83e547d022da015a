//! Finding, filtering, arranging and widening passages as a collection's settings say.

mod collections;
mod hostile;
mod neighbours;
mod personal;
mod rerank;
mod search;
mod world;
