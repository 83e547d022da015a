//! What an operator asks of the function itself, with `aws lambda invoke`: IAM says who may.
//!
//! The first key of a deployment has to come from somewhere, and no route may give it out.

use lectern_app::{
    collections::Collections,
    errors::FlowError,
    keys::{DEFAULT_RATE_PER_MINUTE, Keys, NewKey},
};
use lectern_core::{
    auth::{Caller, Permission},
    ids::{CollectionId, TenantId},
};
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
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Created {
    /// The key's id.
    pub(crate) id: String,
    /// The key, shown this once.
    pub(crate) key: String,
}

/// Does what an operator asks.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
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
    pub(crate) async fn run(&self, task: Task) -> Result<Created, FlowError> {
        let Task::CreateKey { tenant, name, permissions, rate_per_minute } = task;
        let all = NewKey::full(&name);
        let new = NewKey {
            permissions: permissions.unwrap_or(all.permissions),
            rate_per_minute: rate_per_minute.unwrap_or(DEFAULT_RATE_PER_MINUTE),
            ..NewKey::full(&name)
        };
        let operator = Caller::operator(self.keys.tables.tenants().live(&tenant).await?);
        let default = CollectionId::default_collection();
        self.collections.create(&operator, &default, "Default", serde_json::Map::new()).await?;
        let (key, text) = self.keys.create(&tenant, new).await?;
        Ok(Created {
            id: key.id.into(),
            key: secrecy::ExposeSecret::expose_secret(&text).to_owned(),
        })
    }
}
