//! `upload`: documents and collections. Routes and contract; everything with a decision in it is in the flows.

pub mod contract;
pub mod settings;

mod body;
mod collections;
mod documents;
mod fetch;
mod uploads;

use std::time::Duration;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use lectern_app::{
    collections::Collections, documents::Documents, fetch::Fetch, forget::Forget,
    upload::Upload as UploadFlow, uploads::Uploads,
};
use lectern_runtime::{
    gate::Gate,
    idempotency::{Guard, once},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long a request may take where nobody ends it.
const LONGEST: Duration = Duration::from_secs(60);

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Who is calling.
    pub gate: Gate,
    /// Accepts documents.
    pub upload: UploadFlow,
    /// Takes files that arrive by themselves.
    pub uploads: Uploads,
    /// Takes documents in by their address.
    pub fetch: Fetch,
    /// Reads documents.
    pub documents: Documents,
    /// Deletes documents.
    pub forget: Forget,
    /// Manages collections.
    pub collections: Collections,
}

/// Returns the routes, all behind the gate.
pub fn router(upload: Upload) -> Router {
    let gate = upload.gate.clone();
    // The handlers bound bodies themselves and say so as a problem; axum's own 2 MB would come first.
    let router = Router::from(routes()).layer(DefaultBodyLimit::disable());
    let guard = Guard::keeping(&gate, body::limit(upload.upload.max_bytes), LONGEST);
    let router = router.layer(middleware::from_fn_with_state(guard, once));
    gate.protect(router).with_state(upload)
}

/// Returns the routes' description.
#[must_use]
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Upload> {
    OpenApiRouter::new()
        .routes(routes!(documents::upload, documents::list))
        .routes(routes!(fetch::fetch))
        .routes(routes!(uploads::announce))
        .routes(routes!(uploads::get, uploads::receive))
        .routes(routes!(documents::get, documents::delete))
        .routes(routes!(documents::retry))
        .routes(routes!(documents::text))
        .routes(routes!(collections::create, collections::list))
        .routes(routes!(collections::get, collections::patch, collections::delete))
}
