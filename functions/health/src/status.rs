//! `GET /v1/status`.

use axum::{Json, extract::State};
use lectern_runtime::problem::Problem;

use crate::{Health, contract::StatusBody};

/// Returns how the service levels were kept in the last hour, day and 30 days, and what is left of their error budgets.
#[utoipa::path(get, path = "/v1/status", tag = "health", responses(
    (status = 200, body = StatusBody),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn status(State(state): State<Health>) -> Result<Json<StatusBody>, Problem> {
    Ok(Json(state.statuses.status().await?.into()))
}
