//! `GET /health` and `GET /ready`.

use axum::{
    Json, Router,
    extract::{Query, Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use lectern_app::{
    errors::FlowError,
    health::{Readiness, Status},
};
use lectern_core::auth::Permission;
use lectern_runtime::{gate::Verified, problem::Problem};
use serde::Deserialize;
use tower::ServiceExt as _;
use utoipa::IntoParams;

use crate::{Health, contract::Alive};

/// Answers while the process is alive; asks no dependency.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Alive)))]
pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// How thoroughly.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadyParameters {
    /// `1` also asks a question whose answer is known, which costs what a question costs, at most twice a minute. Wants the
    /// permission `monitor`.
    #[serde(default)]
    deep: String,
}

/// Probes every dependency at the same time, for at most 250 ms; 503 only when no question could be answered. What was found
/// holds for two seconds. With `deep=1` a question is asked as everybody asks, and the check `canary` says whether the answer
/// cites what it must; that takes as long as an answer, ten seconds at most.
#[utoipa::path(get, path = "/ready", tag = "health", params(ReadyParameters), security((), ("key" = [])), responses(
    (status = 200, description = "`status` is `ok` or `degraded`, with a check per dependency", body = Object),
    (status = 503, description = "`status` is `down`", body = Object),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn ready(State(state): State<Health>, request: Request) -> Response {
    let parameters = Query::<ReadyParameters>::try_from_uri(request.uri()).unwrap_or_default();
    if !matches!(parameters.deep.as_str(), "1" | "true") {
        return told(state.health.ready().await);
    }
    // Costs what a question costs: not for everybody.
    let gated = state.gate.protect(Router::new().route("/ready", get(deep))).with_state(state);
    gated.oneshot(request).await.into_response()
}

async fn deep(
    State(state): State<Health>,
    Verified(caller): Verified,
) -> Result<Response, Problem> {
    if !caller.may(Permission::Monitor) {
        return Err(FlowError::Forbidden("the permission `monitor` is missing").into());
    }
    let (mut readiness, canary) = tokio::join!(state.health.ready(), state.canary.check());
    readiness.status = readiness.status.max(canary.status);
    readiness.checks.push(canary);
    Ok(told(readiness))
}

fn told(readiness: Readiness) -> Response {
    let status = match readiness.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Down => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness)).into_response()
}
