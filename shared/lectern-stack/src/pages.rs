//! Documents from the web.

use std::sync::Arc;

use lectern_core::{
    errors::PortError,
    web::{Hosts, WebReader},
};
use lectern_fetch::pages::Pages;

/// Returns who reads documents from these hosts; nobody where there is none.
///
/// # Errors
/// When the TLS stack cannot be set up.
pub fn reader(hosts: &Hosts) -> Result<Option<Arc<dyn WebReader>>, PortError> {
    if hosts.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Pages::new(hosts.clone())?)))
}
