//! `/v1/usage` and `/v1/budget`.

use std::time::Duration;

use axum::{Json as JsonBody, extract::State};
use lectern_app::errors::FlowError;
use lectern_core::time::Timestamp;
use lectern_runtime::{
    extract::{Json, Params},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Admin,
    contract::{BudgetBody, ChangeBudgetBody, UsageParams, UsageReportBody},
};

/// Days of a report that says nothing else.
const DEFAULT_DAYS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Returns what was used by day and key: questions, tokens, dollars. Wants the permission `admin`.
#[utoipa::path(get, path = "/v1/usage", tag = "admin", params(
    ("from" = Option<String>, Query, format = Date, description = "the first UTC day, `2026-11-01`; 30 days before `to` without"),
    ("to" = Option<String>, Query, format = Date, description = "the last; today without"),
), responses(
    (status = 200, body = UsageReportBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn usage(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Params(params): Params<UsageParams>,
) -> Result<JsonBody<UsageReportBody>, Problem> {
    let to = match &params.to {
        Some(text) => day(text, "/to")?,
        None => state.spending.clock.now(),
    };
    let from = match &params.from {
        Some(text) => day(text, "/from")?,
        None => to.before(DEFAULT_DAYS),
    };
    Ok(JsonBody(state.spending.usage(&caller, from, to).await?.into()))
}

/// Returns what may be spent, and how much of it is gone. Wants the permission `admin`.
#[utoipa::path(get, path = "/v1/budget", tag = "admin", responses(
    (status = 200, body = BudgetBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(state): State<Admin>,
    Verified(caller): Verified,
) -> Result<JsonBody<BudgetBody>, Problem> {
    Ok(JsonBody(state.spending.budget(&caller).await?.into()))
}

/// Changes the account's limits, or stops all spending at once; from the next question on. Wants the permission `admin`.
#[utoipa::path(patch, path = "/v1/budget", tag = "admin", request_body = ChangeBudgetBody, responses(
    (status = 200, body = BudgetBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn change(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Json(body): Json<ChangeBudgetBody>,
) -> Result<JsonBody<BudgetBody>, Problem> {
    let change = body.parse()?;
    Ok(JsonBody(state.spending.set_budget(&caller, change).await?.into()))
}

fn day(text: &str, pointer: &str) -> Result<Timestamp, FlowError> {
    let parsed = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    parsed.ok_or_else(|| FlowError::field(pointer, "must be a day, `2026-11-21`"))
}
