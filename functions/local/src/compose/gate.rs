//! Who may call, and from where documents are read by their address.

use lectern_app::{clock::Clock, guesses::Guesses, keys::Keys, tokens::Tokens};
use lectern_core::{ids::TenantId, issuers::Issuers};
use lectern_fetch::discovery::published;
pub(super) use lectern_fetch::pages::reader as pages;
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
    let mut keys = Keys::new(tables, pepper.into(), clock.clone());
    keys.guesses = guesses;
    keys
}

/// Returns who admits tokens of these issuers.
pub(super) fn tokens(issuers: &Issuers, tables: &Tables, clock: &Clock) -> Tokens {
    Tokens::new(issuers, &published(), tables.clone(), clock.clone())
}

impl Local {
    /// Returns the gate of all routes. Without `open_to` every one wants a credential.
    pub(super) fn gate(&self, open_to: Option<TenantId>) -> Gate {
        Gate {
            keys: self.keys.clone(),
            tokens: self.tokens.clone(),
            open_to,
            origins: self.origins.clone(),
            concurrency: self.concurrency.clone(),
            audit: self.audit.clone(),
        }
    }
}
