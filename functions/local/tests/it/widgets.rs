//! Tokens that a page may show: what their bearers can do, and what they cannot.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    gate::{create_key, routes},
    process::Server,
};

const SHOP: &str = "https://shop.example";
const OTHER: &str = "https://other.example";

async fn made(server: &Server, body: Value) -> (StatusCode, Value) {
    server.post("/v1/widget-tokens", &body).await
}

fn token(made: &(StatusCode, Value)) -> &str {
    assert_eq!(made.0, StatusCode::CREATED, "{}", made.1);
    made.1["token"].as_str().unwrap()
}

async fn asked(server: &Server, token: &str, origin: Option<&str>, body: Value) -> (u16, Value) {
    let request = server.anonymous("POST", "/v1/query").bearer_auth(token).json(&body);
    let request = match origin {
        Some(origin) => request.header("origin", origin),
        None => request,
    };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn question() -> Value {
    json!({ "question": "When are refunds paid?" })
}

fn variables() -> [(&'static str, &'static str); 2] {
    [
        ("LECTERN_ALLOWED_ORIGINS", "https://shop.example,https://other.example"),
        ("LECTERN_WRONG_KEYS_PER_MINUTE", "100000"),
    ]
}

#[tokio::test]
async fn a_page_asks_with_a_token_and_does_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &variables());
    let id = server.ready("refunds.md", "# Refunds\n\nRefunds are paid within 14 days.").await;
    let made = made(&server, json!({ "origin": SHOP })).await;
    let (status, answer) = asked(&server, token(&made), Some(SHOP), question()).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["answer"].as_str().unwrap().contains("14 days"));
    // The passage a citation points into may be opened.
    let text = server.anonymous("GET", &format!("/v1/documents/{id}/text"));
    let text = text.bearer_auth(token(&made)).header("origin", SHOP).send().await.unwrap();
    assert_eq!(text.status(), 200);
    let asks = ["/v1/query", "/v1/search", "/v1/sessions", "/v1/feedback"];
    for (method, path, body) in routes(&id) {
        let reads = method == "GET"
            && (path.starts_with("/v1/documents") || path.starts_with("/v1/collections"));
        if reads || asks.iter().any(|asks| path.starts_with(asks)) {
            continue;
        }
        let request =
            server.anonymous(method, &path).bearer_auth(token(&made)).header("origin", SHOP);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let status = request.send().await.unwrap().status();
        // Whether there is an upload of this id is not told either.
        let is_hidden = path.starts_with("/v1/documents/uploads/") && status == 404;
        assert!(status == 403 || status == 429 || is_hidden, "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn a_token_works_from_its_pages_until_its_key_is_revoked() {
    let data = tempfile::tempdir().unwrap();
    let key = create_key(data.path(), &["site", "--permission", "query"]);
    let admin = create_key(data.path(), &["admin", "--permission", "admin"]);
    let server = Server::start(data.path(), &[], &variables()).with_key(&key);
    let made = made(&server, json!({ "origin": SHOP })).await;
    assert_eq!(asked(&server, token(&made), Some(SHOP), question()).await.0, 200);
    for origin in [None, Some(OTHER), Some("https://shop.example.evil.example"), Some("null")] {
        assert_eq!(asked(&server, token(&made), origin, question()).await.0, 403, "{origin:?}");
    }
    let changed = token(&made).replace('.', "A.");
    assert_eq!(asked(&server, &changed, Some(SHOP), question()).await.0, 401);
    let server = server.with_key(&admin);
    let id = key.split('_').nth(1).unwrap();
    assert_eq!(server.delete(&format!("/v1/keys/{id}")).await.0, StatusCode::NO_CONTENT);
    assert_eq!(asked(&server, token(&made), Some(SHOP), question()).await.0, 401);
}

#[tokio::test]
async fn only_what_can_work_is_made() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &variables());
    for (body, pointer) in [
        (json!({ "origin": "https://elsewhere.example" }), "/origin"),
        (json!({ "origin": "https://shop.example/path" }), "/origin"),
        (json!({ "origin": SHOP, "lifetime_seconds": 0 }), "/lifetime_seconds"),
        (json!({ "origin": SHOP, "lifetime_seconds": 3601 }), "/lifetime_seconds"),
        (json!({ "origin": SHOP, "collections": [] }), "/collections"),
        (json!({ "origin": SHOP, "visitor": "v".repeat(257) }), "/visitor"),
        (json!({ "origin": SHOP, "visitor": "" }), "/visitor"),
    ] {
        let (status, problem) = made(&server, body).await;
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(pointer))
        );
    }
    let longest = json!({ "origin": SHOP, "lifetime_seconds": 3600, "visitor": "v".repeat(256) });
    token(&made(&server, longest).await);
}

#[tokio::test]
async fn visitors_have_their_own_conversations_and_rates() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &variables());
    server.ready("refunds.md", "# Refunds\n\nRefunds are paid within 14 days.").await;
    let ann = made(&server, json!({ "origin": SHOP, "visitor": "ann" })).await;
    let again = made(&server, json!({ "origin": SHOP, "visitor": "ann" })).await;
    let ben = made(&server, json!({ "origin": SHOP, "visitor": "ben" })).await;
    let (_, answer) = asked(&server, token(&ann), Some(SHOP), question()).await;
    let session = format!("/v1/sessions/{}", answer["session_id"].as_str().unwrap());
    let read = async |token: &str| {
        let request = server.anonymous("GET", &session).bearer_auth(token).header("origin", SHOP);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(
        [read(token(&ann)).await, read(token(&again)).await, read(token(&ben)).await],
        [200, 200, 404]
    );
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(asked(&server, token(&ann), Some(SHOP), question()).await.0);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(asked(&server, token(&ben), Some(SHOP), question()).await.0, 200);
}
