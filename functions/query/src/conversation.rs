//! `GET` and `DELETE /v1/sessions/{id}`, `POST /v1/feedback`.

use axum::{
    Json as JsonBody,
    extract::{Path, State},
    http::StatusCode,
};
use lectern_app::conversation::NewFeedback;
use lectern_core::ports::Role;
use lectern_runtime::{
    extract::{Json, path_id},
    gate::Verified,
    problem::Problem,
};

use crate::{
    Query,
    contract::{FeedbackBody, MessageBody, Rating, SessionBody},
};

/// Returns the newest messages of a conversation.
#[utoipa::path(get, path = "/v1/sessions/{id}", tag = "query", params(("id" = String, Path)), responses(
    (status = 200, body = SessionBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn read(
    State(query): State<Query>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<JsonBody<SessionBody>, Problem> {
    let session_id = path_id(&id, "session")?;
    let messages = query.ask.conversation(&caller, &session_id).await?;
    let message = |message: lectern_core::ports::ChatMessage| MessageBody {
        role: if message.role == Role::User { "user" } else { "assistant" },
        content: message.content,
    };
    let messages = messages.into_iter().map(message).collect();
    Ok(JsonBody(SessionBody { session_id: session_id.into(), messages }))
}

/// Deletes a conversation.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "query", params(("id" = String, Path)), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete(
    State(query): State<Query>,
    Verified(caller): Verified,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    query.ask.forget_conversation(&caller, &path_id(&id, "session")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Records what a reader thought of an answer.
#[utoipa::path(post, path = "/v1/feedback", tag = "query", request_body = FeedbackBody, responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn feedback(
    State(query): State<Query>,
    Verified(caller): Verified,
    Json(body): Json<FeedbackBody>,
) -> Result<StatusCode, Problem> {
    let helpful = body.rating == Rating::Up;
    let new = NewFeedback { query_id: body.query_id, helpful, comment: body.comment };
    query.ask.feedback(&caller, new).await?;
    Ok(StatusCode::NO_CONTENT)
}
