//! What every binary and every router starts with.
//!
//! This crate knows HTTP (axum) and nothing of what is behind a flow: no engine, no vendor.
//!
//! | module | answers |
//! |---|---|
//! | [`audit`] | what is kept of each request |
//! | [`concurrency`] | how many requests of one caller are worked on at once |
//! | [`gate`] | who is calling: credential → verified caller, rate headers |
//! | [`idempotency`] | how a POST that is sent again is carried out once |
//! | [`origins`] | whose pages may call from a browser |
//! | [`problem`] | how an error looks to a client: the one place that maps errors to HTTP |
//! | [`extract`] | how bodies, queries and ids are read, with a pointer to the wrong field |
//! | [`deadline`] | when a request's time is over |
//! | [`routes`] | what surrounds the routes of every server and function |
//! | `lambda` | how a Lambda function starts and takes invocations (feature `lambda`) |
//! | [`openapi`] | the description of all routes, made from the types |
//! | [`log_levels`] | which log lines an operator wants for a while |
//! | [`metrics`] | where what is measured goes |
//! | [`trace`] | request ids, one log line per request, security headers |
//! | [`telemetry`] | where log lines go |

pub mod audit;
pub mod concurrency;
pub mod deadline;
pub mod extract;
pub mod gate;
pub mod idempotency;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod log_levels;
pub mod metrics;
pub mod openapi;
pub mod origins;
pub mod problem;
pub mod routes;
pub mod telemetry;
pub mod trace;
