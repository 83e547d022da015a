//! `/v1/restorations`: what was restored beside what is live, and what becomes of it.

use std::time::Instant;

use axum::{
    Json,
    extract::{Path, State},
    http::{Extensions, StatusCode},
};
use lectern_app::restore::RestoreState;
use lectern_runtime::{
    deadline::Deadline,
    extract::{Params, path_id},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Backup,
    contract::{ListParams, RestorationBody, RestorationPage},
};

/// Restorations of a page when a listing says nothing else.
const DEFAULT_PAGE: usize = 30;

/// Restores a backup beside what is live and compares the two. Nobody sees it before it is switched to. 202 when there is more
/// than one request has time for: it is `running` then, and goes on with the next request, or by itself within fifteen
/// minutes. Wants the permission `backup`, and a key for all collections.
#[utoipa::path(post, path = "/v1/backups/{id}/restore", tag = "backups", params(("id" = String, Path)), responses(
    (status = 201, description = "it is `ready`", body = RestorationBody),
    (status = 202, description = "there is more to restore: ask again", body = RestorationBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn restore(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
    extensions: Extensions,
) -> Result<(StatusCode, Json<RestorationBody>), Problem> {
    let id = path_id(&id, "backup")?;
    let time_budget = Deadline::bound(&extensions, state.request_timeout, Instant::now());
    let restoration = state.restore.restore_or_leave(&caller, &id, time_budget).await?;
    let status = match restoration.state {
        RestoreState::Running => StatusCode::ACCEPTED,
        _ => StatusCode::CREATED,
    };
    Ok((status, Json(restoration.into())))
}

/// Lists the tenant's restorations, newest first. Wants the permission `backup`.
#[utoipa::path(get, path = "/v1/restorations", tag = "backups", params(
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 100, description = "1 to 100; 30 without"), ("cursor" = Option<String>, Query, pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"),
), responses(
    (status = 200, body = RestorationPage),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Params(params): Params<ListParams>,
) -> Result<Json<RestorationPage>, Problem> {
    let limit = params.limit.unwrap_or(DEFAULT_PAGE);
    let page = state.restore.list(&caller, limit, params.cursor.as_deref()).await?;
    let restorations = page.items.into_iter().map(RestorationBody::from).collect();
    Ok(Json(RestorationPage { restorations, next_cursor: page.next }))
}

/// Returns a restoration's record. Wants the permission `backup`.
#[utoipa::path(get, path = "/v1/restorations/{id}", tag = "backups", params(("id" = String, Path)), responses(
    (status = 200, body = RestorationBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<RestorationBody>, Problem> {
    let id = path_id(&id, "restoration")?;
    Ok(Json(state.restore.show(&caller, &id).await?.into()))
}

/// Makes a restoration that is `ready` answer, for all callers at once; what it takes the place of is kept. Wants the
/// permission `backup`.
#[utoipa::path(post, path = "/v1/restorations/{id}/switch", tag = "backups", params(("id" = String, Path)), responses(
    (status = 200, body = RestorationBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn switch(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<RestorationBody>, Problem> {
    let id = path_id(&id, "restoration")?;
    Ok(Json(state.restore.switch(&caller, &id).await?.into()))
}

/// Removes what a restoration that is `live` took the place of: there is no way back from here. Wants the permission `backup`.
#[utoipa::path(post, path = "/v1/restorations/{id}/confirm", tag = "backups", params(("id" = String, Path)), responses(
    (status = 200, body = RestorationBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn confirm(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<RestorationBody>, Problem> {
    let id = path_id(&id, "restoration")?;
    Ok(Json(state.restore.confirm(&caller, &id).await?.into()))
}

/// Makes live again what a restoration that is `live` took the place of, and removes what was restored. Wants the permission
/// `backup`.
#[utoipa::path(post, path = "/v1/restorations/{id}/undo", tag = "backups", params(("id" = String, Path)), responses(
    (status = 200, body = RestorationBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn undo(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<RestorationBody>, Problem> {
    let id = path_id(&id, "restoration")?;
    Ok(Json(state.restore.undo(&caller, &id).await?.into()))
}

/// Removes a restoration that never answered. Wants the permission `backup`.
#[utoipa::path(post, path = "/v1/restorations/{id}/discard", tag = "backups", params(("id" = String, Path)), responses(
    (status = 200, body = RestorationBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn discard(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<RestorationBody>, Problem> {
    let id = path_id(&id, "restoration")?;
    Ok(Json(state.restore.discard(&caller, &id).await?.into()))
}
