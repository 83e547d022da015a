//! Request ids, one log line per request, and headers every response carries.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::{Instrument as _, info, info_span};

use crate::problem::Problem;

/// Header that carries the request id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Headers of every response that says nothing else. What the API answers is no page: it runs nothing, loads nothing and is
/// framed by nobody (OWASP REST Security Cheat Sheet, "Security Headers").
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
/// Longest request id taken from a client.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// The id of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Gives the request an id, logs it when answered, and puts the id into problems.
///
/// The log line has method, route, status and duration; never the path's parameters, query or body.
pub async fn trace(mut request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    let span = info_span!("request", request.id = %request_id, %method, route);
    let started = Instant::now();
    async move {
        let response = next.run(request).await;
        let mut response = with_instance(response, &request_id);
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert(REQUEST_ID, value);
        }
        for (name, value) in HEADERS {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
        info!(status = response.status().as_u16(), duration_ms, "answered a request");
        response
    }
    .instrument(span)
    .await
}

fn request_id(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    given.filter(plain).map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned)
}

fn with_instance(mut response: Response, request_id: &str) -> Response {
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else { return response };
    problem.instance = Some(request_id.to_owned());
    let rewritten = problem.into_response();
    let (rewritten_parts, body) = rewritten.into_parts();
    let (mut parts, _) = response.into_parts();
    parts.headers.extend(rewritten_parts.headers);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}
