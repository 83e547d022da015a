//! Tests of the tools that start other processes.
#![cfg(feature = "lambda")]
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

mod driver;
mod events;
mod stand_in;
mod streaming;
