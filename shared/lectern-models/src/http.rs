//! HTTP as this crate's adapters speak it: one client, bounded bodies, refusals told by their remedy.

#[cfg(feature = "openai")]
pub(crate) mod body;
#[cfg(feature = "openai")]
mod endpoint;
#[cfg(feature = "openai")]
pub(crate) mod failures;
#[cfg(feature = "openai")]
mod quota;

use reqwest::{Client, ClientBuilder};

#[cfg(feature = "openai")]
pub use endpoint::{Endpoint, EndpointError, ReplyLimits};

/// Returns a builder of a client that can speak TLS.
///
/// `reqwest` is compiled without a TLS provider and panics when the process has none. Binaries install theirs in
/// their first line; where none did (a test, an example) the workspace's only one, ring, is installed here.
pub(crate) fn client() -> ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, with the same provider.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    Client::builder()
}
