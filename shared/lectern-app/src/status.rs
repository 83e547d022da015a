//! How well the service kept its promises lately, and how it is now.

use std::{collections::BTreeMap, sync::Arc};

use lectern_core::{errors::PortError, time::Timestamp};
use lectern_telemetry::{
    levels,
    report::{Measured, Report},
    windows::Window,
};
use serde::Serialize;

use crate::{
    clock::Clock,
    health::{Health, Status},
};

/// One promise in one window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// Events.
    pub total: f64,
    /// Those that were as promised.
    pub good: f64,
    /// Their share, 0 to 1; 1 where nothing happened.
    pub share: f64,
    /// What is left of the error budget: 1 all of it, 0 nothing, below 0 more is spent than there was.
    pub budget_left: f64,
}

/// One promise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Level {
    /// Its name, `availability`.
    pub name: &'static str,
    /// What it says.
    pub promise: &'static str,
    /// Share that must be good, 0 to 1.
    pub objective: f64,
    /// How it was kept: `hour`, `day`, `month` (30 days).
    pub windows: BTreeMap<&'static str, Kept>,
}

/// How it is and was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceStatus {
    /// `ok`; `degraded` when something does not work or a promise is broken; `down` when no question can be answered.
    pub status: Status,
    /// Since when it is counted, RFC 3339, where that is less than 30 days ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The promises.
    pub levels: Vec<Level>,
}

/// Reports.
#[derive(Clone, Debug)]
pub struct Statuses {
    /// Says how it is.
    pub health: Health,
    /// Says what was measured.
    pub measured: Arc<dyn Measured>,
    /// The time.
    pub clock: Clock,
}

impl Statuses {
    /// Returns how it is and was.
    ///
    /// # Errors
    /// When what was measured cannot be read.
    pub async fn status(&self) -> Result<ServiceStatus, PortError> {
        let now = self.clock.now();
        let (readiness, report) = tokio::join!(self.health.ready(), self.measured.report(now));
        let report = report?;
        let levels: Vec<Level> = (0..levels::ALL.len()).map(|at| level(&report, at)).collect();
        let is_broken = levels.iter().any(|level| level.windows["day"].budget_left < 0.0);
        let worst = if is_broken { Status::Degraded } else { Status::Ok };
        let since = report.since.map(Timestamp::to_rfc3339);
        Ok(ServiceStatus { status: readiness.status.max(worst), since, levels })
    }

    /// Returns everything that is measured as Prometheus text.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn exposition(&self) -> Result<String, PortError> {
        // Ages are known when somebody asks for them.
        self.health.ready().await;
        self.measured.exposition(self.clock.now()).await
    }
}

fn level(report: &Report, at: usize) -> Level {
    let level = levels::ALL[at];
    let windows = Window::ALL.into_iter().zip(report.windows).map(|(window, tallies)| {
        let tally = tallies[at];
        let kept = Kept {
            total: tally.total,
            good: tally.good,
            share: rounded(tally.share()),
            budget_left: rounded(tally.budget_left(level.objective)),
        };
        (window.as_str(), kept)
    });
    Level {
        name: level.name,
        promise: level.promise,
        objective: level.objective,
        windows: windows.collect(),
    }
}

/// Returns a share with five decimals.
fn rounded(share: f64) -> f64 {
    (share * 100_000.0).round() / 100_000.0
}
