//! Passages in Qdrant.

use std::sync::Arc;

use lectern_core::{errors::PortError, secret::LiveSecret};
use lectern_index::{IndexSettings, Qdrant, Timeouts};
use lectern_telemetry::observed::Observed;

use crate::settings::Index;

/// Returns the index, its calls noted. Nothing is sent before the first call; `ensure` creates what is missing.
///
/// # Errors
/// `Invalid` when its address is none.
pub fn open(
    index: &Index,
    api_key: Option<LiveSecret>,
) -> Result<Arc<Observed<Qdrant>>, PortError> {
    let settings = IndexSettings::new(index.model.clone())?;
    let index = Qdrant::connect(&index.url, api_key, settings, Timeouts::default())?;
    Ok(Arc::new(Observed::new(index)))
}
