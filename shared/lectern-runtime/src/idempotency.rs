//! `Idempotency-Key`: a POST that is sent again is carried out once.
//!
//! | the same key again, | is answered |
//! |---|---|
//! | while the first is carried out | 409, with `Retry-After` |
//! | when it succeeded | with the same response, and `Idempotent-Replayed: true` |
//! | when it failed | by carrying it out |
//! | with another request | 422 |
//!
//! Answers to questions are not kept: a document that is gone must not be quoted from one. Of those, a key only keeps two from
//! being made at the same time; the answer cache, which looks at the documents, makes the second cheap.

use std::time::{Duration, Instant};

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use lectern_app::{
    errors::FlowError,
    once::{Begun, MAX_RESPONSE_BYTES, Once, Started, StoredResponse},
};
use lectern_core::{
    auth::Caller,
    errors::{ErrorKind, PortError},
};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use crate::{
    deadline::{Deadline, MARGIN},
    extract::read_body,
    gate::Gate,
    problem::Problem,
};

/// Header of a request's key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Header of a response that was said before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longest key in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// Carries a router's requests out once.
#[derive(Clone, Debug)]
pub struct Guard {
    once: Once,
    /// Largest body of any of its routes.
    max_body_bytes: usize,
    /// How long a request may take where nobody ends it.
    longest: Duration,
    is_kept: bool,
}

impl Guard {
    /// Returns the guard of routes whose responses are kept.
    #[must_use]
    pub fn keeping(gate: &Gate, max_body_bytes: usize, longest: Duration) -> Self {
        let once = Once { tables: gate.keys.tables.clone(), clock: gate.keys.clock.clone() };
        Self { once, max_body_bytes, longest, is_kept: true }
    }

    /// Returns the guard of routes whose responses quote documents: none is kept.
    #[must_use]
    pub fn forgetting(gate: &Gate, max_body_bytes: usize, longest: Duration) -> Self {
        Self { is_kept: false, ..Self::keeping(gate, max_body_bytes, longest) }
    }
}

/// Carries a request with a key out once. Behind [`crate::gate::admit`], which says who is calling.
pub async fn once(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let key = match key_of(&request) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    let begun = begin(&guard, &key, request).await;
    let (started, request) = match begun {
        Ok((Begun::First(started), request)) => (started, request),
        Ok((Begun::Again(response), _)) => return replay(response),
        Err(problem) => return problem.into_response(),
    };
    let response = next.run(request).await;
    end(guard, started, response).await
}

/// Returns the key of a POST, `None` when it has none.
fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    if request.method() != Method::POST {
        return Ok(None);
    }
    let Some(value) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or("").trim();
    // The draft's keys are quoted, everybody else's are not.
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let key = quoted.unwrap_or(text);
    if (1..=MAX_KEY_BYTES).contains(&key.len()) {
        return Ok(Some(key.to_owned()));
    }
    let detail = format!("`Idempotency-Key` must have 1 to {MAX_KEY_BYTES} ASCII characters");
    Err(Problem::malformed(detail))
}

/// Begins a request, whose body is read for that.
async fn begin(guard: &Guard, key: &str, request: Request) -> Result<(Begun, Request), Problem> {
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or(FlowError::Unauthenticated)?;
    let longest = Deadline::bound(request.extensions(), guard.longest, Instant::now()) + MARGIN;
    let (parts, body) = request.into_parts();
    let read = Request::from_parts(parts.clone(), body);
    let body = read_body(read, guard.max_body_bytes).await?;
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let payload = payload_sha256(target, &parts.headers, &body);
    let begun = guard.once.begin(&caller, key, &payload, longest).await?;
    Ok((begun, Request::from_parts(parts, Body::from(body))))
}

/// Returns the hash of what a request asks for. The boundary of a form, which clients choose anew each time, is not part of it.
fn payload_sha256(target: &str, headers: &HeaderMap, body: &Bytes) -> String {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("");
    let (media_type, boundary) = match media_type.split_once("boundary=") {
        Some((media_type, rest)) => {
            let boundary = rest.split(';').next().unwrap_or(rest).trim();
            (media_type, boundary.trim_matches('"').as_bytes())
        }
        None => (media_type, &[][..]),
    };
    let mut digest = Sha256::new();
    for field in [target, media_type] {
        digest.update(field);
        digest.update([0]);
    }
    let mut rest = &body[..];
    if !boundary.is_empty() {
        let finder = memchr::memmem::Finder::new(boundary);
        while let Some(place) = finder.find(rest) {
            digest.update(&rest[..place]);
            digest.update([0]);
            rest = &rest[place + boundary.len()..];
        }
    }
    digest.update(rest);
    hex::encode(digest.finalize())
}

/// Ends a request when its response is whole: what succeeded is kept, if it is to be.
async fn end(guard: Guard, started: Started, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let size = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let Some(size) = size else {
        return Response::from_parts(parts, forgotten(guard, started, body));
    };
    let is_kept = guard.is_kept && parts.status.is_success();
    if !is_kept || size > MAX_RESPONSE_BYTES {
        if is_kept {
            warn!("a response is too large to be kept for who sends the request again");
        }
        guard.once.end(&started, None).await;
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = to_bytes(body, MAX_RESPONSE_BYTES).await else {
        guard.once.end(&started, None).await;
        let broken = PortError::bare(ErrorKind::Internal, "make response");
        return Problem::from(broken).into_response();
    };
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let kept = String::from_utf8(bytes.to_vec()).ok().map(|body| StoredResponse {
        status: parts.status.as_u16(),
        body,
        content_type: header(header::CONTENT_TYPE).map(str::to_owned),
    });
    guard.once.end(&started, kept).await;
    Response::from_parts(parts, Body::from(bytes))
}

/// Returns the same stream, which forgets at its end that its request was begun. Who does not read it to its end leaves that to
/// time.
fn forgotten(guard: Guard, started: Started, body: Body) -> Body {
    let pieces = body.into_data_stream();
    let rest =
        stream::unfold((pieces, guard, started), |(mut pieces, guard, started)| async move {
            if let Some(piece) = pieces.next().await {
                return Some((piece, (pieces, guard, started)));
            }
            guard.once.end(&started, None).await;
            None
        });
    Body::from_stream(rest)
}

fn replay(stored: StoredResponse) -> Response {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let mut response = (status, stored.body).into_response();
    let headers = response.headers_mut();
    let media_type = stored.content_type.and_then(|text| HeaderValue::from_str(&text).ok());
    match media_type {
        Some(media_type) => headers.insert(header::CONTENT_TYPE, media_type),
        None => headers.remove(header::CONTENT_TYPE),
    };
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, key: Option<&str>) -> Request {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        if let Some(key) = key {
            request.headers_mut().insert(IDEMPOTENCY_KEY, HeaderValue::from_str(key).unwrap());
        }
        request
    }

    #[test]
    fn keys_are_short_texts_quoted_or_not() {
        let longest = "k".repeat(MAX_KEY_BYTES);
        for (given, expected) in [("one", "one"), ("\"one\"", "one"), (&longest, &longest)] {
            let key = key_of(&request(Method::POST, Some(given))).unwrap();
            assert_eq!(key.as_deref(), Some(expected));
        }
        assert_eq!(key_of(&request(Method::POST, None)).unwrap(), None);
        assert_eq!(key_of(&request(Method::GET, Some("one"))).unwrap(), None);
        for wrong in ["", "\"\"", &format!("{longest}k")] {
            assert_eq!(key_of(&request(Method::POST, Some(wrong))).unwrap_err().status, 400);
        }
    }

    #[test]
    fn the_boundary_of_a_form_is_not_what_it_asks_for() {
        let form = |boundary: &str, text: &str| {
            let media_type = format!("multipart/form-data; boundary=\"{boundary}\"");
            let headers = HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_str(&media_type).unwrap(),
            )]);
            let body = format!("--{boundary}\r\n\r\n{text}\r\n--{boundary}--\r\n");
            payload_sha256("/v1/documents", &headers, &body.into())
        };
        assert_eq!(form("aaa", "heron"), form("bbbb", "heron"));
        assert_ne!(form("aaa", "heron"), form("aaa", "otter"));
        let plain = |target: &str, body: &'static str| {
            payload_sha256(target, &HeaderMap::new(), &Bytes::from_static(body.as_bytes()))
        };
        assert_ne!(plain("/v1/a", "x"), plain("/v1/b", "x"));
        assert_ne!(plain("/v1/a", "x"), plain("/v1/a", "y"));
    }
}
