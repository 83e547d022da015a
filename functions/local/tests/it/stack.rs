//! The built functions, driven as Lambda drives them, over the wire protocols of what they meet on AWS: DynamoDB by its
//! embedded engine, Qdrant by its own engine, S3, SQS and Secrets Manager by moto.

pub(crate) mod aws;
mod events;
mod game_day;
mod log_levels;
mod measured;
mod parity;
mod pipeline;
mod poison;
mod restoring;
mod rotation;
mod settings;
mod steps;
mod streaming;
mod world;

use world::{BUCKET, Stack, send};
