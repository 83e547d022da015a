//! `GET /health` and `GET /ready`.

use axum::{Json, extract::State, http::StatusCode};
use lectern_app::health::{Readiness, Status};
use lectern_runtime::problem::Problem;

use crate::{Health, contract::Alive};

/// Answers while the process is alive; asks no dependency.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Alive)))]
pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Probes every dependency at the same time, for at most 250 ms; 503 only when no question could be answered. What was found
/// holds for two seconds.
#[utoipa::path(get, path = "/ready", tag = "health", responses(
    (status = 200, description = "`status` is `ok` or `degraded`, with a check per dependency", body = Object),
    (status = 503, description = "`status` is `down`", body = Object),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn ready(State(state): State<Health>) -> (StatusCode, Json<Readiness>) {
    let readiness = state.health.ready().await;
    let status = match readiness.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Down => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness))
}
