//! Tests of the crate from outside, on the evaluation data.

mod bm25;
mod hostile_content;
mod obedient_model;
mod retrieval;
mod verifier;
mod verifier_measure;
