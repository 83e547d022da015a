//! What an operator asks of the function itself, with `aws lambda invoke`: IAM says who may.
//!
//! The first key of a deployment has to come from somewhere, and no route may give it out. What is logged is for all accounts,
//! and none of them may change it.

use std::time::Duration;

use lectern_app::{
    collections::Collections,
    errors::FlowError,
    keys::{DEFAULT_RATE_PER_MINUTE, Keys, NewKey},
};
use lectern_core::{
    auth::{Caller, Permission},
    ids::{CollectionId, TenantId},
};
use lectern_runtime::log_levels::LogLevels;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

/// A task.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Task {
    /// Creates an API key, and the tenant's default collection when it has none.
    CreateKey {
        /// Whose.
        tenant: TenantId,
        /// What a person calls it.
        name: String,
        /// What it may do; everything without.
        #[serde(default)]
        permissions: Option<Vec<Permission>>,
        /// Requests per minute.
        #[serde(default)]
        rate_per_minute: Option<u32>,
    },
    /// Makes every function write other log lines for a while. What was asked for before is forgotten: `info` for a minute ends
    /// it.
    SetLogLevels {
        /// Levels by module, `lectern=debug`.
        levels: String,
        /// How long, 1 to 1440.
        #[serde(default = "half_an_hour")]
        minutes: u32,
    },
}

fn half_an_hour() -> u32 {
    30
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Done {
    /// A key was created.
    Created {
        /// Its id.
        id: String,
        /// The key, shown this once.
        key: String,
    },
    /// Other log lines are written, by each process within a minute.
    Levels {
        /// Which.
        levels: String,
        /// Until when, RFC 3339.
        until: String,
    },
}

/// Does what an operator asks.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    /// Asks for log lines.
    pub(crate) levels: LogLevels,
    /// Manages keys.
    pub(crate) keys: Keys,
    /// Manages collections.
    pub(crate) collections: Collections,
}

impl Operator {
    /// Does a task.
    ///
    /// # Errors
    /// When a field is wrong or a port fails.
    pub(crate) async fn run(&self, task: Task) -> Result<Done, FlowError> {
        match task {
            Task::CreateKey { tenant, name, permissions, rate_per_minute } => {
                let all = NewKey::full(&name);
                let new = NewKey {
                    permissions: permissions.unwrap_or_else(|| all.permissions.clone()),
                    rate_per_minute: rate_per_minute.unwrap_or(DEFAULT_RATE_PER_MINUTE),
                    ..all
                };
                self.create_key(&tenant, new).await
            }
            Task::SetLogLevels { levels, minutes } => {
                let lasting = Duration::from_secs(60 * u64::from(minutes));
                let wanted = self.levels.want(&levels, lasting).await?;
                Ok(Done::Levels { levels: wanted.levels, until: wanted.until.to_rfc3339() })
            }
        }
    }

    async fn create_key(&self, tenant: &TenantId, new: NewKey) -> Result<Done, FlowError> {
        let operator = Caller::operator(self.keys.tables.tenants().live(tenant).await?);
        let default = CollectionId::default_collection();
        self.collections.create(&operator, &default, "Default", serde_json::Map::new()).await?;
        let (key, text) = self.keys.create(tenant, new).await?;
        Ok(Done::Created { id: key.id.into(), key: text.expose_secret().to_owned() })
    }
}
