//! `/v1/documents/uploads`: files that are too large for a request.

use axum::{
    Json as JsonBody,
    extract::{Path, Request, State},
    http::StatusCode,
};
use lectern_app::{errors::FlowError, uploads::NewUpload};
use lectern_runtime::{
    extract::{Json, path_id, read_body},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Upload, body,
    contract::{AnnouncedBody, UploadBody, UploadRequest},
};

/// Announces a file and returns where to `PUT` its bytes. What arrives there becomes the document `document_id`.
#[utoipa::path(post, path = "/v1/documents/uploads", tag = "documents", request_body = UploadRequest, responses(
    (status = 201, body = AnnouncedBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn announce(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Json(request): Json<UploadRequest>,
) -> Result<(StatusCode, JsonBody<AnnouncedBody>), Problem> {
    let document_id = request
        .document_id
        .map(|id| id.parse().map_err(|error| FlowError::field("/document_id", error)));
    let new = NewUpload {
        collection: body::collection(request.collection)?,
        document_id: document_id.transpose()?,
        name: request.name,
        acl: request.acl,
        metadata: request.metadata,
        size_bytes: request.size_bytes,
    };
    let announced = state.uploads.announce(&caller, new).await?;
    Ok((StatusCode::CREATED, JsonBody(announced.into())))
}

/// Returns how an upload stands: `waiting` for its bytes, `accepted` as a document, or `refused` with the reason.
#[utoipa::path(get, path = "/v1/documents/uploads/{id}", tag = "documents", params(("id" = String, Path)), responses(
    (status = 200, body = UploadBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<JsonBody<UploadBody>, Problem> {
    let upload = state.uploads.get(&caller, &path_id(&id, "upload")?).await?;
    Ok(JsonBody(upload.into()))
}

/// Takes an announced file through the API, where the store gives no address out. Behind a gateway the gateway's own limit
/// holds.
#[utoipa::path(put, path = "/v1/documents/uploads/{id}", tag = "documents", params(("id" = String, Path)),
request_body(content = String, content_type = "application/octet-stream"), responses(
    (status = 202, body = UploadBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn receive(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
    request: Request,
) -> Result<(StatusCode, JsonBody<UploadBody>), Problem> {
    let id = path_id(&id, "upload")?;
    let bytes = read_body(request, state.upload.max_bytes).await?;
    let upload = state.uploads.receive(&caller, &id, bytes).await?;
    Ok((StatusCode::ACCEPTED, JsonBody(upload.into())))
}
