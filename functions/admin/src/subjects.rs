//! `/v1/subjects`.

use std::time::Duration;

use axum::{
    Json as JsonBody,
    extract::{Path, State},
};
use lectern_core::ids::KeyId;
use lectern_runtime::{
    extract::{Params, path_id},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Admin,
    contract::{FindSubjectParams, HeldBody, HeldParams, SubjectBody, SubjectReceiptBody},
};

/// How long one request erases: well below its own time, so that it answers what it did.
const ERASURE_TIME: Duration = Duration::from_secs(15);

/// Returns the id of a subject: of a token (`issuer` and `subject`), or of a page's visitor (`key_id` and `visitor`). It follows from
/// the names; whether there ever was such a one is not looked up. The holder of an API key has the key's id. Wants the
/// permission `admin`.
#[utoipa::path(get, path = "/v1/subjects", tag = "admin", params(
    ("issuer" = Option<String>, Query, min_length = 1, max_length = 2048, description = "`iss` of its tokens, byte by byte"),
    ("subject" = Option<String>, Query, min_length = 1, max_length = 256, description = "`sub` of its tokens, or the claim that `subject_claim` of the issuer names"),
    ("key_id" = Option<String>, Query, description = "the key that tokens for the page are made with"),
    ("visitor" = Option<String>, Query, min_length = 1, max_length = 256, description = "the `visitor` they are made for"),
), responses(
    (status = 200, body = SubjectBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn find(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Params(params): Params<FindSubjectParams>,
) -> Result<JsonBody<SubjectBody>, Problem> {
    state.subjects.authorize(&caller)?;
    let id = state.subjects.id_of(&caller, &params.parse()?)?;
    Ok(JsonBody(SubjectBody { id: id.into() }))
}

/// Returns everything that is held on a subject: conversations with times, feedback, usage by day for five years, spending by month,
/// and, where it is a key, its record. A page has at most 200 messages, feedbacks and days, and may have none; it is all once `next`
/// is `null`. An answer that cites a document that is gone, or is not yours to see, is withheld. Wants the permission `admin`.
#[utoipa::path(get, path = "/v1/subjects/{id}", tag = "admin", params(
    ("id" = String, Path),
    ("cursor" = Option<String>, Query, pattern = r"^(s|f)(_[0-7][0-9A-HJKMNP-TV-Z]{25})?$|^m_[0-7][0-9A-HJKMNP-TV-Z]{25}_[0-9]{15}-[0-7][0-9A-HJKMNP-TV-Z]{25}-[0-9]$|^u_[0-9]{1,15}_([0-9]{1,3}|1[0-7][0-9]{2}|18[0-2][0-9])$", description = "the `next` of the page before"),
), responses(
    (status = 200, body = HeldBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Path(id): Path<String>,
    Params(params): Params<HeldParams>,
) -> Result<JsonBody<HeldBody>, Problem> {
    let id: KeyId = path_id(&id, "subject")?;
    let held = state.subjects.show(&caller, &id, params.cursor.as_deref()).await?;
    Ok(JsonBody(HeldBody::of(&id, held)))
}

/// Erases a subject's conversations and feedback, as many as fit into the time of one request: while `done` is `false`, call it
/// again. Usage and spending stay, as numbers under its id: sums have to add up. A key stays, too, and goes on working until it
/// is revoked. No backup has conversations or feedback; a copy of the table for point-in-time recovery has them for as long as
/// it is kept. Wants the permission `admin`.
#[utoipa::path(delete, path = "/v1/subjects/{id}", tag = "admin", params(("id" = String, Path)), responses(
    (status = 200, body = SubjectReceiptBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn erase(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<JsonBody<SubjectReceiptBody>, Problem> {
    let id: KeyId = path_id(&id, "subject")?;
    let receipt = state.subjects.erase(&caller, &id, ERASURE_TIME).await?;
    Ok(JsonBody(SubjectReceiptBody::of(&id, &receipt)))
}
