//! Where an API is, and how it is asked.

use std::time::{Duration, SystemTime};

use lectern_core::errors::{ErrorKind, PortError};
use reqwest::{Client, RequestBuilder, header::ACCEPT_ENCODING, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use thiserror::Error;
use url::Url;

use super::{
    body,
    failures::{self, Failure},
};

/// Why an endpoint cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The base URL does not parse, or is not HTTP.
    #[error("the model's base URL is not an http or https URL")]
    BaseUrl,
    /// The HTTP client cannot be built: the system's certificates cannot be read, for one.
    #[error("the model's HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
}

/// How long and how large one reply may be. The whole reply's deadline is the request's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait from sending the request to the first event.
    pub first_event: Duration,
    /// Longest wait between two events.
    pub stall: Duration,
    /// Longest line of a stream. A token takes some 300 bytes; the parser reads an unfinished line again with
    /// every piece, so a generous limit costs quadratically.
    pub line_bytes: usize,
    /// Longest body, stream or JSON.
    pub body_bytes: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_event: Duration::from_secs(20),
            stall: Duration::from_secs(10),
            line_bytes: 64 * 1024,
            body_bytes: 8 * 1024 * 1024,
        }
    }
}

/// A base URL with the key it takes, and a client that keeps its connections. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Endpoint {
    base: Url,
    key: Option<SecretString>,
    client: Client,
    pub(crate) limits: ReplyLimits,
}

impl Endpoint {
    /// Returns the endpoint at `base_url`, the part before `/chat/completions`, `/embeddings` or `/rerank`. Connects to nothing.
    ///
    /// # Errors
    /// When the URL is not HTTP, or the client cannot be built.
    pub fn new(
        base_url: &str,
        key: Option<SecretString>,
        limits: ReplyLimits,
    ) -> Result<Self, EndpointError> {
        let base = format!("{}/", base_url.trim_end_matches('/'));
        let base: Url = base.parse().map_err(|_| EndpointError::BaseUrl)?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(EndpointError::BaseUrl);
        }
        // A redirect would carry the prompt and the key to a host nobody configured.
        let client = super::client()
            .redirect(Policy::none())
            .connect_timeout(limits.connect)
            .tcp_nodelay(true)
            .build()
            .map_err(EndpointError::Client)?;
        Ok(Self { base, key, client, limits })
    }

    /// Returns a request for `path` under the base URL, with the key.
    pub(crate) fn post(
        &self,
        path: &str,
        operation: &'static str,
    ) -> Result<RequestBuilder, PortError> {
        let url = self.base.join(path);
        let url = url.map_err(|error| PortError::new(ErrorKind::Internal, operation, error))?;
        let request = self.client.post(url).header(ACCEPT_ENCODING, "identity");
        Ok(match &self.key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        })
    }

    /// Sends `question` as JSON to `path` and returns the body of the answer, which has `wait` to arrive once
    /// its head is there. The caller bounds the whole.
    pub(crate) async fn exchange(
        &self,
        path: &str,
        question: &(impl Serialize + Sync),
        wait: Duration,
        operation: &'static str,
    ) -> Result<Vec<u8>, PortError> {
        let send = self.post(path, operation)?.json(question).send();
        let response = send.await.map_err(|error| Failure::from(error).at(operation))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body::whole(response, self.limits, wait, operation).await;
        if !status.is_success() {
            // A refusal whose body does not arrive is a refusal all the same.
            let body = body.unwrap_or_default();
            return Err(failures::refused(operation, status, &headers, &body, SystemTime::now()));
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_paths_whatever_the_slashes() {
        for base in ["http://localhost:11434/v1", "http://localhost:11434/v1//"] {
            let endpoint = Endpoint::new(base, None, ReplyLimits::default()).unwrap();
            let request = endpoint.post("embeddings", "test").unwrap().build().unwrap();
            assert_eq!(request.url().as_str(), "http://localhost:11434/v1/embeddings");
        }
    }

    #[test]
    fn refuses_other_schemes_and_keeps_the_key_out_of_debug() {
        for base in ["ftp://host/v1", "host", ""] {
            let error = Endpoint::new(base, None, ReplyLimits::default()).unwrap_err();
            assert!(matches!(error, EndpointError::BaseUrl), "{base}");
        }
        let key = Some(SecretString::from("sk-very-secret"));
        let endpoint = Endpoint::new("http://host/v1", key, ReplyLimits::default()).unwrap();
        assert!(!format!("{endpoint:?}").contains("very-secret"));
    }
}
