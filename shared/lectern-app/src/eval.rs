//! Evaluation.

pub mod judge;
