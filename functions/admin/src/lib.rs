//! `admin`: how experiments came out. Routes and contract; everything with a decision in it is in the flows.

pub mod contract;
pub mod settings;

mod experiments;

use axum::{Router, middleware};
use lectern_app::experiments::Experiments;
use lectern_runtime::gate::{Gate, admit};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Who is calling.
    pub gate: Gate,
    /// Reads how experiments came out.
    pub experiments: Experiments,
}

/// Returns the routes, all behind the gate.
pub fn router(admin: Admin) -> Router {
    let gate = admin.gate.clone();
    let router = Router::from(routes());
    router.layer(middleware::from_fn_with_state(gate, admit)).with_state(admin)
}

/// Returns the routes' description.
#[must_use]
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(experiments::report))
}
