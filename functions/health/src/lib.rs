//! `health`: is the process alive, and could a question be answered now?

pub mod settings;

use axum::{Json, Router, extract::State, http::StatusCode};
use lectern_app::health::{Health as HealthFlow, Readiness, Status};
use lectern_runtime::problem::Problem;
use serde::Serialize;
use utoipa::{ToSchema, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Health {
    /// Probes dependencies.
    pub health: HealthFlow,
}

/// The process is alive.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Alive {
    /// Always `ok`.
    pub status: &'static str,
    /// Version of the program.
    pub version: &'static str,
}

/// Returns the routes. They tell nothing about data, so they stand in front of the gate.
pub fn router(health: Health) -> Router {
    Router::from(routes()).with_state(health)
}

/// Returns the routes' description.
#[must_use]
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready))
}

/// Answers while the process is alive; asks no dependency.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Alive)))]
async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Probes every dependency; 503 only when no question could be answered.
#[utoipa::path(get, path = "/ready", tag = "health", responses(
    (status = 200, description = "`status` is `ok` or `degraded`, with a check per dependency", body = Object),
    (status = 503, description = "`status` is `down`", body = Object),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
async fn ready(State(state): State<Health>) -> (StatusCode, Json<Readiness>) {
    let readiness = state.health.ready().await;
    let status = match readiness.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Down => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness))
}
