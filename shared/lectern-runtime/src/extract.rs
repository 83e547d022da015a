//! How bodies, queries and ids are read. A value that cannot be read names its place.

use std::{error::Error, io, iter::successors, str::FromStr};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::QueryRejection},
    http::{StatusCode, header, request::Parts},
};
use bytes::BytesMut;
use futures::StreamExt as _;
use lectern_app::errors::FlowError;
use lectern_core::errors::chain;
use serde::de::DeserializeOwned;
use tracing::info;

use crate::problem::Problem;

/// Largest JSON body in bytes; documents have their own limit.
pub const MAX_JSON_BYTES: usize = 64 * 1024;

/// Media types of a JSON body; the second is a merge patch's (RFC 7396).
const JSON_TYPES: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// Bytes of a body over its limit that are read and dropped, so that a client that is still sending hears the
/// refusal instead of a broken connection.
const MAX_DRAINED_BYTES: usize = 64 << 20;

/// A JSON body, at most [`MAX_JSON_BYTES`] long.
///
/// 400 when it is not JSON, 413 when too long, 415 for another media type, 422 with a pointer when a field is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or("");
        let media_type = media_type.to_ascii_lowercase();
        if !JSON_TYPES.iter().any(|json| media_type.starts_with(json)) {
            let detail = "send the body as `Content-Type: application/json`".to_owned();
            return Err(FlowError::UnsupportedMedia(detail).into());
        }
        let body = read_body(request, MAX_JSON_BYTES).await?;
        parse_json(&body).map(Self)
    }
}

/// Returns a request's body, at most `limit_bytes` long.
///
/// # Errors
/// 413 when it is longer, 408 when it comes too slowly, 400 when it breaks off.
pub async fn read_body(request: Request, limit_bytes: usize) -> Result<Bytes, Problem> {
    let mut chunks = request.into_body().into_data_stream();
    let mut body = BytesMut::new();
    let mut received = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| unreadable(&error))?;
        received = received.saturating_add(chunk.len());
        if received <= limit_bytes {
            body.extend_from_slice(&chunk);
        } else if received > limit_bytes.saturating_add(MAX_DRAINED_BYTES) {
            break;
        }
    }
    if received > limit_bytes { Err(Problem::too_large(limit_bytes)) } else { Ok(body.freeze()) }
}

fn unreadable(error: &axum::Error) -> Problem {
    too_slow(error).unwrap_or_else(|| {
        info!(error = %chain(error), "a body broke off");
        Problem::malformed("the body broke off before its end")
    })
}

/// Returns the problem of a body whose sender was too slow, 408, and logs the cause; `None` when that is not what `error` says.
/// A server that gives up waiting lets the body fail with [`io::ErrorKind::TimedOut`].
pub fn too_slow(error: &(dyn Error + 'static)) -> Option<Problem> {
    let is_timeout = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
    };
    if !successors(Some(error), |&cause| cause.source()).any(is_timeout) {
        return None;
    }
    info!(error = %chain(error), "a body came too slowly");
    let detail =
        "the body did not come in time; send it again, over a faster connection if it is large";
    Some(Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "Request too slow", detail))
}

/// Refuses a body whose declared length is over `limit_bytes`, once the client has sent it.
///
/// # Errors
/// 413 when it is.
pub async fn refuse_declared(request: Request, limit_bytes: usize) -> Result<Request, Problem> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_none_or(|length| length <= limit_bytes) {
        return Ok(request);
    }
    // Nothing is kept; the body is read only so that the client hears the answer.
    drop(read_body(request, 0).await);
    Err(Problem::too_large(limit_bytes))
}

/// Parses JSON into `T`.
///
/// # Errors
/// 400 when it is not JSON, 422 with a pointer when a field is wrong.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if !is_object(body) {
        // Serde would take an array for an object's fields in their order, which nobody means.
        return Err(match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
            Ok(_) => FlowError::field("", "must be a JSON object").into(),
            Err(error) => Problem::malformed(format!("the body is not valid JSON: {error}")),
        });
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        match error.inner().classify() {
            serde_json::error::Category::Data => {
                Problem::from(FlowError::field(&pointer, without_place(error.inner())))
            }
            _ => Problem::malformed(format!("the body is not valid JSON: {}", error.inner())),
        }
    })?;
    reader
        .end()
        .map_err(|error| Problem::malformed(format!("the body is not valid JSON: {error}")))?;
    Ok(value)
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segments = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    });
    segments.collect()
}

/// Returns serde's sentence without `at line 1 column 7`, which the pointer says better.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(sentence, _)| sentence.to_owned())
}

/// The query string as `T`; 422 when a parameter is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(value)| Self(value)).map_err(|rejection: QueryRejection| {
            let text = rejection.body_text();
            let detail = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, rest)| rest);
            let (field, reason) = detail.split_once(": ").unwrap_or(("", detail));
            FlowError::field(&format!("/{field}"), reason).into()
        })
    }
}

/// Reads a field that is there, `null` included: with `#[serde(default)]` a patch tells `null`, which takes away, from a field
/// that is absent, which changes nothing (RFC 7396).
///
/// # Errors
/// When the value is of another form.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    <Option<T> as serde::Deserialize>::deserialize(deserializer).map(Some)
}

/// Parses an identifier from a path; one that cannot exist is simply not found.
///
/// # Errors
/// 404 naming `what`.
pub fn path_id<T: FromStr>(raw: &str, what: &'static str) -> Result<T, Problem> {
    raw.parse().map_err(|_| FlowError::NotFound(what).into())
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only its reading is tested")]
        items: Vec<u8>,
    }

    /// A request whose body fails after its first byte.
    fn broken(error: impl Error + Send + Sync + 'static) -> Request {
        let pieces = stream::iter([Ok(Bytes::from_static(b"{")), Err(error)]);
        Request::new(axum::body::Body::from_stream(pieces))
    }

    #[tokio::test]
    async fn a_body_that_comes_too_slowly_is_told_from_one_that_breaks_off() {
        let slow = || io::Error::new(io::ErrorKind::TimedOut, "17 bytes in 30s");
        let problem = read_body(broken(slow()), 100).await.unwrap_err();
        assert_eq!(
            (problem.status, problem.r#type.as_str()),
            (408, "urn:lectern:problem:too-slow")
        );
        assert!(!problem.detail.contains("17 bytes"), "the cause is for the log");
        let wrapped = axum::Error::new(axum::Error::new(slow()));
        assert_eq!(read_body(broken(wrapped), 100).await.unwrap_err().status, 408);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let problem = read_body(broken(reset), 100).await.unwrap_err();
        assert_eq!(
            (problem.status, problem.r#type.as_str()),
            (400, "urn:lectern:problem:malformed")
        );
    }

    #[test]
    fn a_wrong_field_is_named_by_pointer() {
        let problem = parse_json::<Body>(br#"{"items":[1,"x"]}"#).unwrap_err();
        assert_eq!((problem.status, problem.errors[0].pointer.as_str()), (422, "/items/1"));
        assert!(!problem.detail.contains("line"));
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        assert_eq!(parse_json::<Body>(b"{").unwrap_err().status, 400);
        assert_eq!(parse_json::<Body>(br#"{"items":[]} x"#).unwrap_err().status, 400);
        assert_eq!(parse_json::<Body>(br#"{"items":[],"more":1}"#).unwrap_err().status, 422);
        assert_eq!(parse_json::<Body>(br#"[[1]]"#).unwrap_err().status, 422, "fields in order");
        assert_eq!(parse_json::<Body>(b"[").unwrap_err().status, 400);
        assert_eq!(parse_json::<Body>(b"").unwrap_err().status, 400);
        assert!(parse_json::<Body>(b" \r\n\t{\"items\":[]}").is_ok());
    }
}
