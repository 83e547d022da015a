//! A client of Lectern's own HTTP API: the one way every command works, whether the API is in this process or
//! a network away.
//!
//! | module | answers |
//! |---|---|
//! | `problem` | how a failed call is told to a person |
//! | `reply` | what came back: status, headers, bytes as they arrive |
//! | `remote` | where a server is and how long it may take |

mod problem;
mod remote;
mod reply;

use std::{path::Path, time::Duration};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use serde::{Serialize, de::DeserializeOwned};
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use tower::ServiceExt as _;

use self::remote::Patience;
pub(crate) use self::{
    problem::{ApiError, Problem},
    remote::Remote,
    reply::Reply,
};

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// Most repetitions of a call that came too soon.
const MAX_REPEATS: usize = 20;
/// Longest pause before one of them.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Lectern's API.
#[derive(Clone, Debug)]
pub(crate) enum Api {
    /// The routers of this process, opened to its operator.
    InProcess(Router),
    /// A server or a deployment.
    Remote(Remote),
}

/// One call, before it is known who answers.
struct Call {
    method: Method,
    /// Path and query, encoded.
    target: String,
    content: Content,
    accept: &'static str,
    /// A header besides.
    header: Option<(HeaderName, HeaderValue)>,
    patience: Patience,
}

/// What a call carries.
enum Content {
    Nothing,
    Json(Bytes),
    File { file: File, length: u64 },
}

impl Api {
    /// Returns the JSON at `path`.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached, or answers something else.
    pub(crate) async fn get_json<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        self.send(Call::new(Method::GET, target(path, query))).await?.accepted().await?.json().await
    }

    /// Returns the answer to a JSON body.
    ///
    /// # Errors
    /// As [`Self::get_json`].
    pub(crate) async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let call = Call::new(Method::POST, path).with_json(body)?;
        self.send(call).await?.accepted().await?.json().await
    }

    /// Returns the answer to a JSON merge patch (RFC 7396).
    ///
    /// # Errors
    /// As [`Self::get_json`].
    pub(crate) async fn patch_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let call = Call::new(Method::PATCH, path).with_json(body)?;
        self.send(call).await?.accepted().await?.json().await
    }

    /// Returns the answer to a POST without a body.
    ///
    /// # Errors
    /// As [`Self::get_json`].
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.send(Call::new(Method::POST, path)).await?.accepted().await?.json().await
    }

    /// Deletes what is at `path` and returns what the API says about it.
    ///
    /// # Errors
    /// As [`Self::get_json`].
    pub(crate) async fn delete_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.send(Call::new(Method::DELETE, path)).await?.accepted().await?.json().await
    }

    /// Returns what is at `path`, whatever its status.
    ///
    /// # Errors
    /// When the API cannot be reached.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, ApiError> {
        self.send(Call::new(Method::GET, path)).await
    }

    /// Returns what is at `path`, whatever its status, to a call with another header; a credential goes before this program's own.
    ///
    /// # Errors
    /// When the API cannot be reached.
    pub(crate) async fn get_with(
        &self,
        path: &str,
        name: HeaderName,
        value: HeaderValue,
    ) -> Result<Reply, ApiError> {
        self.send(Call { header: Some((name, value)), ..Call::new(Method::GET, path) }).await
    }

    /// Returns the answer to a JSON body as it comes: events, or one JSON document when the API had nothing to
    /// stream.
    ///
    /// # Errors
    /// When the API refuses before the first event, or cannot be reached.
    pub(crate) async fn post_for_events(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Reply, ApiError> {
        let call = Call::new(Method::POST, path).with_json(body)?;
        self.send(Call { accept: "text/event-stream", ..call }).await?.accepted().await
    }

    /// Uploads a file's bytes as they are read from the disk.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`Self::get_json`].
    pub(crate) async fn upload_file<T: DeserializeOwned>(
        &self,
        path: &Path,
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        let unreadable = |source| ApiError::File { path: path.to_owned(), source };
        let file = File::open(path).await.map_err(unreadable)?;
        let length = file.metadata().await.map_err(unreadable)?.len();
        let call = Call {
            content: Content::File { file, length },
            patience: Patience::Upload,
            ..Call::new(Method::POST, target("/v1/documents", query))
        };
        self.send(call).await?.accepted().await?.json().await
    }

    async fn send(&self, call: Call) -> Result<Reply, ApiError> {
        match self {
            Self::InProcess(router) => {
                let served = router.clone().oneshot(call.into_request()?).await;
                Ok(Reply::local(served.unwrap_or_else(|never| match never {})))
            }
            Self::Remote(remote) => remote.send(call).await,
        }
    }
}

impl Call {
    fn new(method: Method, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            content: Content::Nothing,
            accept: "application/json",
            header: None,
            patience: Patience::Call,
        }
    }

    fn with_json(self, body: &impl Serialize) -> Result<Self, ApiError> {
        let json = serde_json::to_vec(body).map_err(|error| ApiError::Request(error.into()))?;
        Ok(Self { content: Content::Json(json.into()), ..self })
    }

    fn into_request(self) -> Result<Request<Body>, ApiError> {
        let request = Request::builder().method(self.method).uri(self.target);
        let request = request.header(header::ACCEPT, self.accept);
        let request = match self.header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let request = match self.content {
            Content::Nothing => request.body(Body::empty()),
            Content::Json(json) => {
                request.header(header::CONTENT_TYPE, JSON).body(Body::from(json))
            }
            Content::File { file, length } => request
                .header(header::CONTENT_TYPE, BYTES)
                .header(header::CONTENT_LENGTH, length)
                .body(Body::from_stream(ReaderStream::new(file))),
        };
        request.map_err(|error| ApiError::Request(error.into()))
    }
}

/// Makes a call again while the API asks to slow down, as long as it asks to wait, at most [`MAX_REPEATS`] times.
///
/// # Errors
/// As the last call.
pub(crate) async fn patiently<T>(
    call: impl AsyncFn() -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    for _ in 0..MAX_REPEATS {
        match call().await {
            Err(error) if error.retry_after().is_some() => {
                let pause = error.retry_after().unwrap_or_default();
                tokio::time::sleep(pause.min(MAX_PAUSE)).await;
            }
            outcome => return outcome,
        }
    }
    call().await
}

/// Returns path and query, encoded.
fn target(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(query);
    format!("{path}?{}", encoded.finish())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{
        Json,
        extract::Query,
        http::StatusCode,
        routing::{delete, get, post},
    };
    use serde_json::{Value, json};

    use super::*;

    fn api(router: Router) -> Api {
        Api::InProcess(router)
    }

    #[tokio::test]
    async fn names_and_ids_survive_the_query_string() {
        let echo = async |Query(pairs): Query<Vec<(String, String)>>| Json(pairs);
        let api = api(Router::new().route("/v1/documents", get(echo)));
        let pairs: Vec<(String, String)> =
            api.get_json("/v1/documents", &[("name", "a&b=ü #1.md")]).await.unwrap();
        assert_eq!(pairs, [("name".to_owned(), "a&b=ü #1.md".to_owned())]);
    }

    #[tokio::test]
    async fn a_file_arrives_byte_for_byte_with_its_length() {
        let size = async |headers: http::HeaderMap, body: Bytes| {
            let declared = headers[header::CONTENT_LENGTH].to_str().unwrap().to_owned();
            Json(json!({"declared": declared, "received": body.len()}))
        };
        let api = api(Router::new().route("/v1/documents", post(size)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let seen: Value = api.upload_file(&path, &[("name", "a.bin")]).await.unwrap();
        assert_eq!(seen, json!({"declared": "100000", "received": 100_000}));
        let missing = api.upload_file::<Value>(&folder.path().join("none"), &[]).await;
        assert!(matches!(missing, Err(ApiError::File { .. })));
    }

    #[tokio::test]
    async fn a_problem_is_read_with_its_fields() {
        let refuse = async || {
            let problem = json!({
                "type": "urn:lectern:problem:validation", "title": "Invalid fields", "status": 422,
                "detail": "`/limit` must be 1 to 100",
                "errors": [{"pointer": "/limit", "detail": "must be 1 to 100"}],
            });
            let media = [(header::CONTENT_TYPE, "application/problem+json")];
            (StatusCode::UNPROCESSABLE_ENTITY, media, problem.to_string())
        };
        let api = api(Router::new().route("/v1/documents/x", delete(refuse)));
        let error = api.delete_json::<Value>("/v1/documents/x").await.unwrap_err();
        let ApiError::Problem(problem) = &error else { panic!("{error}") };
        assert_eq!(problem.errors[0].pointer, "/limit");
        assert!(!error.is_unreachable());
    }

    #[tokio::test]
    async fn a_status_without_a_problem_still_says_something() {
        let api = api(Router::new());
        let error = api.get_json::<Value>("/nowhere", &[]).await.unwrap_err();
        assert_eq!(error.to_string(), "Not Found: the server answered 404 without saying why");
    }

    #[tokio::test]
    async fn a_call_that_came_too_soon_is_made_again_but_not_for_ever() {
        let calls = AtomicUsize::new(0);
        let too_soon = || {
            let retry_after = Some(Duration::ZERO);
            let problem = Problem { status: 429, retry_after, ..Problem::default() };
            ApiError::Problem(Box::new(problem))
        };
        let third_passes = async || match calls.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Err(too_soon()),
            _ => Ok(()),
        };
        patiently(third_passes).await.unwrap();
        calls.store(0, Ordering::Relaxed);
        let never_passes = async || {
            calls.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(too_soon())
        };
        assert_eq!(patiently(never_passes).await.unwrap_err().status(), Some(429));
        assert_eq!(calls.load(Ordering::Relaxed), MAX_REPEATS + 1);
    }
}
