//! One small document, bounded in size and time.

use std::{sync::OnceLock, time::Duration};

use lectern_core::errors::{ErrorKind, PortError};
use reqwest::{Client, header, redirect::Policy};
use tokio::time::timeout;
use url::Url;

use crate::bounded;

/// Largest document in bytes.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// How long one may take, whole.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A client that is made when it is used first: reading the system's certificates takes a while.
#[derive(Debug)]
pub(crate) struct Getter {
    client: OnceLock<Client>,
    timeout: Duration,
}

impl Default for Getter {
    fn default() -> Self {
        Self::within(TIMEOUT)
    }
}

impl Getter {
    /// Returns one that waits so long for a document.
    pub(crate) fn within(timeout: Duration) -> Self {
        Self { client: OnceLock::new(), timeout }
    }

    /// Returns the body of a JSON document. Follows no redirect: who answers is who was asked.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when it is not to be had, of a server in trouble, too; `Invalid` for another status than 200, `TooLarge` past [`MAX_BYTES`].
    pub(crate) async fn json(
        &self,
        operation: &'static str,
        url: Url,
    ) -> Result<Vec<u8>, PortError> {
        let read = timeout(self.timeout, self.read(operation, url)).await;
        read.map_err(|_| PortError::bare(ErrorKind::Timeout, operation))?
    }

    async fn read(&self, operation: &'static str, url: Url) -> Result<Vec<u8>, PortError> {
        let failed = |error: reqwest::Error| {
            let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Unavailable };
            PortError::new(kind, operation, error.without_url())
        };
        let client = self.client().map_err(failed)?;
        let request = client.get(url).header(header::ACCEPT, "application/json");
        let response = request.send().await.map_err(failed)?;
        if response.status() != 200 {
            let kind = match response.status().is_server_error() {
                true => ErrorKind::Unavailable,
                false => ErrorKind::Invalid,
            };
            let reason = format!("it answers {}", response.status());
            return Err(PortError::new(kind, operation, reason));
        }
        let body = bounded::body(response, MAX_BYTES).await.map_err(failed)?;
        body.ok_or_else(|| PortError::bare(ErrorKind::TooLarge, operation))
    }

    fn client(&self) -> Result<&Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        ensure_tls();
        let client =
            Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT).build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// `reqwest` is compiled without a TLS provider; where the process installed none, the workspace's only one is.
pub(crate) fn ensure_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, with the same provider.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}
