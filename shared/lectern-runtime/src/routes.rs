//! What surrounds the routes of every server and every function.

use axum::{Router, middleware};

use crate::{problem::Problem, trace::trace};

/// Returns `router` with an answer for every path and method it does not know, request ids, a log line per request and the
/// headers every response carries.
pub fn complete(router: Router) -> Router {
    router
        .fallback(async || Problem::no_route())
        .method_not_allowed_fallback(async || Problem::no_method())
        .layer(middleware::from_fn(trace))
}
