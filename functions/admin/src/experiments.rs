//! `GET /v1/experiments`.

use axum::{Json as JsonBody, extract::State};
use lectern_app::errors::FlowError;
use lectern_core::ids::CollectionId;
use lectern_runtime::{extract::Params, gate::Verified, problem::Problem};

use crate::{
    Admin,
    contract::{ExperimentBody, ExperimentParams, ExperimentsBody},
};

/// Returns how a collection's experiments came out so far: counts by variant, estimates with 95 % confidence
/// intervals, and how each variant differs from the first. Wants the permission `admin`.
#[utoipa::path(get, path = "/v1/experiments", tag = "admin", params(
    ("collection" = Option<String>, Query, pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$", description = "the collection; `default` without"),
), responses(
    (status = 200, body = ExperimentsBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn report(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Params(params): Params<ExperimentParams>,
) -> Result<JsonBody<ExperimentsBody>, Problem> {
    let collection: CollectionId = match params.collection {
        Some(id) => id.parse().map_err(|error| FlowError::field("/collection", error))?,
        None => CollectionId::default_collection(),
    };
    let reports = state.experiments.report(&caller, &collection).await?;
    let experiments = reports.into_iter().map(ExperimentBody::from).collect();
    Ok(JsonBody(ExperimentsBody { collection: collection.into(), experiments }))
}
