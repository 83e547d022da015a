//! Who comes with a token of an issuer.

use std::time::{SystemTime, UNIX_EPOCH};

use lectern_testkit::issuer::{IssuerServer, Signer};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{gate::routes, process::Server};

const UNKNOWN: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn settings(issuer: &IssuerServer) -> String {
    json!([{
        "issuer": issuer.url(), "audience": "lectern", "tenant_claim": "org",
        "tenants": {"ours": "local", "theirs": "acme"}, "groups_claim": "groups",
        "permissions_claim": "scope",
        "permissions_by_value": {"ask": ["query"], "write": ["query", "upload"], "all": ["query", "upload", "admin", "backup"]}
    }])
    .to_string()
}

fn claims(issuer: &IssuerServer, changed: &Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": issuer.url(), "aud": "lectern", "sub": "u-1", "exp": now + 3_000, "org": "ours", "scope": "all"
    });
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

#[tokio::test]
async fn no_route_lets_a_wrong_token_in() {
    let (issuer, signer, stranger) =
        (IssuerServer::start(), Signer::new("one"), Signer::new("one"));
    issuer.publish(vec![signer.jwk()]);
    let data = tempfile::tempdir().unwrap();
    let trusted = settings(&issuer);
    let variables = [("LECTERN_ISSUERS", &*trusted), ("LECTERN_WRONG_KEYS_PER_MINUTE", "100000")];
    let server = Server::start(data.path(), &[], &variables);
    let good = signer.sign(&claims(&issuer, &json!({})));
    let with = |changed: Value| signer.sign(&claims(&issuer, &changed));
    let without_signature = good.rsplit_once('.').unwrap().0;
    let wrong = [
        stranger.sign(&claims(&issuer, &json!({}))),
        with(json!({"exp": 1_700_000_000})),
        with(json!({"exp": "never"})),
        with(json!({"nbf": 4_000_000_000_u64})),
        with(json!({"aud": "billing"})),
        with(json!({"iss": "https://evil.example"})),
        with(json!({"sub": null})),
        with(json!({"org": "nobody's"})),
        with(json!({"org": "local"})),
        with(json!({"groups": {"a": 1}})),
        signer.sign_with(&json!({"alg": "none"}), &claims(&issuer, &json!({}))),
        signer.sign_with(&json!({"alg": "HS256", "kid": "one"}), &claims(&issuer, &json!({}))),
        format!("{without_signature}."),
        without_signature.to_owned(),
        "eyJhbGciOiJub25lIn0.e30.".to_owned(),
    ];
    for (method, path, body) in routes(UNKNOWN) {
        for token in &wrong {
            let request = server.anonymous(method, &path).bearer_auth(token);
            let request = if let Some(body) = &body { request.json(body) } else { request };
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{method} {path} {token}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
        }
    }
    let (status, _) = server.get_as(&good, "/v1/documents").await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = server.get("/v1/documents").await;
    assert_eq!(status, StatusCode::OK, "keys open, too");
    assert!(server.log().iter().all(|line| !line.contains(&good) && !line.contains("u-1")));
}

#[tokio::test]
async fn a_token_opens_what_its_claims_say_and_no_more() {
    let (issuer, signer) = (IssuerServer::start(), Signer::new("one"));
    issuer.publish(vec![signer.jwk()]);
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[("LECTERN_ISSUERS", &settings(&issuer))]);
    let token = |changed: Value| signer.sign(&claims(&issuer, &changed));
    let reader = token(json!({"sub": "reader", "scope": "ask"}));
    let in_hr = token(json!({"sub": "clerk", "scope": "ask", "groups": ["hr"]}));
    let is_director = token(json!({"sub": "director", "scope": "ask"}));
    let stranger = token(json!({"sub": "reader", "scope": "all", "org": "theirs"}));
    let none = token(json!({"scope": "openid profile"}));

    let server = server.with_key(&token(json!({"sub": "writer", "scope": "write"})));
    let body = json!({
        "text": "The director earns ninety thousand.", "name": "salaries.md",
        "acl": ["group:hr", "user:director"]
    });
    let (_, accepted) = server.post("/v1/documents", &body).await;
    let id = accepted["id"].as_str().unwrap().to_owned();
    server.settled(&id).await;

    for (who, token, sees) in [
        ("a reader", &reader, false),
        ("somebody of hr", &in_hr, true),
        ("the director", &is_director, true),
        ("another tenant's administrator", &stranger, false),
    ] {
        let (status, _) = server.get_as(token, &format!("/v1/documents/{id}")).await;
        assert_eq!(status == StatusCode::OK, sees, "{who}: {status}");
    }
    let server = server.with_key(&in_hr);
    assert_eq!(server.search("director earns").await.len(), 1);
    let server = server.with_key(&reader);
    assert!(server.search("director earns").await.is_empty());
    let (status, _) = server.post("/v1/documents", &json!({"text": "hello"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let server = server.with_key(&none);
    let (status, _) = server.post("/v1/search", &json!({"question": "x"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_issuer_that_is_away_is_no_wrong_token() {
    let (issuer, signer) = (IssuerServer::start(), Signer::new("one"));
    issuer.set_down(true);
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[("LECTERN_ISSUERS", &settings(&issuer))]);
    let server = server.with_key(&signer.sign(&claims(&issuer, &json!({}))));
    let (status, problem) = server.get("/v1/documents").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
}
