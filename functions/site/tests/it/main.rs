//! The router as a browser meets it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

async fn send(method: &str, path: &str, if_none_match: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(etag) = if_none_match {
        request = request.header("if-none-match", etag);
    }
    site::router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
}

/// Values of `attribute="…"` in `page` that start with `prefix`.
fn links(page: &str, prefix: &str) -> Vec<String> {
    page.split('"').filter(|piece| piece.starts_with(prefix)).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_page_is_secured_and_revalidated() {
    let response = send("GET", "/", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&response, "cache-control"), "no-cache");
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
    let policy = header(&response, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    for directive in ["connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.split("; ").any(|part| part == directive), "{directive} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
}

#[tokio::test]
async fn the_page_has_nothing_the_policy_forbids() {
    let page = text(send("GET", "/", None).await).await;
    assert!(!page.contains("{{"), "a mark was not replaced");
    for forbidden in ["<style", " style=", " onclick=", " onload=", "javascript:", "//cdn", "http:"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for script in page.split("<script").skip(1) {
        assert!(script.split('>').next().unwrap().contains("src="), "inline script");
    }
}

#[tokio::test]
async fn every_link_of_the_page_is_served_and_immutable() {
    let page = text(send("GET", "/", None).await).await;
    let links = links(&page, "assets/");
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        let response = send("GET", &format!("/{link}"), None).await;
        assert_eq!(response.status(), StatusCode::OK, "{link}");
        assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
        assert!(response.headers().contains_key("content-security-policy"), "{link}");
    }
}

#[tokio::test]
async fn every_import_of_a_script_is_served_and_preloaded() {
    let page = text(send("GET", "/", None).await).await;
    for file in site::files::release().assets() {
        assert!(page.contains(&format!("/{}\"", file.name)), "{} is not linked", file.name);
        for line in file.content.lines().filter(|line| line.contains(" from './")) {
            let import = line.split("'./").nth(1).unwrap().split('\'').next().unwrap();
            assert!(site::files::release().find(import).is_some(), "{}: {line}", file.name);
        }
    }
}

#[tokio::test]
async fn a_held_entity_tag_gets_304_without_a_body() {
    let release = &site::files::release().name;
    for path in ["/", "/favicon.svg", &format!("/assets/{release}/chat.js")] {
        let etag = header(&send("GET", path, None).await, "etag").to_owned();
        let unchanged = send("GET", path, Some(&etag)).await;
        assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(header(&unchanged, "etag"), etag);
        assert!(unchanged.headers().contains_key("content-security-policy"));
        assert_eq!(text(unchanged).await, "");
        assert_eq!(send("GET", path, Some("\"old\"")).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    for path in ["/", "/favicon.ico"] {
        let got = send("GET", path, None).await;
        let head = send("HEAD", path, None).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(header(&head, "etag"), header(&got, "etag"));
        let length = text(got).await.len().to_string();
        assert_eq!(header(&head, "content-length"), length);
        assert_eq!(text(head).await, "");
    }
}

#[tokio::test]
async fn an_asset_of_another_release_is_served_but_not_kept() {
    let response = send("GET", "/assets/0000000000000000/chat.css", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), "text/css; charset=utf-8");
    assert_eq!(header(&response, "cache-control"), "no-cache");
}

#[tokio::test]
async fn unknown_assets_and_other_paths_are_not_found() {
    let release = &site::files::release().name;
    for path in [
        &format!("/assets/{release}/absent.js"),
        &format!("/assets/{release}/..%2findex.html"),
        "/assets/",
        "/v1/query",
        "/index.html",
    ] {
        assert_eq!(send("GET", path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(send("POST", "/", None).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}
