//! What every function has.

use std::str::FromStr;

use lectern_core::env::{Settings, SettingsReader};
use lectern_runtime::telemetry::Telemetry;

use super::text;

/// Name of the deployment unless set otherwise.
const DEFAULT_STACK: &str = "lectern";

/// Which deployment this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// For trying things.
    Dev,
    /// As production, for the release that comes next.
    Staging,
    /// What users meet.
    Prod,
}

impl FromStr for Environment {
    type Err = &'static str;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw {
            "dev" => Ok(Self::Dev),
            "staging" => Ok(Self::Staging),
            "prod" => Ok(Self::Prod),
            _ => Err("must be `dev`, `staging` or `prod`"),
        }
    }
}

/// What every function has.
#[derive(Clone, Debug)]
pub struct Process {
    /// `LECTERN_ENVIRONMENT`: which deployment this is.
    pub environment: Environment,
    /// What is written and sent of what it does.
    pub telemetry: Telemetry,
}

impl Settings for Process {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let environment = reader.required("LECTERN_ENVIRONMENT", str::parse);
        let stack = reader.optional("LECTERN_STACK", text);
        let levels = reader.optional("LECTERN_LOG", text);
        let sample = reader.optional("LECTERN_LOG_SAMPLE", share);
        let traces = reader.optional("LECTERN_TRACES", str::parse);
        let telemetry = Telemetry {
            stack: stack?.unwrap_or_else(|| DEFAULT_STACK.to_owned()),
            levels: levels?,
            sample: sample?.unwrap_or_default(),
            traces: traces?.unwrap_or_default(),
        };
        Some(Self { environment: environment?, telemetry })
    }
}

/// Reads a share, 0 to 1.
fn share(raw: &str) -> Result<f64, &'static str> {
    let share: Option<f64> = raw.parse().ok();
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or("must be a number from 0 to 1")
}
