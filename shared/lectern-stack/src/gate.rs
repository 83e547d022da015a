//! The gate of a function.

use std::sync::Arc;

use lectern_app::{clock::Clock, keys::Keys, tokens::Tokens};
use lectern_core::{issuers::Issuers, ports::IssuerKeys, secret::LiveSecret};
use lectern_fetch::discovery::Discovery;
use lectern_runtime::{audit::Audit, gate::Gate};
use lectern_tables::Tables;

use crate::callers::Callers;

impl Callers {
    /// Returns the gate that lets them in.
    #[must_use]
    pub fn gate(&self, pepper: LiveSecret, tables: &Tables, clock: &Clock) -> Gate {
        Gate {
            keys: Keys::new(tables.clone(), pepper, clock.clone()),
            tokens: tokens(&self.issuers, tables, clock),
            open_to: None,
            origins: self.origins.clone(),
            audit: Audit::to_stdout(clock.clone()),
        }
    }
}

fn tokens(issuers: &Issuers, tables: &Tables, clock: &Clock) -> Tokens {
    let published: Arc<dyn IssuerKeys> = Arc::new(Discovery::default());
    Tokens::new(issuers, &published, tables.clone(), clock.clone())
}
