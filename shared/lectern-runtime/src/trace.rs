//! Request ids, traces, one log line and one measurement per request, and headers every response carries.

mod body;

use std::time::Instant;

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body::Body as _;
use lectern_telemetry::{
    instruments::{HTTP_ACTIVE, LIMITED},
    labels,
    trace::{TRACEPARENT, XRAY, continue_from, trace_id},
};
use tracing::{Instrument as _, Span, field::Empty, info_span};

use self::body::{Seen, Watched};
use crate::{problem::Problem, telemetry};

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
/// Status of a request nobody waited for.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// Longest request id taken from a client.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// The id of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Gives the request an id and a place in its trace, logs it when answered, and puts the id into problems.
///
/// The log line has method, route, status and duration; never the path's parameters, query or body.
pub async fn trace(mut request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("unmatched", |path| labels::word(path.as_str()));
    let span = info_span!(
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        request.id = %request_id,
        trace_id = Empty,
        sampled = rand::random::<f64>() < telemetry::sampled(),
        method,
        route,
        http.response.status_code = Empty,
    );
    place(&span, request.headers());
    let mut seen = Seen {
        method,
        route,
        // What stands when the client is gone before there is a response (nginx, `ngx_http_request.h`).
        status: CLIENT_CLOSED_REQUEST,
        started: Instant::now(),
        span: span.clone(),
        _active: HTTP_ACTIVE.while_held(&[]),
        is_complete: false,
    };
    let response = next.run(request).instrument(span.clone()).await;
    let _entered = span.enter();
    seen.status = response.status().as_u16();
    let mut response = with_instance(response, &request_id);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let (parts, body) = response.into_parts();
    seen.is_complete = body.is_end_stream();
    Response::from_parts(parts, Body::new(Watched { inner: body, seen }))
}

/// Puts a request's span into the trace its headers name, and the trace's id onto each of its log lines.
fn place(span: &Span, headers: &HeaderMap) {
    // Where AWS says which trace it is, that is the one its own services are in.
    let given = [XRAY, TRACEPARENT].into_iter().find_map(|name| headers.get(name)?.to_str().ok());
    if let Some(given) = given {
        continue_from(span, given);
    }
    if let Some(id) = trace_id(span) {
        span.record("trace_id", id);
    }
}

/// Returns the method as a label: those of RFC 9110 that routes take, and one word for all others.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
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
    if let Some(limit) = problem.limit() {
        LIMITED.add(1, &[("limit", limit)]);
    }
    problem.instance = Some(request_id.to_owned());
    let rewritten = problem.into_response();
    let (rewritten_parts, body) = rewritten.into_parts();
    let (mut parts, _) = response.into_parts();
    parts.headers.extend(rewritten_parts.headers);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}
