//! `/v1/documents`: upload, list, status, delete, retry, text.

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use lectern_runtime::{
    extract::{Params, path_id},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Upload, body,
    contract::{
        Accepted, DocumentBody, DocumentPage, ListParams, ReceiptBody, TextBody, TextDocument,
        TextParams,
    },
};

/// Documents of a page when a listing says nothing else.
const DEFAULT_PAGE: usize = 50;

/// Accepts a document: multipart form with the field `file`, JSON with `text`, or the raw bytes with
/// `?name=`. The same bytes sent twice give the same document.
#[utoipa::path(post, path = "/v1/documents", tag = "documents", request_body = TextDocument, responses(
    (status = 202, body = Accepted),
    (status = 200, description = "these bytes were there already", body = Accepted),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn upload(
    State(state): State<Upload>,
    Verified(caller): Verified,
    request: Request,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let new = body::read(request, state.upload.max_bytes).await?;
    let uploaded = state.upload.upload(&caller, new).await?;
    let status = if uploaded.created { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(uploaded.into())))
}

/// Lists a collection's documents, newest first.
#[utoipa::path(get, path = "/v1/documents", tag = "documents", params(
    ("collection" = Option<String>, Query, pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$"), ("limit" = Option<usize>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query),
), responses(
    (status = 200, body = DocumentPage),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Params(params): Params<ListParams>,
) -> Result<Json<DocumentPage>, Problem> {
    let collection = body::collection(params.collection)?;
    let limit = params.limit.unwrap_or(DEFAULT_PAGE);
    let page = state.documents.list(&caller, &collection, limit, params.cursor.as_deref()).await?;
    let documents = page.items.into_iter().map(DocumentBody::from).collect();
    Ok(Json(DocumentPage { documents, next_cursor: page.next }))
}

/// Returns a document's state and progress.
#[utoipa::path(get, path = "/v1/documents/{id}", tag = "documents", params(("id" = String, Path)), responses(
    (status = 200, body = DocumentBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<DocumentBody>, Problem> {
    let document = state.documents.get(&caller, &path_id(&id, "document")?).await?;
    Ok(Json(document.into()))
}

/// Deletes a document and returns proof that nothing of it is left in the index, and which backups still have it.
#[utoipa::path(delete, path = "/v1/documents/{id}", tag = "documents", params(("id" = String, Path)), responses(
    (status = 200, body = ReceiptBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<ReceiptBody>, Problem> {
    let forgotten = state.forget.forget(&caller, &path_id(&id, "document")?).await?;
    Ok(Json(forgotten.into()))
}

/// Puts a failed document back in the queue.
#[utoipa::path(post, path = "/v1/documents/{id}/retry", tag = "documents", params(("id" = String, Path)), responses(
    (status = 202, body = DocumentBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn retry(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<DocumentBody>), Problem> {
    let document = state.upload.retry(&caller, &path_id(&id, "document")?).await?;
    Ok((StatusCode::ACCEPTED, Json(document.into())))
}

/// Returns the canonical text that citations point into; offsets count UTF-8 bytes.
#[utoipa::path(get, path = "/v1/documents/{id}/text", tag = "documents", params(
    ("id" = String, Path), ("start" = Option<usize>, Query), ("end" = Option<usize>, Query), ("version" = Option<u32>, Query, minimum = 1),
), responses(
    (status = 200, body = TextBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn text(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
    Params(params): Params<TextParams>,
) -> Result<Json<TextBody>, Problem> {
    let document_id = path_id(&id, "document")?;
    let start = params.start.unwrap_or(0);
    let piece =
        state.documents.text(&caller, &document_id, params.version, start, params.end).await?;
    Ok(Json(TextBody {
        document_id: document_id.into(),
        version: piece.version,
        start: piece.start,
        end: piece.end,
        text: piece.text,
        total_bytes: piece.total_bytes,
    }))
}
