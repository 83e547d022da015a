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

use super::{Limits, pace::Pace};

/// Most requests that are worked on at once, uploads aside; more wait a moment, and are asked to come again.
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
    /// How fast it must be sent once its turn has come.
    pub(super) pace: Pace,
}

impl RoomLimits {
    /// Of requests.
    pub(super) const REQUESTS: Self =
        Self { most: MAX_REQUESTS, patience: REQUEST_PATIENCE, pace: Pace::REQUESTS };
    /// Of uploads.
    pub(super) const UPLOADS: Self =
        Self { most: MAX_UPLOADS, patience: UPLOAD_PATIENCE, pace: Pace::UPLOADS };
}

/// Room for what is worked on at once.
#[derive(Clone, Debug)]
struct Room {
    permits: Arc<Semaphore>,
    limits: RoomLimits,
}

impl Room {
    fn new(limits: RoomLimits) -> Self {
        Self { permits: Arc::new(Semaphore::new(limits.most)), limits }
    }

    /// Works on a request if there is room, until its response is sent.
    async fn admit(self, request: Request, next: Next) -> Response {
        let Self { permits, limits } = self;
        let waiting = tokio::time::timeout(limits.patience, permits.acquire_owned());
        let Ok(Ok(permit)) = waiting.await else {
            return overloaded();
        };
        let request = request.map(|body| limits.pace.keep(body));
        let response = next.run(request).await;
        response.map(|body| {
            // Held by the body, whose length stays known.
            Body::new(body.map_err(move |error| {
                let _held = &permit;
                error
            }))
        })
    }
}

/// Room for requests and, apart from it, for uploads: these wait long for each other, and questions must not wait with them.
#[derive(Clone, Debug)]
pub(crate) struct Rooms {
    requests: Room,
    uploads: Room,
}

impl Rooms {
    /// Returns rooms in which nobody is.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { requests: Room::new(limits.requests), uploads: Room::new(limits.uploads) }
    }
}

/// Works on a request if there is room, until its response is sent.
pub(crate) async fn admit(State(rooms): State<Rooms>, request: Request, next: Next) -> Response {
    rooms.requests.admit(request, next).await
}

/// As [`admit`], where requests that bring something are uploads.
pub(crate) async fn admit_upload(
    State(rooms): State<Rooms>,
    request: Request,
    next: Next,
) -> Response {
    let is_upload = matches!(*request.method(), Method::POST | Method::PUT);
    let room = if is_upload { rooms.uploads } else { rooms.requests };
    room.admit(request, next).await
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

    fn router(requests: RoomLimits) -> Router {
        let rooms = Rooms::new(&Limits { requests, ..Limits::default() });
        Router::new().route("/", get(async || "hello")).layer(from_fn_with_state(rooms, admit))
    }

    async fn send_to(router: &Router, method: Method, path: &str) -> Response {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    async fn ask(router: &Router) -> Response {
        send_to(router, Method::GET, "/").await
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
        let impatient = router(RoomLimits { most: 1, patience, ..RoomLimits::REQUESTS });
        let _held = ask(&impatient).await;
        let asked = Instant::now();
        assert_eq!(ask(&impatient).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(asked.elapsed() >= patience);

        let patient = router(RoomLimits { most: 1, patience: FOREVER, ..RoomLimits::REQUESTS });
        let held = ask(&patient).await;
        let mut waiting = std::pin::pin!(ask(&patient));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        drop(held);
        assert_eq!(waiting.await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn uploads_that_wait_for_each_other_keep_no_question_waiting() {
        let requests = RoomLimits { most: 1, patience: Duration::ZERO, ..RoomLimits::REQUESTS };
        let uploads = RoomLimits { most: 1, patience: FOREVER, ..RoomLimits::UPLOADS };
        let rooms = Rooms::new(&Limits { requests, uploads, ..Limits::default() });
        let documents = get(async || "listed").post(async || "taken").put(async || "taken");
        let documents = Router::new().route("/documents", documents);
        let documents = documents.layer(from_fn_with_state(rooms.clone(), admit_upload));
        let others = Router::new().route("/", get(async || "hello"));
        let router = others.layer(from_fn_with_state(rooms, admit)).merge(documents);

        let held = send_to(&router, Method::POST, "/documents").await;
        assert_eq!(held.status(), StatusCode::OK);
        let mut waiting = std::pin::pin!(send_to(&router, Method::PUT, "/documents"));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        assert_eq!(ask(&router).await.status(), StatusCode::OK);
        // To list documents is to ask, too.
        let asked = ask(&router).await;
        let listed = send_to(&router, Method::GET, "/documents").await;
        assert_eq!(listed.status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(asked);
        let listed = send_to(&router, Method::GET, "/documents").await;
        assert_eq!(listed.status(), StatusCode::OK);
        drop(held);
        assert_eq!(waiting.await.status(), StatusCode::OK);
    }
}
