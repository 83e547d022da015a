//! The HTTP client of this crate's adapters.

use reqwest::{Client, ClientBuilder};

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
