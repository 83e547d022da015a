//! Where a server is, and how long it may take.

use std::time::Duration;

use futures::TryStreamExt as _;
use http::{HeaderValue, header};
use reqwest::{Client, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{ApiError, BYTES, Call, Content, JSON, reply::Reply};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call may take, to the last byte of its answer. Answers have deadlines of their own, well below.
const CALL_TIMEOUT: Duration = Duration::from_secs(180);
/// How long an upload may take: 50 MB at 30 kB a second.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(1_800);

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// A call with a small body.
    Call,
    /// A document on its way up.
    Upload,
}

impl Patience {
    fn timeout(self) -> Duration {
        match self {
            Self::Call => CALL_TIMEOUT,
            Self::Upload => UPLOAD_TIMEOUT,
        }
    }
}

/// A server.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    client: Client,
    base_url: Url,
    key: Option<SecretString>,
}

impl Remote {
    /// Returns the server at `base_url`, which may have a path (a gateway's stage).
    ///
    /// # Errors
    /// A sentence for people when the URL or the key cannot be used.
    pub(crate) fn new(base_url: &str, key: Option<SecretString>) -> Result<Self, String> {
        let base_url: Url =
            base_url.parse().map_err(|error| format!("--api `{base_url}` is no URL: {error}"))?;
        if !matches!(base_url.scheme(), "http" | "https") || !base_url.has_host() {
            return Err(format!("--api `{base_url}` must begin with http:// or https://"));
        }
        if let Some(key) = &key {
            let usable = HeaderValue::from_str(key.expose_secret()).is_ok();
            usable.then_some(()).ok_or("the API key has characters that no key has")?;
        }
        // A redirect could carry the key to another host.
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client cannot be set up: {error}"))?;
        Ok(Self { client, base_url, key })
    }

    /// Returns the same server for somebody who has no key.
    pub(crate) fn without_key(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    /// Returns the server's address.
    pub(crate) fn base_url(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }

    pub(super) async fn send(&self, call: Call) -> Result<Reply, ApiError> {
        let patience = call.patience;
        let url = format!("{}{}", self.base_url(), call.target);
        let request = self.client.request(call.method, url).header(header::ACCEPT, call.accept);
        let request = match call.content {
            Content::Nothing => request,
            Content::Json(json) => request.header(header::CONTENT_TYPE, JSON).body(json),
            Content::File { file, length } => request
                .header(header::CONTENT_TYPE, BYTES)
                .header(header::CONTENT_LENGTH, length)
                .body(file),
        };
        let has_credential =
            matches!(&call.header, Some((name, _)) if *name == header::AUTHORIZATION);
        let request = match &self.key {
            Some(key) if !has_credential => request.bearer_auth(key.expose_secret()),
            _ => request,
        };
        let request = match call.header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let response = request.timeout(patience.timeout()).send().await;
        let response = response.map_err(|error| self.failed(error, patience))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let base_url = self.base_url().to_owned();
        let pieces = response.bytes_stream().map_err(move |error| {
            if error.is_timeout() {
                ApiError::TooSlow {
                    base_url: base_url.clone(),
                    seconds: patience.timeout().as_secs(),
                }
            } else {
                ApiError::Broken(error.without_url().into())
            }
        });
        Ok(Reply::remote(status, headers, pieces))
    }

    fn failed(&self, error: reqwest::Error, patience: Patience) -> ApiError {
        let base_url = self.base_url().to_owned();
        if error.is_timeout() && !error.is_connect() {
            return ApiError::TooSlow { base_url, seconds: patience.timeout().as_secs() };
        }
        if error.is_builder() {
            return ApiError::Request(error.without_url().into());
        }
        if error.is_connect() {
            return ApiError::Unreachable { base_url, source: error.without_url().into() };
        }
        // Some servers hang up on a body they find too large before the refusal is read.
        ApiError::Broken(error.without_url().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_servers_are_taken() {
        for wrong in ["", "localhost", "localhost:8080", "ftp://x", "http://"] {
            assert!(Remote::new(wrong, None).is_err(), "{wrong}");
        }
        let key = Some("two\nlines".to_owned().into());
        assert!(Remote::new("http://127.0.0.1:1", key).is_err());
    }

    #[test]
    fn a_stage_in_the_path_is_kept() {
        rustls_for_tests();
        let remote = Remote::new("https://api.example.org/prod/", None).unwrap();
        assert_eq!(remote.base_url(), "https://api.example.org/prod");
    }

    fn rustls_for_tests() {
        // A second test in this process finds the provider installed already.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}
