//! `/v1/documents/fetch`: a document by its address.

use axum::{Json as Reply, extract::State, http::StatusCode};
use lectern_app::{errors::FlowError, fetch::Named};
use lectern_runtime::{extract::Json, gate::Verified, problem::Problem};

use crate::{
    Upload,
    body::collection,
    contract::{Accepted, FetchRequest},
};

/// Reads a document from an address and accepts it, where the operator allows the host. Nothing is read that is not on the
/// public internet, wherever an address leads. The same bytes sent twice give the same document.
#[utoipa::path(post, path = "/v1/documents/fetch", tag = "documents", request_body = FetchRequest, responses(
    (status = 202, body = Accepted),
    (status = 200, description = "these bytes were there already", body = Accepted),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn fetch(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Json(request): Json<FetchRequest>,
) -> Result<(StatusCode, Reply<Accepted>), Problem> {
    let FetchRequest { url, name, collection: of, document_id, acl, metadata } = request;
    let document_id = document_id
        .map(|id| id.parse().map_err(|error| FlowError::field("/document_id", error)))
        .transpose()?;
    let named = Named { url, collection: collection(of)?, document_id, name, acl, metadata };
    let uploaded = state.fetch.fetch(&caller, named).await?;
    let status = if uploaded.created { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Reply(uploaded.into())))
}
