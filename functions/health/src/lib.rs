//! `health`: is the process alive, could a question be answered now, and how were promises kept?

pub mod contract;
pub mod settings;

mod measured;
mod page;
mod ready;
mod status;

use axum::Router;
use lectern_app::{canary::Canary, health::Health as HealthFlow, status::Statuses};
use lectern_runtime::gate::Gate;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Health {
    /// Who is calling.
    pub gate: Gate,
    /// Probes dependencies.
    pub health: HealthFlow,
    /// Asks a question whose answer is known.
    pub canary: Canary,
    /// Reports.
    pub statuses: Statuses,
}

/// Returns the routes. Those that tell nothing about data, use or cost stand in front of the gate.
pub fn router(health: Health) -> Router {
    let gate = health.gate.clone();
    let open = Router::from(open_routes()).with_state(health.clone());
    open.merge(gate.protect(Router::from(gated_routes())).with_state(health))
}

/// Returns the routes' description.
#[must_use]
pub fn openapi() -> OpenApi {
    open_routes().merge(gated_routes()).into_openapi()
}

fn open_routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new()
        .routes(routes!(ready::alive))
        .routes(routes!(ready::ready))
        .routes(routes!(status::status))
        .routes(routes!(page::page))
}

fn gated_routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(measured::metrics))
}
