//! `/v1/backups`: make one, list them, show one, look whether it is whole.

use std::time::Instant;

use axum::{
    Json,
    extract::{Path, State},
    http::{Extensions, StatusCode},
};
use lectern_app::back_up::{BackupState, verify::Depth};
use lectern_runtime::{
    deadline::Deadline,
    extract::{Params, path_id},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Backup,
    contract::{BackupBody, BackupPage, ListParams, VerificationBody},
};

/// Backups of a page when a listing says nothing else: a month of them.
const DEFAULT_PAGE: usize = 30;

/// Backs everything of the tenant up and returns the record; what did not change since the last backup is not stored
/// again. 202 when there is more than one request has time for: it is `running` then and goes on with the next request, or
/// the daily backup. Wants the permission `backup`, and a key for all collections.
#[utoipa::path(post, path = "/v1/backups", tag = "backups", responses(
    (status = 201, body = BackupBody),
    (status = 202, description = "there is more to back up: ask again", body = BackupBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(state): State<Backup>,
    Verified(caller): Verified,
    extensions: Extensions,
) -> Result<(StatusCode, Json<BackupBody>), Problem> {
    let time_budget = Deadline::bound(&extensions, state.request_timeout, Instant::now());
    let backup = state.restore.back_up.back_up(&caller, time_budget).await?;
    let status = match backup.state {
        BackupState::Running => StatusCode::ACCEPTED,
        _ => StatusCode::CREATED,
    };
    Ok((status, Json(backup.into())))
}

/// Lists the tenant's backups, newest first. Wants the permission `backup`.
#[utoipa::path(get, path = "/v1/backups", tag = "backups", params(
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 100, description = "1 to 100; 30 without"), ("cursor" = Option<String>, Query, pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"),
), responses(
    (status = 200, body = BackupPage),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Params(params): Params<ListParams>,
) -> Result<Json<BackupPage>, Problem> {
    let limit = params.limit.unwrap_or(DEFAULT_PAGE);
    let page = state.restore.back_up.list(&caller, limit, params.cursor.as_deref()).await?;
    let backups = page.items.into_iter().map(BackupBody::from).collect();
    Ok(Json(BackupPage { backups, next_cursor: page.next }))
}

/// Returns a backup's record. Wants the permission `backup`.
#[utoipa::path(get, path = "/v1/backups/{id}", tag = "backups", params(("id" = String, Path)), responses(
    (status = 200, body = BackupBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<BackupBody>, Problem> {
    let backup = state.restore.back_up.show(&caller, &path_id(&id, "backup")?).await?;
    Ok(Json(backup.into()))
}

/// Looks whether a complete backup's manifest is the one that was written and every part and file is there with its size.
/// The weekly drill restores it. Wants the permission `backup`.
#[utoipa::path(post, path = "/v1/backups/{id}/verify", tag = "backups", params(("id" = String, Path)), responses(
    (status = 200, description = "also where parts are damaged: `is_whole` says so", body = VerificationBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn verify(
    State(state): State<Backup>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<Json<VerificationBody>, Problem> {
    let id = path_id(&id, "backup")?;
    let found = state.restore.back_up.verify(&caller, &id, Depth::Structure).await?;
    Ok(Json(found.into()))
}
