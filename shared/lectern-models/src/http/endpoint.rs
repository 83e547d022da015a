//! Where an API is, and how it is asked.

use std::time::{Duration, Instant, SystemTime};

use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    ports::Quota,
    secret::LiveSecret,
};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_TYPE},
    redirect::Policy,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use thiserror::Error;
use url::Url;

use super::{
    body,
    failures::{self, Failure},
    quota::LastQuota,
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
    key: Option<LiveSecret>,
    client: Client,
    pub(crate) limits: ReplyLimits,
    quota: LastQuota,
}

impl Endpoint {
    /// Returns the endpoint at `base_url`, the part before `/chat/completions`, `/embeddings` or `/rerank`. Connects to nothing.
    ///
    /// # Errors
    /// When the URL is not HTTP, or the client cannot be built.
    pub fn new(
        base_url: &str,
        key: Option<LiveSecret>,
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
        Ok(Self { base, key, client, limits, quota: LastQuota::default() })
    }

    /// Returns the same for another model: quotas are of models.
    pub(crate) fn for_one_model(self) -> Self {
        Self { quota: LastQuota::default(), ..self }
    }

    /// Returns what is left of the quota, where the API said so lately.
    pub(crate) fn quota(&self) -> Option<Quota> {
        self.quota.known(Instant::now())
    }

    /// Sends `question` as JSON to `path` and returns the head of the answer, whatever its status. A key that is refused is
    /// asked for anew and, when it was rotated, the request is sent once more.
    pub(crate) async fn post(
        &self,
        path: &str,
        question: &(impl Serialize + Sync),
        operation: &'static str,
    ) -> Result<Response, PortError> {
        let url = self.base.join(path);
        let url = url.map_err(|error| PortError::new(ErrorKind::Internal, operation, error))?;
        self.send(|| self.client.post(url.clone()).json(question), operation).await
    }

    /// Answers when the API takes the key, by listing its models, which costs nothing. An API that has no such list, but
    /// answers, is taken to be well.
    pub(crate) async fn ping(&self, operation: &'static str) -> Result<(), PortError> {
        let url = self.base.join("models");
        let url = url.map_err(|error| PortError::new(ErrorKind::Internal, operation, error))?;
        let response = self.send(|| self.client.get(url.clone()), operation).await?;
        let status = response.status();
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        if status.is_success() && media_type.is_some_and(|it| it.starts_with("text/html")) {
            let reason = "a page answers where an API should";
            return Err(PortError::new(ErrorKind::Unavailable, operation, reason));
        }
        if status.is_success()
            || matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
        {
            return Ok(());
        }
        let headers = response.headers().clone();
        Err(failures::refused(operation, status, &headers, &[], SystemTime::now()))
    }

    async fn send(
        &self,
        request: impl Fn() -> RequestBuilder,
        operation: &'static str,
    ) -> Result<Response, PortError> {
        let request = || request().header(ACCEPT_ENCODING, "identity");
        let sent = |request: RequestBuilder| async {
            let response =
                request.send().await.map_err(|error| Failure::from(error).at(operation))?;
            self.quota.note(response.headers(), Instant::now());
            Ok(response)
        };
        let Some(key) = &self.key else { return sent(request()).await };
        let used = key.get().await?;
        let response = sent(request().bearer_auth(used.expose_secret())).await?;
        if !is_refusal_of_key(response.status()) {
            return Ok(response);
        }
        match key.renew(&used).await {
            Ok(true) => sent(request().bearer_auth(key.get().await?.expose_secret())).await,
            Ok(false) => Ok(response),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "failed to read a refused key anew");
                Ok(response)
            }
        }
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
        let response = self.post(path, question, operation).await?;
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

fn is_refusal_of_key(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn joins_paths_whatever_the_slashes() {
        for base in ["http://localhost:11434/v1", "http://localhost:11434/v1//"] {
            let endpoint = Endpoint::new(base, None, ReplyLimits::default()).unwrap();
            let url = endpoint.base.join("embeddings").unwrap();
            assert_eq!(url.as_str(), "http://localhost:11434/v1/embeddings");
        }
    }

    #[test]
    fn refuses_other_schemes_and_keeps_the_key_out_of_debug() {
        for base in ["ftp://host/v1", "host", ""] {
            let error = Endpoint::new(base, None, ReplyLimits::default()).unwrap_err();
            assert!(matches!(error, EndpointError::BaseUrl), "{base}");
        }
        let key = Some(SecretString::from("sk-very-secret").into());
        let endpoint = Endpoint::new("http://host/v1", key, ReplyLimits::default()).unwrap();
        assert!(!format!("{endpoint:?}").contains("very-secret"));
    }
}
