//! `/v1/collections`.

use axum::{
    Json as JsonBody,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::AppendHeaders,
};
use lectern_app::{
    collections::{Collection, CollectionPatch, settings_of},
    errors::FlowError,
};
use lectern_runtime::{
    extract::{Json, path_id},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Upload,
    contract::{CollectionBody, CollectionChange, CollectionList, NewCollection},
};

/// A collection with its revision as `ETag`.
type Tagged = (AppendHeaders<[(header::HeaderName, String); 1]>, JsonBody<CollectionBody>);

fn tagged(collection: Collection) -> Tagged {
    let tag = format!("\"{}\"", collection.revision);
    (AppendHeaders([(header::ETAG, tag)]), JsonBody(body(collection)))
}

fn body(collection: Collection) -> CollectionBody {
    let settings = settings_of(&collection);
    CollectionBody {
        settings,
        revision: collection.revision,
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
) -> Result<(StatusCode, Tagged), Problem> {
    let id = new.id.parse().map_err(|error| FlowError::field("/id", error))?;
    let name = new.name.unwrap_or(new.id);
    let (collection, created) = state.collections.create(&caller, &id, &name, new.settings).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, tagged(collection)))
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
) -> Result<Tagged, Problem> {
    let collection = state.collections.get(&caller, &path_id(&id, "collection")?).await?;
    Ok(tagged(collection))
}

/// Changes name and settings. With `If-Match`, only while the collection has that `ETag`.
#[utoipa::path(patch, path = "/v1/collections/{id}", tag = "collections", params(
    ("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the `ETag` the change is based on"),
), request_body = CollectionChange, responses(
    (status = 200, body = CollectionBody),
    (status = 409, description = "somebody else changed it", body = Problem, content_type = "application/problem+json"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn patch(
    State(state): State<Upload>,
    Verified(caller): Verified,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(change): Json<CollectionChange>,
) -> Result<Tagged, Problem> {
    let id = path_id(&id, "collection")?;
    let based_on = based_on(&headers)?;
    let patch = CollectionPatch { name: change.name, settings: change.settings, based_on };
    Ok(tagged(state.collections.patch(&caller, &id, &patch).await?))
}

/// Returns the revision a change is based on; `*` is any.
fn based_on(headers: &HeaderMap) -> Result<Option<u64>, FlowError> {
    let Some(tag) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let tag = tag.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let unknown = || FlowError::Conflict("`If-Match` names no `ETag` of this collection".into());
    revision.and_then(|digits| digits.parse().ok()).map(Some).ok_or_else(unknown)
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
