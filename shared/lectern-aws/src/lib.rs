//! The ends of AWS's services that no other adapter owns.
//!
//! This crate refuses to know: what a job does, what a secret opens, HTTP, Lambda.
//!
//! | module | feature | what it reaches |
//! |---|---|---|
//! | [`cloudwatch`] | `cloudwatch` | what functions measured |
//! | [`sqs`] | `sqs` | the queue of ingestion jobs and its dead letters |
//! | [`secrets`] | `secrets` | AWS Secrets Manager |
//!
//! Region, credentials and endpoints come from the environment chain; `AWS_ENDPOINT_URL` points every service elsewhere.

#[cfg(any(feature = "cloudwatch", feature = "sqs", feature = "secrets"))]
mod client;
#[cfg(any(feature = "cloudwatch", feature = "sqs", feature = "secrets"))]
mod errors;

#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(feature = "sqs")]
pub mod sqs;
