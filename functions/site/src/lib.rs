//! The chat page: static files embedded in the binary, and the router that serves them.
//!
//! It refuses to know what the API answers, who is asking, or where it is deployed: the page finds
//! the API relative to its own address, so it works at a root and under a gateway's stage path.
//! Everything is served under a Content-Security-Policy that allows no inline script or style, no
//! other origin and no HTML from strings (Trusted Types).
//!
//! | module | what |
//! |---|---|
//! | [`files`] | the embedded files, their media types and the release they hash to |
//! | [`mod@respond`] | headers, `ETag`, `304 Not Modified` |
//!
//! | route | cached |
//! |---|---|
//! | `/`, `/openapi.json` | revalidated on each visit |
//! | `/assets/{release}/{name}` | for a year: the release changes with any byte of any file |
//! | `/favicon.svg`, `/favicon.ico` | for a day |

pub mod files;
pub mod respond;
pub mod settings;

use axum::{Router, extract::Path, http::HeaderMap, response::Response, routing::get};

use crate::{
    files::{FAVICON, release},
    respond::{Freshness, not_found, respond},
};

/// Returns the routes of the chat page. `HEAD` is answered like `GET` without a body; paths outside
/// the table above are left to the routers this one is merged with.
pub fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/openapi.json", get(openapi))
        .route("/favicon.svg", get(favicon))
        .route("/favicon.ico", get(favicon))
        .route("/assets/{release}/{name}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    respond(&release().page, Freshness::Revalidate, &headers)
}

async fn openapi(headers: HeaderMap) -> Response {
    respond(&release().openapi, Freshness::Revalidate, &headers)
}

async fn favicon(headers: HeaderMap) -> Response {
    match release().find(FAVICON) {
        Some(file) => respond(file, Freshness::Day, &headers),
        None => not_found(),
    }
}

async fn asset(
    Path((requested_release, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(file) = release().find(&name) else { return not_found() };
    // A page loaded before a deployment asks for its old release: give it today's file, but let
    // nobody keep today's file under yesterday's address.
    let freshness = if requested_release == release().name {
        Freshness::Immutable
    } else {
        Freshness::Revalidate
    };
    respond(file, freshness, &headers)
}
