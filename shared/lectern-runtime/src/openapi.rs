//! The OpenAPI 3.1 document, made of what each router says about itself.

use utoipa::openapi::{
    InfoBuilder, OpenApi, OpenApiBuilder, SecurityRequirement,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// Name of the security scheme in the document.
const API_KEY: &str = "api_key";

/// Returns one document of several routers' descriptions. Every route wants a key as bearer token, but
/// those under `/health` and `/ready`, which want none.
#[must_use]
pub fn document(parts: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Lectern")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Answers from your own documents, with citations checked against their bytes.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for part in parts {
        document.merge(part);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("lk_…").build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(API_KEY, SecurityScheme::Http(bearer));
    document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(API_KEY, [])]);
    for (path, item) in &mut document.paths.paths {
        if matches!(path.as_str(), "/health" | "/ready")
            && let Some(operation) = &mut item.get
        {
            operation.security = Some(vec![SecurityRequirement::default()]);
        }
    }
    document
}
