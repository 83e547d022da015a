//! The gate of a function.

use lectern_app::{clock::Clock, keys::Keys, tokens::Tokens};
use lectern_core::secret::LiveSecret;
use lectern_fetch::discovery::published;
use lectern_runtime::{audit::Audit, concurrency::Concurrency, gate::Gate};
use lectern_tables::Tables;

use crate::callers::Callers;

impl Callers {
    /// Returns the gate that lets them in.
    #[must_use]
    pub fn gate(&self, pepper: LiveSecret, tables: &Tables, clock: &Clock) -> Gate {
        Gate {
            keys: Keys::new(tables.clone(), pepper, clock.clone()),
            tokens: Tokens::new(&self.issuers, &published(), tables.clone(), clock.clone()),
            open_to: None,
            origins: self.origins.clone(),
            concurrency: Concurrency::default(),
            audit: Audit::to_stdout(clock.clone()),
        }
    }
}
