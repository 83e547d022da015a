//! Headers, entity tags and `304 Not Modified`.

use std::sync::LazyLock;

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::Response,
};

use crate::files::File;

/// How long a cache may serve a file without asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Never; it asks with `If-None-Match` each time.
    Revalidate,
    /// One day.
    Day,
    /// One year: the address names the content.
    Immutable,
}

impl Freshness {
    fn cache_control(self) -> &'static str {
        match self {
            Self::Revalidate => "no-cache",
            Self::Day => "public, max-age=86400",
            Self::Immutable => "public, max-age=31536000, immutable",
        }
    }
}

/// Headers of every response, apart from the policy.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// The policy, one directive a line in a file that the browser test's server reads too.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let directives = include_str!("../assets/content-security-policy.txt").trim();
    HeaderValue::from_str(&directives.replace('\n', "; ")).expect("the policy file is ASCII")
});

/// Returns `file`, or `304 Not Modified` without a body when `request` already holds it
/// (RFC 9110, section 13.1.2).
pub fn respond(file: &File, freshness: Freshness, request: &HeaderMap) -> Response {
    let mut response = if holds(request, &file.etag) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        // An owned page is copied once per request; assets are borrowed for the program's life.
        let mut response = Response::new(Body::from(file.content.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
        response
    };
    let headers = response.headers_mut();
    let etag = HeaderValue::from_str(&file.etag).expect("hex digits in quotes are ASCII");
    headers.insert(ETAG, etag);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(freshness.cache_control()));
    secured(response)
}

/// Returns `404 Not Found` without a body, not to be cached.
pub fn not_found() -> Response {
    let mut response = empty(StatusCode::NOT_FOUND);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secured(response)
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether `If-None-Match` names `etag`; weak tags match too, as the comparison for caching wants.
fn holds(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_matches_alone_in_a_list_weak_or_by_star() {
        let request = |value: &'static str| {
            HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))])
        };
        for value in ["\"a1\"", "W/\"a1\"", "\"b2\", W/\"a1\"", "*"] {
            assert!(holds(&request(value), "\"a1\""), "{value}");
        }
        for value in ["", "a1", "\"a\"", "\"b2\""] {
            assert!(!holds(&request(value), "\"a1\""), "{value}");
        }
        assert!(!holds(&HeaderMap::new(), "\"a1\""));
    }
}
