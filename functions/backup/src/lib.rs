//! `backup`: tenants' backups. Routes and contract; everything with a decision in it is in the flows.

pub mod contract;
pub mod settings;

mod backups;
mod restorations;

use std::time::Duration;

use axum::{Router, middleware};
use lectern_app::restore::Restore;
use lectern_runtime::{
    extract::MAX_JSON_BYTES,
    gate::Gate,
    idempotency::{Guard, once},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Who is calling.
    pub gate: Gate,
    /// Backs tenants up, and restores them.
    pub restore: Restore,
    /// How long a backup or restoration may take that a request asks for.
    pub request_timeout: Duration,
}

/// Returns the routes, all behind the gate.
pub fn router(backup: Backup) -> Router {
    let gate = backup.gate.clone();
    let guard = Guard::keeping(&gate, MAX_JSON_BYTES, backup.request_timeout);
    let router = Router::from(routes()).layer(middleware::from_fn_with_state(guard, once));
    gate.protect(router).with_state(backup)
}

/// Returns the routes' description.
#[must_use]
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Backup> {
    OpenApiRouter::new()
        .routes(routes!(backups::create, backups::list))
        .routes(routes!(backups::show))
        .routes(routes!(backups::verify))
        .routes(routes!(restorations::restore))
        .routes(routes!(restorations::list))
        .routes(routes!(restorations::show))
        .routes(routes!(restorations::switch))
        .routes(routes!(restorations::confirm))
        .routes(routes!(restorations::undo))
        .routes(routes!(restorations::discard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let paths: Vec<String> = openapi().paths.paths.into_keys().collect();
        assert_eq!(
            paths,
            [
                "/v1/backups",
                "/v1/backups/{id}",
                "/v1/backups/{id}/restore",
                "/v1/backups/{id}/verify",
                "/v1/restorations",
                "/v1/restorations/{id}",
                "/v1/restorations/{id}/confirm",
                "/v1/restorations/{id}/discard",
                "/v1/restorations/{id}/switch",
                "/v1/restorations/{id}/undo"
            ]
        );
    }
}
