//! What Lectern measures of itself, and how its calls of others are seen.
//!
//! Flows and adapters record here; where it goes is said by whoever starts the process (`lectern-runtime`). This crate knows the
//! facades [`metrics`](https://docs.rs/metrics), [`tracing`](https://docs.rs/tracing) and the API of OpenTelemetry, and no exporter, and takes no text of
//! a user: a label is one of a fixed set of words ([`labels`]).
//!
//! | module | answers |
//! |---|---|
//! | [`instruments`] | what is measured: names, units, labels, buckets |
//! | [`levels`] | of what is measured, how much must be good |
//! | [`report`] | who knows what was measured |
//! | [`windows`] | how much was, lately |
//! | [`labels`] | what may stand in a label |
//! | [`lines`] | where it is written and not kept |
//! | [`call`] | what is depended on |
//! | [`circuit`] | how a call of it went, and whether one is worth making |
//! | [`observed`] | ports whose calls are seen: decorators |
//! | [`stage`] | what a stage of a flow is, as a span and a line |
//! | [`trace`] | which trace a span belongs to, and how it goes on elsewhere |

pub mod call;
pub mod circuit;
pub mod instruments;
pub mod labels;
pub mod levels;
pub mod lines;
pub mod observed;
pub mod report;
pub mod stage;
pub mod trace;
pub mod windows;
