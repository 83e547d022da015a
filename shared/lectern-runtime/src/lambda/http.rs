//! A router behind API Gateway.
//!
//! REST events (payload version 1) are what the stack sends; HTTP events (version 2) are what `cargo lambda watch` sends.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};
use lambda_http::{RequestExt as _, request::RequestContext};

use super::{Error, nodelay};
use crate::{deadline::Deadline, gate::ClientAddress, routes, trace::REQUEST_ID};

/// For two years, browsers ask this host by TLS alone.
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Serves a router's routes; each response is sent whole.
///
/// # Errors
/// When the Runtime API is gone.
pub async fn serve(router: Router) -> Result<(), Error> {
    lambda_http::run(prepared(router)).await
}

/// Serves a router's routes; each response is sent as it is made. All methods that lead here must be declared
/// `ResponseTransferMode: RESPONSE_STREAM`: a streaming function answers every request in that form.
///
/// A client that hangs up, as far as the platform says so, ends the body: what makes it is dropped.
///
/// # Errors
/// When the Runtime API is gone.
pub async fn serve_streaming(router: Router) -> Result<(), Error> {
    lambda_http::run_with_streaming_response(prepared(router)).await
}

pub(super) fn prepared(router: Router) -> Router {
    routes::complete(router).layer(middleware::from_fn(of_invocation))
}

/// Gives a request the deadline of its invocation, and the gateway's id so that its log and ours can be joined.
async fn of_invocation(mut request: Request, next: Next) -> Response {
    nodelay::switch_off();
    let context = request.lambda_context_ref();
    let deadline = context.map(|context| instant(context.deadline, SystemTime::now()));
    let (request_id, address) = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(gateway)) => {
            (gateway.request_id.clone(), gateway.identity.source_ip.clone())
        }
        Some(RequestContext::ApiGatewayV2(gateway)) => {
            (gateway.request_id.clone(), gateway.http.source_ip.clone())
        }
        _ => (None, None),
    };
    if let Some(address) = address.and_then(|address| address.parse().ok()) {
        request.extensions_mut().insert(ClientAddress(address));
    }
    if let Some(deadline) = deadline {
        request.extensions_mut().insert(Deadline(deadline));
    }
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        request.headers_mut().entry(REQUEST_ID).or_insert(id);
    }
    let mut response = next.run(request).await;
    // The gateway speaks TLS alone; elsewhere it is for whoever does to say so (RFC 6797, section 7.2).
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
    response
}

/// Returns the moment that is `deadline_ms` after the epoch.
pub(super) fn instant(deadline_ms: u64, now: SystemTime) -> Instant {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::now() + Duration::from_millis(deadline_ms).saturating_sub(now)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn behind_the_gateway_every_answer_says_that_its_host_speaks_tls() {
        let routes = prepared(Router::new().route("/", get(async || "answer")));
        for path in ["/", "/nothing"] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let response = routes.clone().oneshot(request).await.unwrap();
            assert_eq!(response.headers()[header::STRICT_TRANSPORT_SECURITY], "max-age=63072000");
        }
    }
}
