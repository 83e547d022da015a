//! Whose pages may call the API from a browser.
//!
//! A browser sends no credential of its own accord: there are no cookies, and a key is in a header that a page has to set. So a
//! page of another origin can do nothing in a user's name. Where no key is asked for (`--open`), only the process's own pages
//! may write, and the name it is called by must be this machine's: else any page could (DNS rebinding).

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Uri, header,
        uri::{Authority, Scheme},
    },
};
use lectern_core::env::SettingsReader;
use thiserror::Error;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Most origins of a list.
pub const MAX_ORIGINS: usize = 32;
/// How long a browser may remember a preflight's answer.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Origins whose pages may call the API; none unless said otherwise.
#[derive(Clone, Debug, Default)]
pub struct Origins(Allowed);

#[derive(Clone, Debug)]
enum Allowed {
    All,
    Listed(Arc<[HeaderValue]>),
}

impl Default for Allowed {
    fn default() -> Self {
        Self::Listed(Arc::new([]))
    }
}

/// A text is no list of origins.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "must be up to {MAX_ORIGINS} origins with commas between them, `https://app.example.com`, or `*`"
)]
pub struct NoOrigins;

impl FromStr for Origins {
    type Err = NoOrigins;

    fn from_str(raw: &str) -> Result<Self, NoOrigins> {
        if raw.trim() == "*" {
            return Ok(Self(Allowed::All));
        }
        let texts = raw.split(',').map(str::trim).filter(|text| !text.is_empty());
        let origins: Result<Vec<HeaderValue>, NoOrigins> = texts.map(origin).collect();
        let origins = origins?;
        if origins.len() > MAX_ORIGINS {
            return Err(NoOrigins);
        }
        Ok(Self(Allowed::Listed(origins.into())))
    }
}

/// Returns an origin as browsers write it: scheme, name and port, nothing behind.
fn origin(text: &str) -> Result<HeaderValue, NoOrigins> {
    let uri: Uri = text.parse().map_err(|_| NoOrigins)?;
    let is_http = uri.scheme() == Some(&Scheme::HTTPS) || uri.scheme() == Some(&Scheme::HTTP);
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(NoOrigins);
    };
    let whole = format!("{scheme}://{authority}");
    if !is_http || whole != text || authority.as_str().contains('@') {
        return Err(NoOrigins);
    }
    text.parse().map_err(|_| NoOrigins)
}

impl Origins {
    /// Reads `LECTERN_ALLOWED_ORIGINS`; none without.
    pub fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        reader.or("LECTERN_ALLOWED_ORIGINS", "", str::parse)
    }

    /// Returns what tells browsers whose pages may read the responses.
    pub fn layer(&self) -> CorsLayer {
        let allowed = match &self.0 {
            Allowed::All => AllowOrigin::any(),
            Allowed::Listed(origins) => AllowOrigin::list(origins.iter().cloned()),
        };
        let name = HeaderName::from_static;
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::CONTENT_TYPE,
                header::AUTHORIZATION,
                header::IF_MATCH,
                name("x-api-key"),
                name("idempotency-key"),
            ])
            .expose_headers([
                header::ETAG,
                header::RETRY_AFTER,
                header::LOCATION,
                name("idempotency-replayed"),
                name("ratelimit-limit"),
                name("ratelimit-remaining"),
                name("ratelimit-reset"),
                name("server-timing"),
                name("x-request-id"),
            ])
            .max_age(MAX_AGE)
    }

    /// Whether pages of `origin` may call.
    #[must_use]
    pub fn contain(&self, text: &str) -> bool {
        let Ok(origin) = origin(text) else { return false };
        match &self.0 {
            Allowed::All => true,
            Allowed::Listed(origins) => origins.contains(&origin),
        }
    }

    /// Whether a request may change something, as far as its page goes: it has none, or one of these origins', or the
    /// server's own.
    #[must_use]
    pub fn allow(&self, request: &Request) -> bool {
        let method = request.method();
        if method.is_safe() {
            return true;
        }
        let Some(origin) = request.headers().get(header::ORIGIN) else { return true };
        match &self.0 {
            Allowed::All => true,
            Allowed::Listed(origins) => {
                origins.contains(origin) || is_own(origin, request.headers())
            }
        }
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Allowed::All => formatter.write_str("*"),
            Allowed::Listed(origins) => {
                let texts: Vec<&str> =
                    origins.iter().filter_map(|origin| origin.to_str().ok()).collect();
                formatter.write_str(&texts.join(","))
            }
        }
    }
}

/// Whether a page's origin is the server that is called.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    matches!((authority, host), (Some((_, authority)), Some(host)) if authority == host)
}

/// Whether a request came to a name of this machine, whatever page sent it: a name that somebody else's name server gave this
/// machine's address is none.
#[must_use]
pub fn is_local(request: &Request) -> bool {
    let named = match request.headers().get(header::HOST) {
        Some(host) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        // Of HTTP/2; with neither it is no browser's.
        None => match request.uri().authority() {
            Some(authority) => Some(authority.clone()),
            None => return true,
        },
    };
    let Some(authority) = named else { return false };
    let host = authority.host();
    let v4 = host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    let v6 = host.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok_and(|it| it.is_loopback());
    host.eq_ignore_ascii_case("localhost") || v4 || v6
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(method: Method, origin: Option<&str>, host: &str) -> Request {
        let builder = Request::builder().method(method).uri("/v1/query").header("host", host);
        let builder = match origin {
            Some(origin) => builder.header("origin", origin),
            None => builder,
        };
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn lists_are_origins_and_nothing_else() {
        let listed: Origins = "https://a.example, http://localhost:3000".parse().unwrap();
        assert_eq!(listed.to_string(), "https://a.example,http://localhost:3000");
        assert_eq!("*".parse::<Origins>().unwrap().to_string(), "*");
        assert_eq!("".parse::<Origins>().unwrap().to_string(), "");
        assert!(listed.contain("https://a.example") && !listed.contain("https://b.example"));
        let all: Origins = "*".parse().unwrap();
        assert!(all.contain("https://b.example") && !all.contain("https://b.example/path"));
        for bad in [
            "a.example",
            "https://a.example/",
            "https://a.example/x",
            "ftp://a",
            "null",
            "https://u@a",
            "*,https://a",
        ] {
            assert!(bad.parse::<Origins>().is_err(), "{bad}");
        }
        let many = vec!["https://a.example"; MAX_ORIGINS + 1].join(",");
        assert!(many.parse::<Origins>().is_err());
    }

    #[test]
    fn only_listed_and_own_pages_may_write() {
        let listed: Origins = "https://a.example".parse().unwrap();
        for (origin, fine) in [
            (None, true),
            (Some("https://a.example"), true),
            (Some("http://localhost:8080"), true),
            (Some("https://b.example"), false),
            (Some("https://a.example.evil"), false),
            (Some("null"), false),
        ] {
            let write = request(Method::POST, origin, "localhost:8080");
            assert_eq!(listed.allow(&write), fine, "{origin:?}");
            assert!(
                listed.allow(&request(Method::GET, origin, "localhost:8080")),
                "reading is the browser's"
            );
        }
        let all: Origins = "*".parse().unwrap();
        assert!(all.allow(&request(Method::POST, Some("https://b.example"), "x")));
    }

    #[test]
    fn names_of_this_machine_are_local() {
        for (host, fine) in [
            ("localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("127.9.9.9", true),
            ("[::1]:8080", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(is_local(&request(Method::GET, None, host)), fine, "{host}");
        }
    }
}
