//! `GET /metrics`.

use axum::{
    extract::State,
    http::{HeaderName, header},
};
use lectern_app::errors::FlowError;
use lectern_core::auth::Permission;
use lectern_runtime::{gate::Verified, problem::Problem};

use crate::Health;

/// Media type of Prometheus text (Prometheus documentation, "Exposition formats").
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns what is measured as Prometheus text. Wants the permission `monitor`, which only an operator gives: it tells of
/// everybody's requests.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn metrics(
    State(state): State<Health>,
    Verified(caller): Verified,
) -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    if !caller.may(Permission::Monitor) {
        return Err(FlowError::Forbidden("the permission `monitor` is missing").into());
    }
    let text = state.statuses.exposition().await?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text))
}
