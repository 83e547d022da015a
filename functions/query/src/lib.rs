//! `query`: ask, search, conversations, feedback. Routes and contract; everything with a decision in it is in the flows.

pub mod contract;
pub mod settings;

mod ask;
mod conversation;
mod search;
mod timing;

use std::time::Duration;

use axum::{Router, middleware};
use lectern_app::ask::Ask;
use lectern_runtime::{
    extract::MAX_JSON_BYTES,
    gate::Gate,
    idempotency::{Guard, once},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Query {
    /// Who is calling.
    pub gate: Gate,
    /// Answers questions; its search serves `/v1/search`.
    pub ask: Ask,
    /// How long a whole answer may take.
    pub answer_timeout: Duration,
}

/// Returns the routes, all behind the gate.
pub fn router(query: Query) -> Router {
    let gate = query.gate.clone();
    let guard = Guard::forgetting(&gate, MAX_JSON_BYTES, query.answer_timeout);
    let router = Router::from(routes()).layer(middleware::from_fn_with_state(guard, once));
    gate.protect(router).with_state(query)
}

/// Returns the routes' description.
#[must_use]
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Query> {
    OpenApiRouter::new()
        .routes(routes!(ask::ask))
        .routes(routes!(search::search))
        .routes(routes!(conversation::read, conversation::delete))
        .routes(routes!(conversation::feedback))
}
