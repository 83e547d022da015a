//! Any API that speaks OpenAI's chat-completions and embeddings format: OpenAI itself, Gemini's compatible
//! endpoint, Ollama, vLLM and the like.

mod body;
mod chat;
mod embedder;
mod failures;
mod reply;
mod wire;

use std::time::Duration;

use lectern_core::errors::{ErrorKind, PortError};
use reqwest::{Client, RequestBuilder, header::ACCEPT_ENCODING, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use url::Url;

pub use chat::OpenAiChat;
pub use embedder::{EmbeddingLimits, OpenAiEmbedder, native_dimensions};

/// Where requests go when nothing else is said.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

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
    limits: ReplyLimits,
}

impl Endpoint {
    /// Returns the endpoint at `base_url`, the part before `/chat/completions`. Connects to nothing.
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
        let client = crate::http::client()
            .redirect(Policy::none())
            .connect_timeout(limits.connect)
            .tcp_nodelay(true)
            .build()
            .map_err(EndpointError::Client)?;
        Ok(Self { base, key, client, limits })
    }

    /// Returns a request for `path` under the base URL, with the key.
    fn post(&self, path: &str, operation: &'static str) -> Result<RequestBuilder, PortError> {
        let url = self.base.join(path);
        let url = url.map_err(|error| PortError::new(ErrorKind::Internal, operation, error))?;
        let request = self.client.post(url).header(ACCEPT_ENCODING, "identity");
        Ok(match &self.key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        })
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
