//! The ends of AWS's services that no other adapter owns.
//!
//! This crate refuses to know: what a job does, what a secret opens, HTTP, Lambda.
//!
//! | module | feature | what it reaches |
//! |---|---|---|
//! | [`sqs`] | `sqs` | the queue of ingestion jobs and its dead letters |
//! | [`secrets`] | `secrets` | AWS Secrets Manager |
//!
//! Region, credentials and endpoints come from the environment chain; `AWS_ENDPOINT_URL` points every service elsewhere.

#[cfg(any(feature = "sqs", feature = "secrets"))]
mod client;
#[cfg(any(feature = "sqs", feature = "secrets"))]
mod errors;

#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(feature = "sqs")]
pub mod sqs;
