//! How many requests are worked on at once.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use lectern_runtime::problem::Problem;
use tokio::sync::Semaphore;

use super::Limits;

/// Most requests that are worked on at once; more wait a moment, and are asked to come again.
const MAX_REQUESTS: usize = 512;
/// Most uploads that are read at once, each of which is in memory; more wait.
const MAX_UPLOADS: usize = 8;
/// How long a request waits for those before it.
const REQUEST_PATIENCE: Duration = Duration::from_secs(2);
/// How long an upload waits for those before it.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(20);

/// What there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoomLimits {
    /// Most that are worked on at once.
    pub(super) most: usize,
    /// How long one waits for those before it.
    pub(super) patience: Duration,
}

impl RoomLimits {
    /// Of requests.
    pub(super) const REQUESTS: Self = Self { most: MAX_REQUESTS, patience: REQUEST_PATIENCE };
    /// Of uploads.
    pub(super) const UPLOADS: Self = Self { most: MAX_UPLOADS, patience: UPLOAD_PATIENCE };
}

/// How many requests are worked on at once.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    permits: Arc<Semaphore>,
    limits: RoomLimits,
}

impl Room {
    /// Returns room for requests; more wait a moment.
    pub(crate) fn for_requests(limits: &Limits) -> Self {
        Self::new(limits.requests)
    }

    /// Returns room for uploads; more wait a while.
    pub(crate) fn for_uploads(limits: &Limits) -> Self {
        Self::new(limits.uploads)
    }

    fn new(limits: RoomLimits) -> Self {
        Self { permits: Arc::new(Semaphore::new(limits.most)), limits }
    }
}

/// Works on a request if there is room, until its response is sent.
pub(crate) async fn admit(State(room): State<Room>, request: Request, next: Next) -> Response {
    let Room { permits, limits } = room;
    let waiting = tokio::time::timeout(limits.patience, permits.acquire_owned());
    let Ok(Ok(permit)) = waiting.await else {
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
    use std::time::Instant;

    use axum::{Router, body::HttpBody as _, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    /// Longer than any test may take.
    const FOREVER: Duration = Duration::from_secs(3_600);

    fn router(limits: RoomLimits) -> Router {
        let hello = get(async || "hello").post(async || "taken");
        Router::new().route("/", hello).layer(from_fn_with_state(Room::new(limits), admit))
    }

    async fn send(router: &Router, method: Method) -> Response {
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    async fn ask(router: &Router) -> Response {
        send(router, Method::GET).await
    }

    #[tokio::test]
    async fn a_request_too_many_is_told_to_come_again_until_a_response_is_sent() {
        for limits in [RoomLimits::REQUESTS, RoomLimits::UPLOADS] {
            let router = router(RoomLimits { patience: Duration::ZERO, ..limits });
            let mut held = Vec::new();
            for _ in 0..limits.most {
                held.push(ask(&router).await);
            }
            let last = held.pop().unwrap();
            assert_eq!(last.status(), StatusCode::OK);
            assert_eq!(last.body().size_hint().exact(), Some(5));
            let refused = ask(&router).await;
            // The last one still has its place.
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{limits:?}");
            assert_eq!(refused.headers()["retry-after"], "1");
            drop(last);
            assert_eq!(ask(&router).await.status(), StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn a_request_waits_for_those_before_it_as_long_as_its_patience() {
        let patience = Duration::from_millis(50);
        let impatient = router(RoomLimits { most: 1, patience });
        let _held = ask(&impatient).await;
        let asked = Instant::now();
        assert_eq!(ask(&impatient).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(asked.elapsed() >= patience);

        let patient = router(RoomLimits { most: 1, patience: FOREVER });
        let held = ask(&patient).await;
        let mut waiting = std::pin::pin!(ask(&patient));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        drop(held);
        assert_eq!(waiting.await.status(), StatusCode::OK);
    }
}
