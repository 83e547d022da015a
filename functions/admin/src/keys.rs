//! `/v1/keys`.

use std::time::Duration;

use axum::{
    Json as JsonBody,
    extract::{Path, State},
    http::StatusCode,
};
use lectern_app::keys::DEFAULT_OVERLAP;
use lectern_core::ids::KeyId;
use lectern_runtime::{
    extract::{Json, Params, path_id},
    gate::Verified,
    problem::Problem,
};
use secrecy::ExposeSecret as _;

use crate::{
    Admin,
    contract::{
        ChangeKeyBody, CreateKeyBody, CreatedKeyBody, KeyBody, KeyParams, KeysBody, RotateKeyBody,
        SpentKeyBody,
    },
};

/// Keys on a page that says nothing else.
const DEFAULT_PAGE: usize = 50;

/// Makes a key, which is in the response and nowhere else. Wants the permission `admin`, and gives nothing away that your
/// own key has not.
#[utoipa::path(post, path = "/v1/keys", tag = "admin", request_body = CreateKeyBody, responses(
    (status = 201, body = CreatedKeyBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Json(body): Json<CreateKeyBody>,
) -> Result<(StatusCode, JsonBody<CreatedKeyBody>), Problem> {
    let (record, key) = state.gate.keys.issue(&caller, body.parse()?).await?;
    let key = key.expose_secret().to_owned();
    Ok((StatusCode::CREATED, JsonBody(CreatedKeyBody { key, record: record.into() })))
}

/// Lists the keys, oldest first, revoked ones too. Wants the permission `admin`.
#[utoipa::path(get, path = "/v1/keys", tag = "admin", params(
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 100, description = "most keys of the page, 1 to 100; 50 without"),
    ("cursor" = Option<String>, Query, pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$", description = "the `next` of the page before"),
), responses(
    (status = 200, body = KeysBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Params(params): Params<KeyParams>,
) -> Result<JsonBody<KeysBody>, Problem> {
    let limit = params.limit.unwrap_or(DEFAULT_PAGE);
    let page = state.gate.keys.page(&caller, limit, params.cursor.as_deref()).await?;
    let keys = page.items.into_iter().map(KeyBody::from).collect();
    Ok(JsonBody(KeysBody { keys, next: page.next }))
}

/// Returns a key, and what was spent with it. Wants the permission `admin`.
#[utoipa::path(get, path = "/v1/keys/{id}", tag = "admin", params(("id" = String, Path)), responses(
    (status = 200, body = SpentKeyBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<JsonBody<SpentKeyBody>, Problem> {
    let id: KeyId = path_id(&id, "key")?;
    let key = state.gate.keys.get(&caller, &id).await?;
    let spending = state.spending.key_budget(&caller, &id, key.limits).await?;
    Ok(JsonBody(SpentKeyBody { record: key.into(), spending: spending.into() }))
}

/// Changes a key from the next request on. Wants the permission `admin`.
#[utoipa::path(patch, path = "/v1/keys/{id}", tag = "admin", params(("id" = String, Path)), request_body = ChangeKeyBody, responses(
    (status = 200, body = KeyBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn change(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Path(id): Path<String>,
    Json(body): Json<ChangeKeyBody>,
) -> Result<JsonBody<KeyBody>, Problem> {
    let id: KeyId = path_id(&id, "key")?;
    let key = state.gate.keys.change(&caller, &id, body.parse()?).await?;
    Ok(JsonBody(key.into()))
}

/// Gives a key another secret, which is in the response and nowhere else. The old one works for a while, so that whoever uses
/// the key has time to take up the new one. Wants the permission `admin`.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate", tag = "admin", params(("id" = String, Path)), request_body = RotateKeyBody, responses(
    (status = 200, body = CreatedKeyBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn rotate(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Path(id): Path<String>,
    Json(body): Json<RotateKeyBody>,
) -> Result<JsonBody<CreatedKeyBody>, Problem> {
    let id: KeyId = path_id(&id, "key")?;
    let overlap = body.overlap_seconds.map_or(DEFAULT_OVERLAP, Duration::from_secs);
    let (record, key) = state.gate.keys.rotate(&caller, &id, overlap).await?;
    let key = key.expose_secret().to_owned();
    Ok(JsonBody(CreatedKeyBody { key, record: record.into() }))
}

/// Revokes a key: the next request with it is refused. Wants the permission `admin`.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "admin", params(("id" = String, Path)), responses(
    (status = 204, description = "it works no more"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn revoke(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: KeyId = path_id(&id, "key")?;
    state.gate.keys.get(&caller, &id).await?;
    state.gate.keys.revoke(&caller.tenant, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
