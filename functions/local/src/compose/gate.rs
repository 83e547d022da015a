//! Who may call, and from where documents are read by their address.

use std::sync::Arc;

use lectern_app::{clock::Clock, guesses::Guesses, keys::Keys, tokens::Tokens};
use lectern_core::{
    errors::PortError,
    ids::TenantId,
    issuers::Issuers,
    ports::IssuerKeys,
    web::{Hosts, WebReader},
};
use lectern_fetch::{discovery::Discovery, pages::Pages};
use lectern_runtime::gate::Gate;
use lectern_tables::Tables;

use secrecy::SecretString;

use super::Local;
use crate::settings::Settings;

/// Returns the API keys of a data directory.
pub(super) fn keys(
    tables: Tables,
    pepper: SecretString,
    settings: &Settings,
    clock: &Clock,
) -> Keys {
    let guesses = Guesses::new(settings.wrong_keys_per_minute, clock.clone());
    Keys { guesses, ..Keys::new(tables, pepper.into(), clock.clone()) }
}

/// Returns who admits tokens of these issuers.
pub(super) fn tokens(issuers: &Issuers, tables: &Tables, clock: &Clock) -> Tokens {
    let published: Arc<dyn IssuerKeys> = Arc::new(Discovery::default());
    Tokens::new(issuers, &published, tables.clone(), clock.clone())
}

/// Returns who reads documents from these hosts; nobody where there is none.
pub(super) fn pages(hosts: &Hosts) -> Result<Option<Arc<dyn WebReader>>, PortError> {
    if hosts.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Pages::new(hosts.clone())?)))
}

impl Local {
    /// Returns the gate of all routes. Without `open_to` every one wants a credential.
    pub(super) fn gate(&self, open_to: Option<TenantId>) -> Gate {
        Gate {
            keys: self.keys.clone(),
            tokens: self.tokens.clone(),
            open_to,
            origins: self.origins.clone(),
            audit: self.audit.clone(),
        }
    }
}
