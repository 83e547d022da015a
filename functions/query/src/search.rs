//! `POST /v1/search`: retrieval only.

use axum::{Json as JsonBody, extract::State, response::IntoResponse};
use lectern_app::{errors::FlowError, search::SearchRequest};
use lectern_core::audit::Used;
use lectern_runtime::{audit::Audited, extract::Json, gate::Verified, problem::Problem};

use crate::{
    Query,
    ask::collection,
    contract::{PassageBody, SearchAnswer, SearchBody},
    timing::server_timing,
};

/// Passages returned when a search says nothing else.
const DEFAULT_LIMIT: usize = 10;

/// Finds passages.
#[utoipa::path(post, path = "/v1/search", tag = "query", request_body = SearchBody, responses(
    (status = 200, body = SearchAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn search(
    State(query): State<Query>,
    Verified(caller): Verified,
    audited: Audited,
    Json(body): Json<SearchBody>,
) -> Result<impl IntoResponse, Problem> {
    let request = SearchRequest {
        collection: collection(body.collection)?,
        question: body.question.parse().map_err(|error| FlowError::field("/question", error))?,
        filter: body.filter,
        cache: body.cache,
        limit: Some(body.limit.unwrap_or(DEFAULT_LIMIT)),
        mmr: body.mmr,
        per_document: body.per_document,
        grouped: body.group_by.is_some(),
        collapses: false,
        time_budget: query.answer_timeout,
        session_id: None,
    };
    let question = Used::question(&request.collection, request.question.as_str(), false);
    audited.used(question.clone());
    let found = query.ask.passages(&caller, &request).await?;
    let documents = found.passages.iter().map(|found| &found.passage.document_id);
    let question = Used {
        question: found.keeps_question.then(|| request.question.as_str().to_owned()),
        ..question
    };
    audited.used(question.with_documents(documents));
    let answer = SearchAnswer {
        passages: found.passages.iter().map(PassageBody::from).collect(),
        cache: found.cache.as_str(),
        degraded: found.degraded,
        timings_ms: serde_json::to_value(found.timings).unwrap_or_default(),
    };
    Ok((server_timing(&answer.timings_ms), JsonBody(answer)))
}
