//! The OpenAPI 3.1 document, made of what each router says about itself.

use utoipa::openapi::{
    ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    ResponseBuilder, SecurityRequirement, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{idempotency::MAX_KEY_BYTES, problem::PROBLEM_JSON};

/// Name of the security scheme in the document.
const API_KEY: &str = "api_key";

/// Returns one document of several routers' descriptions. Every route wants a key as bearer token, but
/// those under `/health`, `/ready`, `/status` and `/v1/status`, which want none.
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
        if matches!(path.as_str(), "/health" | "/ready" | "/status" | "/v1/status")
            && let Some(operation) = &mut item.get
        {
            operation.security = Some(vec![SecurityRequirement::default()]);
        }
    }
    let posts = document.paths.paths.values_mut().filter_map(|item| item.post.as_mut());
    posts.for_each(carried_out_once);
    document
}

/// Describes what [`crate::idempotency`] does with a POST.
fn carried_out_once(operation: &mut Operation) {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_KEY_BYTES));
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Sent again with the same key, the request is carried out once"))
        .schema(Some(key))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    let problem = || {
        let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
        ContentBuilder::new().schema(Some(schema)).build()
    };
    let further = [
        ("400", "The key is none"),
        (
            "409",
            "A request with this key is being carried out; `Retry-After` says when to send it again",
        ),
        ("422", "The key was used for another request"),
    ];
    for (status, description) in further {
        let response = || {
            let response = ResponseBuilder::new().description(description);
            RefOr::T(response.content(PROBLEM_JSON, problem()).build())
        };
        operation.responses.responses.entry(status.to_owned()).or_insert_with(response);
    }
}
