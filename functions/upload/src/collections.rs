//! `/v1/collections`.

use axum::{
    Json as JsonBody,
    extract::{Path, State},
    http::StatusCode,
};
use lectern_app::collections::Collection;
use lectern_app::errors::FlowError;
use lectern_runtime::{
    extract::{Json, path_id},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Upload,
    contract::{CollectionBody, CollectionList, NewCollection},
};

fn body(collection: Collection) -> CollectionBody {
    CollectionBody {
        id: collection.id.into(),
        name: collection.name,
        generation: collection.generation,
        created_at: collection.created_at.to_rfc3339(),
    }
}

/// Creates a collection; one that exists is returned as it is.
#[utoipa::path(post, path = "/v1/collections", tag = "collections", request_body = NewCollection, responses(
    (status = 201, body = CollectionBody),
    (status = 200, description = "it existed", body = CollectionBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Json(new): Json<NewCollection>,
) -> Result<(StatusCode, JsonBody<CollectionBody>), Problem> {
    let id = new.id.parse().map_err(|error| FlowError::field("/id", error))?;
    let name = new.name.unwrap_or(new.id);
    let (collection, created) = state.collections.create(&caller, &id, &name).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, JsonBody(body(collection))))
}

/// Lists the collections the caller may touch.
#[utoipa::path(get, path = "/v1/collections", tag = "collections", responses(
    (status = 200, body = CollectionList),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(state): State<Upload>,
    Verified(caller): Verified,
) -> Result<JsonBody<CollectionList>, Problem> {
    let collections = state.collections.list(&caller).await?;
    Ok(JsonBody(CollectionList { collections: collections.into_iter().map(body).collect() }))
}

/// Returns one collection.
#[utoipa::path(get, path = "/v1/collections/{id}", tag = "collections", params(("id" = String, Path)), responses(
    (status = 200, body = CollectionBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<JsonBody<CollectionBody>, Problem> {
    let collection = state.collections.get(&caller, &path_id(&id, "collection")?).await?;
    Ok(JsonBody(body(collection)))
}

/// Deletes an empty collection.
#[utoipa::path(delete, path = "/v1/collections/{id}", tag = "collections", params(("id" = String, Path)), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.collections.delete(&caller, &path_id(&id, "collection")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
