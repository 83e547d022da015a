//! `GET /v1/audit/heads`.

use axum::{Json as JsonBody, extract::State};
use lectern_runtime::{gate::Verified, problem::Problem};

use crate::{
    Admin,
    contract::{AuditHeadBody, AuditHeadsBody},
};

/// Returns where the streams of the audit log end, as far as the processes that write them said: what `lectern audit verify`
/// compares records with, so that a missing end is found. Wants the permission `admin`.
#[utoipa::path(get, path = "/v1/audit/heads", tag = "admin", responses(
    (status = 200, body = AuditHeadsBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn heads(
    State(state): State<Admin>,
    Verified(caller): Verified,
) -> Result<JsonBody<AuditHeadsBody>, Problem> {
    let heads = state.audit.list(&caller).await?;
    Ok(JsonBody(AuditHeadsBody { heads: heads.into_iter().map(AuditHeadBody::from).collect() }))
}
