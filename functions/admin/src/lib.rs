//! `admin`: keys, tokens for widgets, usage, budgets, how experiments came out, and what is held on
//! subjects. Routes and contract; everything with a decision in it is in the flows.

pub mod contract;
pub mod settings;

mod audit;
mod budget;
mod experiments;
mod keys;
mod subjects;
mod widgets;

use std::time::Duration;

use axum::{Router, middleware};
use lectern_app::{
    audit::AuditHeads, experiments::Experiments, spending::Spending, subjects::Subjects,
};
use lectern_runtime::{
    extract::MAX_JSON_BYTES,
    gate::Gate,
    idempotency::{Guard, once},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(29);

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Who is calling.
    pub gate: Gate,
    /// Reads how experiments came out.
    pub experiments: Experiments,
    /// Says what was spent, and what may be.
    pub spending: Spending,
    /// Says where the audit log ends.
    pub audit: AuditHeads,
    /// Shows and erases what is held on subjects.
    pub subjects: Subjects,
}

/// Returns the routes, all behind the gate.
pub fn router(admin: Admin) -> Router {
    let gate = admin.gate.clone();
    // What is answered holds secrets: it is not kept.
    let guard = Guard::forgetting(&gate, MAX_JSON_BYTES, REQUEST_TIMEOUT);
    let router = Router::from(routes()).layer(middleware::from_fn_with_state(guard, once));
    gate.protect(router).with_state(admin)
}

/// Returns the routes' description.
#[must_use]
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::show, keys::change, keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(widgets::create))
        .routes(routes!(budget::usage))
        .routes(routes!(budget::show, budget::change))
        .routes(routes!(experiments::report))
        .routes(routes!(audit::heads))
        .routes(routes!(subjects::find))
        .routes(routes!(subjects::show, subjects::erase))
}
