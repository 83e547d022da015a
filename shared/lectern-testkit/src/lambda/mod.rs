//! Lambda on loopback: the Runtime API (2018-06-01) in this process, and a driver that starts a built function
//! against it, sends it the events AWS would send and reads what it answers.
//!
//! What is as on Lambda: one event at a time; an environment that outlives an invocation; a function that
//! overruns its timeout is killed; payloads over 6 MB are refused; streams begin with API Gateway's prelude.
//! What is not: nothing freezes the process between invocations, no memory limit holds, and a dead environment
//! is not replaced: start another [`Driver`].
//!
//! | module | what it holds |
//! |---|---|
//! | `bootstrap` | which program, with which settings, and where built functions lie |
//! | `driver` | [`Driver`]: start, invoke, kill, measure |
//! | `environment` | the process and its output |
//! | [`events`] | the files under `events/` |
//! | `invocation` | what became of an event |
//! | `payloads` | events of SQS, S3 and EventBridge |
//! | `reply` | what API Gateway makes of an answer |
//! | `rest` | events of API Gateway |
//! | `runtime_api` | the Runtime API |
//! | `streaming` | streamed answers: prelude, chunks, trailers |

use std::time::Duration;

mod bootstrap;
mod cloudwatch;
mod driver;
mod environment;
pub mod events;
mod invocation;
mod payloads;
mod reply;
mod rest;
mod runtime_api;
mod streaming;

pub use bootstrap::{Bootstrap, binary};
pub use cloudwatch::CloudWatch;
pub use driver::Driver;
pub use invocation::{FunctionError, Invocation, Outcome, Pending, Streaming};
pub use payloads::{SqsMessage, s3_event, s3_test_event, schedule_event, sqs_event};
pub use reply::HttpReply;
pub use rest::RestEvent;
pub use streaming::{Chunk, Ended, Streamed};

/// The longest a driver waits for anything: what takes longer fails the test.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The region everything claims to be in.
pub const REGION: &str = "eu-central-1";
/// The account everything claims to belong to: the one of AWS's own examples.
pub const ACCOUNT: &str = "123456789012";
/// Largest event of a synchronous invocation: 6 MB.
pub const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;
/// Largest buffered answer: 6 MB and 100 bytes.
pub const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024 + 100;
