//! What the routes answer.

use std::collections::BTreeMap;

use lectern_app::status::{Kept, Level, ServiceStatus};
use serde::Serialize;
use utoipa::ToSchema;

/// The process is alive.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Alive {
    /// Always `ok`.
    pub status: &'static str,
    /// Version of the program.
    pub version: &'static str,
}

/// How the service is, and how it kept its promises.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatusBody {
    /// `ok`; `degraded` when something does not work or a promise is broken; `down` when no question can be answered.
    #[schema(value_type = String)]
    pub status: lectern_app::health::Status,
    /// Since when it is counted, where that is less than 30 days ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// The promises.
    pub levels: Vec<LevelBody>,
}

/// A promise.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LevelBody {
    /// Its name, `availability`.
    pub name: &'static str,
    /// What it says.
    pub promise: &'static str,
    /// Share that must be good, 0 to 1.
    pub objective: f64,
    /// How it was kept: `hour`, `day` and `month`, which is 30 days.
    pub windows: BTreeMap<&'static str, KeptBody>,
}

/// A promise in a window.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct KeptBody {
    /// Events.
    pub total: f64,
    /// Those that were as promised.
    pub good: f64,
    /// Their share, 0 to 1; 1 where nothing happened.
    pub share: f64,
    /// What is left of the error budget: 1 all of it, 0 nothing, below 0 more is spent than there was.
    pub budget_left: f64,
}

impl From<ServiceStatus> for StatusBody {
    fn from(status: ServiceStatus) -> Self {
        let ServiceStatus { status, since, levels } = status;
        Self { status, since, levels: levels.into_iter().map(LevelBody::from).collect() }
    }
}

impl From<Level> for LevelBody {
    fn from(level: Level) -> Self {
        let Level { name, promise, objective, windows } = level;
        let windows = windows.into_iter().map(|(window, kept)| (window, kept.into())).collect();
        Self { name, promise, objective, windows }
    }
}

impl From<Kept> for KeptBody {
    fn from(kept: Kept) -> Self {
        let Kept { total, good, share, budget_left } = kept;
        Self { total, good, share, budget_left }
    }
}
