//! What came back: status, headers, and the bytes as they arrive.

use std::{pin::Pin, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use eventsource_stream::{EventStream, EventStreamError, Eventsource as _};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::{ApiError, Problem};

/// Largest JSON answer. A listing of 200 documents with all their metadata is some 2 MB.
pub(crate) const MAX_REPLY_BYTES: usize = 32 * 1024 * 1024;
/// Largest streamed answer: the same bytes once more, token by token.
const MAX_STREAM_BYTES: usize = 4 * MAX_REPLY_BYTES;

type Bytestream = Pin<Box<dyn Stream<Item = Result<Bytes, ApiError>> + Send>>;

/// An answer whose body is still on its way.
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Bytestream,
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerEvent {
    /// `retrieval`, `token`, `citation`, `done` or `error`.
    pub(crate) name: String,
    /// JSON.
    pub(crate) data: String,
}

/// Server-sent events as they arrive.
pub(crate) struct Events(EventStream<Bytestream>);

impl Reply {
    /// Returns the answer of a router in this process.
    pub(super) fn local(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.into_data_stream().map_err(|error| ApiError::Broken(error.into()));
        Self { status: parts.status, headers: parts.headers, body: Box::pin(body) }
    }

    /// Returns an answer that came over a network.
    pub(super) fn remote(
        status: StatusCode,
        headers: HeaderMap,
        body: impl Stream<Item = Result<Bytes, ApiError>> + Send + 'static,
    ) -> Self {
        Self { status, headers, body: Box::pin(body) }
    }

    /// Returns the answer itself when its status says yes, the problem it holds otherwise.
    pub(super) async fn accepted(self) -> Result<Self, ApiError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let status = self.status;
        let retry_after = self.headers.get(header::RETRY_AFTER).and_then(seconds);
        let body = self.bytes(MAX_REPLY_BYTES).await?;
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        let problem = Problem { retry_after, ..complete(problem, status) };
        Err(ApiError::Problem(Box::new(problem)))
    }

    /// Whether it has a header.
    pub(crate) fn has(&self, name: &HeaderName) -> bool {
        self.headers.contains_key(name)
    }

    /// Returns the body as text.
    ///
    /// # Errors
    /// When it is too long, or breaks off.
    pub(crate) async fn text(self) -> Result<String, ApiError> {
        let body = self.bytes(MAX_REPLY_BYTES).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Whether the body is a stream of events.
    pub(crate) fn is_events(&self) -> bool {
        let media_type = self.headers.get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or("");
        media_type.starts_with("text/event-stream")
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// When it is none, too long, or breaks off.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        let body = self.bytes(MAX_REPLY_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    /// Returns the body as events.
    pub(crate) fn events(self) -> Events {
        let mut left = MAX_STREAM_BYTES;
        let bounded = self.body.map(move |piece| {
            let piece = piece?;
            let too_long = ApiError::TooLong { limit_bytes: MAX_STREAM_BYTES };
            left = left.checked_sub(piece.len()).ok_or(too_long)?;
            Ok(piece)
        });
        let bounded: Bytestream = Box::pin(bounded);
        Events(bounded.eventsource())
    }

    async fn bytes(mut self, limit_bytes: usize) -> Result<Bytes, ApiError> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.body.next().await {
            let piece = piece?;
            if bytes.len() + piece.len() > limit_bytes {
                return Err(ApiError::TooLong { limit_bytes });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }
}

impl Events {
    /// Returns the next event, `None` when the stream has ended.
    ///
    /// # Errors
    /// When the stream breaks off or is no event stream.
    pub(crate) async fn next(&mut self) -> Result<Option<ServerEvent>, ApiError> {
        let Some(event) = self.0.next().await else { return Ok(None) };
        match event {
            Ok(event) => Ok(Some(ServerEvent { name: event.event, data: event.data })),
            Err(EventStreamError::Transport(error)) => Err(error),
            Err(_) => Err(ApiError::Unexpected("not a stream of events".into())),
        }
    }
}

/// Lectern says seconds; a date from a gateway counts as nothing said.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds: u64 = value.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A gateway in front of Lectern answers without a problem document, or with another one.
fn complete(mut problem: Problem, status: StatusCode) -> Problem {
    problem.status = status.as_u16();
    if problem.title.is_empty() {
        problem.title = status.canonical_reason().unwrap_or("Refused").to_owned();
    }
    if problem.detail.is_empty() {
        problem.detail = match status {
            StatusCode::UNAUTHORIZED => "pass an API key with --key or LECTERN_API_KEY".to_owned(),
            _ => format!("the server answered {} without saying why", status.as_u16()),
        };
    }
    problem
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn reply(pieces: &[&'static str]) -> Reply {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Reply::remote(StatusCode::OK, HeaderMap::new(), stream::iter(pieces))
    }

    #[tokio::test]
    async fn events_are_put_together_across_pieces() {
        let mut events = reply(&[
            "event: tok",
            "en\ndata: {\"te",
            "xt\":\"ü\"}\n\n: keep-alive\n\nevent: done\ndata: {}\n\n",
        ])
        .events();
        let token = events.next().await.unwrap().unwrap();
        assert_eq!((token.name.as_str(), token.data.as_str()), ("token", "{\"text\":\"ü\"}"));
        assert_eq!(events.next().await.unwrap().unwrap().name, "done");
        assert_eq!(events.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_broken_stream_is_an_error_not_an_end() {
        let broken = ApiError::Broken("reset".into());
        let pieces = vec![Ok(Bytes::from_static(b"event: token\ndata: {}\n\n")), Err(broken)];
        let mut events =
            Reply::remote(StatusCode::OK, HeaderMap::new(), stream::iter(pieces)).events();
        assert!(events.next().await.unwrap().is_some());
        assert!(matches!(events.next().await, Err(ApiError::Broken(_))));
    }

    #[tokio::test]
    async fn an_endless_body_is_refused() {
        let piece = Bytes::from(vec![b' '; 1024 * 1024]);
        let endless = || {
            stream::repeat_with({
                let piece = piece.clone();
                move || Ok(piece.clone())
            })
        };
        let json = Reply::remote(StatusCode::OK, HeaderMap::new(), endless());
        let refused = json.json::<serde_json::Value>().await;
        assert!(matches!(refused, Err(ApiError::TooLong { limit_bytes: MAX_REPLY_BYTES })));
        let failed = Reply::remote(StatusCode::BAD_GATEWAY, HeaderMap::new(), endless());
        assert!(matches!(failed.accepted().await.err(), Some(ApiError::TooLong { .. })));
    }

    #[tokio::test]
    async fn other_json_is_not_lecterns() {
        let refused = reply(&["<html>"]).json::<serde_json::Value>().await;
        assert!(matches!(refused, Err(ApiError::Unexpected(_))));
    }

    #[test]
    fn a_refused_key_says_how_to_give_one() {
        let problem = complete(Problem::default(), StatusCode::UNAUTHORIZED);
        assert!(problem.detail.contains("LECTERN_API_KEY"));
    }
}
