//! The server's connections: bounded in number and in time, so that slow clients and many of them cost the others little.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use lectern_runtime::problem::Problem;
use tokio::{net::TcpListener, sync::Semaphore};
use tower::ServiceExt as _;
use tracing::{debug, warn};

/// Most connections at once; more wait until one ends.
pub(crate) const MAX_CONNECTIONS: usize = 12_000;
/// Most requests that are worked on at once; more wait a moment, and are asked to come again.
pub(crate) const MAX_REQUESTS: usize = 512;
/// Most uploads that are read at once, each of which is in memory; more wait.
pub(crate) const MAX_UPLOADS: usize = 8;
/// How long a request waits for those before it.
const REQUEST_PATIENCE: Duration = Duration::from_secs(2);
/// How long an upload waits for those before it.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(20);
/// How long a client may be silent while it sends a body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to send a request's headers, and be silent between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause when no connection can be accepted, because files are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopped`, then lets requests under way finish.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stopped: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stopped = std::pin::pin!(stopped);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEADER_TIMEOUT);
    loop {
        let accepting = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stopped => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        // A token of an answer is a small write that must not wait for the next.
        if let Err(error) = stream.set_nodelay(true) {
            warn!(%error, "failed to set TCP_NODELAY");
        }
        let service = router.clone().map_request(move |request: http::Request<_>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let service = TowerToHyperService::new(service);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    warn!(%error, "failed to accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// How many requests are worked on at once.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    permits: Arc<Semaphore>,
    patience: Duration,
}

impl Room {
    /// Returns room for requests; more wait a moment.
    pub(crate) fn for_requests() -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_REQUESTS)), patience: REQUEST_PATIENCE }
    }

    /// Returns room for uploads; more wait a while.
    pub(crate) fn for_uploads() -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_UPLOADS)), patience: UPLOAD_PATIENCE }
    }
}

/// Works on a request if there is room, until its response is sent.
pub(crate) async fn admit(State(room): State<Room>, request: Request, next: Next) -> Response {
    let Room { permits, patience } = room;
    let Ok(Ok(permit)) = tokio::time::timeout(patience, permits.acquire_owned()).await else {
        return overloaded();
    };
    let response = next.run(request).await;
    response.map(|body| {
        // Held by the body, whose length stays known.
        Body::new(body.map_err(move |error| {
            let _held = &permit;
            error
        }))
    })
}

/// As [`admit`], for requests that bring something.
pub(crate) async fn admit_upload(room: State<Room>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::POST | Method::PUT) {
        return admit(room, request, next).await;
    }
    next.run(request).await
}

fn overloaded() -> Response {
    let detail = "too many requests are being worked on; wait as `Retry-After` says";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Overloaded", detail);
    Problem { retry_after: Some(Duration::from_secs(1)), ..problem }.into_response()
}

#[cfg(test)]
mod tests {
    use axum::{middleware::from_fn_with_state, routing::get};

    use super::*;

    async fn ask(router: &Router) -> Response {
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_too_many_is_told_to_come_again_until_a_response_is_sent() {
        let room = Room { permits: Arc::new(Semaphore::new(1)), patience: Duration::ZERO };
        let router =
            Router::new().route("/", get(async || "hello")).layer(from_fn_with_state(room, admit));
        let first = ask(&router).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(axum::body::HttpBody::size_hint(first.body()).exact(), Some(5));
        let second = ask(&router).await;
        assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(second.headers()["retry-after"], "1");
        drop(first);
        assert_eq!(ask(&router).await.status(), StatusCode::OK);
    }
}
