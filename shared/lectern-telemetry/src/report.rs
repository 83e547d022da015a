//! Who knows what was measured: this process, or the service that everybody's lines went to.

use async_trait::async_trait;
use lectern_core::{errors::PortError, time::Timestamp};

use crate::{
    levels::{ALL, Tally},
    windows::Window,
};

/// What happened to each level, in the order of [`ALL`].
pub type Tallies = [Tally; ALL.len()];

/// What happened in each window, in the order of [`Window::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Since when it is counted, where that is later than a window begins.
    pub since: Option<Timestamp>,
    /// The counts.
    pub windows: [Tallies; Window::ALL.len()],
}

/// Tells what was measured.
///
/// Contract: a window ends at `now`; a good event is one of all; what nobody measured is 0 of 0; the text is what Prometheus
/// scrapes, with one `# TYPE` line for each metric; asking often costs no more than asking once in a while.
#[async_trait]
pub trait Measured: Send + Sync + std::fmt::Debug {
    /// Returns what happened.
    async fn report(&self, now: Timestamp) -> Result<Report, PortError>;

    /// Returns everything that is measured as Prometheus text.
    async fn exposition(&self, now: Timestamp) -> Result<String, PortError>;
}
