//! Whose pages may call from a browser.

use reqwest::{Response, header::HeaderMap};
use serde_json::json;

use crate::process::Server;

const OURS: &str = "https://app.example";
const THEIRS: &str = "https://evil.example";

async fn asked(server: &Server, origin: &str, key: Option<&str>) -> Response {
    let body = json!({ "question": "x" });
    let request = server.anonymous("POST", "/v1/query").header("origin", origin).json(&body);
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    request.send().await.unwrap()
}

fn allowed(headers: &HeaderMap) -> Option<&str> {
    headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_listed_page_reads_answers_and_refusals_and_another_neither() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[("LECTERN_ALLOWED_ORIGINS", OURS)]);
    let key = server.key().to_owned();
    let answered = asked(&server, OURS, Some(&key)).await;
    assert_eq!((answered.status().as_u16(), allowed(answered.headers())), (200, Some(OURS)));
    let exposed = answered.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(
        exposed.contains("ratelimit-remaining") && exposed.contains("x-request-id"),
        "{exposed}"
    );
    assert!(
        answered
            .headers()
            .get_all("vary")
            .iter()
            .any(|vary| vary.to_str().unwrap().contains("origin"))
    );
    let refused = asked(&server, OURS, None).await;
    assert_eq!((refused.status().as_u16(), allowed(refused.headers())), (401, Some(OURS)));
    let other = asked(&server, THEIRS, Some(&key)).await;
    assert_eq!((other.status().as_u16(), allowed(other.headers())), (403, None));
    let problem: serde_json::Value = other.json().await.unwrap();
    assert_eq!(problem["type"], "urn:lectern:problem:origin");

    let preflight = |origin: &str| {
        server
            .anonymous("OPTIONS", "/v1/query")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .send()
    };
    let ours = preflight(OURS).await.unwrap();
    assert!(ours.status().is_success(), "{}", ours.status());
    assert_eq!(allowed(ours.headers()), Some(OURS));
    assert!(
        ours.headers()["access-control-allow-headers"].to_str().unwrap().contains("authorization")
    );
    assert_eq!(allowed(preflight(THEIRS).await.unwrap().headers()), None);
}

#[tokio::test]
async fn without_a_key_no_foreign_page_and_no_foreign_name_is_served() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    assert_eq!(asked(&server, THEIRS, None).await.status(), 403);
    // A page whose name was given this machine's address: for a browser it is the server's own.
    let rebound = server.anonymous("GET", "/v1/documents").header("host", "evil.example:8080");
    assert_eq!(rebound.send().await.unwrap().status(), 403);
    let body = json!({ "text": "planted" });
    let rebound = server
        .anonymous("POST", "/v1/documents")
        .header("host", "evil.example:8080")
        .header("origin", "http://evil.example:8080")
        .json(&body);
    assert_eq!(rebound.send().await.unwrap().status(), 403);
    assert_eq!(server.get("/v1/documents").await.1["documents"], json!([]));
    let own = server.anonymous("GET", "/v1/documents").header("host", "localhost:1");
    assert_eq!(own.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_address_that_presents_wrong_keys_is_slowed_down() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[("LECTERN_WRONG_KEYS_PER_MINUTE", "5")]);
    let key = server.key().to_owned();
    let wrong = |text: &str| server.anonymous("GET", "/v1/documents").bearer_auth(text).send();
    for _ in 0..5 {
        assert_eq!(wrong("lk_nonsense").await.unwrap().status(), 401);
    }
    let refused = wrong("lk_nonsense").await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    // Else a guess could be told from a hit.
    assert_eq!(wrong(&key).await.unwrap().status(), 429);
}

#[tokio::test]
async fn every_answer_says_that_it_is_no_page_and_no_page_lets_scripts_in() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let keyed = server.request("GET", "/v1/documents").send().await.unwrap();
    let refused = server.anonymous("GET", "/v1/documents").send().await.unwrap();
    let nothing = server.anonymous("GET", "/nothing").send().await.unwrap();
    let health = server.anonymous("GET", "/health").send().await.unwrap();
    for response in [keyed, refused, nothing, health] {
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
        // Plain HTTP must not say it (RFC 6797, section 7.2).
        assert!(!response.headers().contains_key("strict-transport-security"));
    }
    let page = server.anonymous("GET", "/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe-inline"), "{policy}");
}
