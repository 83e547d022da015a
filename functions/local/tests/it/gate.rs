//! Who is let in: every route × every missing or wrong credential, and nobody reaches another tenant.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::process::Server;

const UNKNOWN: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// Every route behind the gate, with a body where it takes one.
pub(crate) fn routes(id: &str) -> Vec<(&'static str, String, Option<Value>)> {
    vec![
        ("POST", "/v1/query".into(), Some(json!({"question": "axolotl"}))),
        ("POST", "/v1/search".into(), Some(json!({"question": "axolotl"}))),
        ("GET", format!("/v1/sessions/{id}"), None),
        ("DELETE", format!("/v1/sessions/{id}"), None),
        ("POST", "/v1/feedback".into(), Some(json!({"query_id": id, "rating": "up"}))),
        ("POST", "/v1/documents".into(), Some(json!({"text": "hello"}))),
        ("GET", "/v1/documents".into(), None),
        ("GET", format!("/v1/documents/{id}"), None),
        ("GET", format!("/v1/documents/{id}/text"), None),
        ("POST", format!("/v1/documents/{id}/retry"), None),
        ("DELETE", format!("/v1/documents/{id}"), None),
        ("POST", "/v1/collections".into(), Some(json!({"id": "other"}))),
        ("GET", "/v1/collections".into(), None),
        ("GET", "/v1/collections/default".into(), None),
        ("DELETE", "/v1/collections/default".into(), None),
        ("GET", "/v1/experiments".into(), None),
        ("POST", "/v1/keys".into(), Some(json!({"name": "new", "permissions": ["query"]}))),
        ("GET", "/v1/keys".into(), None),
        ("GET", format!("/v1/keys/{id}"), None),
        ("PATCH", format!("/v1/keys/{id}"), Some(json!({}))),
        ("POST", format!("/v1/keys/{id}/rotate"), Some(json!({}))),
        ("DELETE", format!("/v1/keys/{id}"), None),
        ("GET", "/metrics".into(), None),
        ("GET", "/v1/usage".into(), None),
        ("GET", "/v1/audit/heads".into(), None),
        ("GET", "/v1/subjects".into(), None),
        ("GET", format!("/v1/subjects/{id}"), None),
        ("DELETE", format!("/v1/subjects/{id}"), None),
        ("POST", "/v1/widget-tokens".into(), Some(json!({"origin": "https://a.example"}))),
        ("GET", "/v1/budget".into(), None),
        ("PATCH", "/v1/budget".into(), Some(json!({}))),
        ("PATCH", "/v1/collections/default".into(), Some(json!({}))),
        ("POST", "/v1/documents/fetch".into(), Some(json!({"url": "https://example.com/a.md"}))),
        ("POST", "/v1/documents/uploads".into(), Some(json!({"name": "a.txt", "size_bytes": 1}))),
        ("GET", format!("/v1/documents/uploads/{id}"), None),
        ("PUT", format!("/v1/documents/uploads/{id}"), Some(json!({}))),
        ("POST", "/v1/backups".into(), Some(json!({}))),
        ("GET", "/v1/backups".into(), None),
        ("GET", format!("/v1/backups/{id}"), None),
        ("POST", format!("/v1/backups/{id}/verify"), Some(json!({}))),
        ("POST", format!("/v1/backups/{id}/restore"), Some(json!({}))),
        ("GET", "/v1/restorations".into(), None),
        ("GET", format!("/v1/restorations/{id}"), None),
        ("POST", format!("/v1/restorations/{id}/switch"), Some(json!({}))),
        ("POST", format!("/v1/restorations/{id}/confirm"), Some(json!({}))),
        ("POST", format!("/v1/restorations/{id}/undo"), Some(json!({}))),
        ("POST", format!("/v1/restorations/{id}/discard"), Some(json!({}))),
    ]
}

#[tokio::test]
async fn every_route_that_is_described_is_tried_here() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let (_, document) = server.get("/openapi.json").await;
    let tried: Vec<(String, String)> = routes("{id}")
        .into_iter()
        .map(|(method, path, _)| {
            (method.to_owned(), path.replace("collections/default", "collections/{id}"))
        })
        .collect();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let is_open = matches!(path.as_str(), "/health" | "/ready" | "/status" | "/v1/status");
            let route = (method.to_uppercase(), path.clone());
            assert!(is_open || tried.contains(&route), "{route:?}");
        }
    }
}

pub(crate) fn create_key(data: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lectern"))
        .arg("--data")
        .arg(data)
        .args(["--json", "keys", "create"])
        .args(arguments)
        .env("LECTERN_EMBEDDER", "none")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let created: Value = serde_json::from_slice(&output.stdout).unwrap();
    created["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_route_lets_a_missing_or_wrong_credential_in() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[("LECTERN_WRONG_KEYS_PER_MINUTE", "100000")]);
    let good = server.key().to_owned();
    let flipped = {
        let (head, last) = good.split_at(good.len() - 1);
        format!("{head}{}", if last == "0" { "1" } else { "0" })
    };
    let unknown = good.replace(&good[3..29], UNKNOWN);
    let headers = [
        None,
        Some(String::new()),
        Some("Bearer".into()),
        Some("Bearer nonsense".into()),
        Some(format!("Basic {good}")),
        Some(format!("Bearer {flipped}")),
        Some(format!("Bearer {unknown}")),
        Some("Bearer lw_e30.e30".into()),
    ];
    for (method, path, body) in routes(UNKNOWN) {
        for header in &headers {
            let mut request = server.anonymous(method, &path);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{method} {path} {header:?}");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            let problem: Value = response.json().await.unwrap();
            assert!(problem["instance"].as_str().is_some_and(|id| !id.is_empty()), "{problem}");
        }
    }
    let (status, _) = server.get("/v1/documents").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn no_route_reaches_another_tenant() {
    let data = tempfile::tempdir().unwrap();
    let ours = create_key(data.path(), &["ours", "--permission", "query,upload"]);
    let theirs =
        create_key(data.path(), &["theirs", "--tenant", "acme", "--permission", "query,upload"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&ours);
    let id = server.ready("axolotl.md", "The axolotl regrows its limbs.").await;
    assert_eq!(server.search("axolotl").await.len(), 1);

    let server = server.with_key(&theirs);
    let (status, _) = server.post("/v1/collections", &json!({"id": "default"})).await;
    assert!(status.is_success());
    assert!(server.search("axolotl").await.is_empty());
    assert_eq!(server.ask("What does the axolotl regrow?").await["refused"], true);
    let (_, page) = server.get("/v1/documents").await;
    assert_eq!(page["documents"], json!([]));
    for (method, path, _) in routes(&id) {
        if path.contains(&id) && path.contains("/documents/") {
            let status = server.request(method, &path).send().await.unwrap().status();
            assert_eq!(status, 404, "{method} {path}");
        }
    }
    // The same bytes are another tenant's own document.
    let own = server.ready("axolotl.md", "The axolotl regrows its limbs.").await;
    assert_ne!(own, id);
    let found = server.search("axolotl").await;
    assert_eq!((found.len(), &found[0]["document_id"]), (1, &json!(own)));

    let server = server.with_key(&ours);
    assert_eq!(server.search("axolotl").await[0]["document_id"], json!(id));
}

#[tokio::test]
async fn a_key_does_what_it_is_for_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let asks = create_key(data.path(), &["asks", "--permission", "query"]);
    let writes = create_key(data.path(), &["writes", "--permission", "upload"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&asks);
    for (method, path, body) in routes(UNKNOWN) {
        let is_write = (method == "POST" || method == "DELETE")
            && (path.contains("/documents") || path.contains("/collections"));
        let mut request = server.request(method, &path);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let status = request.send().await.unwrap().status().as_u16();
        // What does not exist is not found; what may not be done is forbidden; neither is done.
        assert!(!is_write || matches!(status, 403 | 404), "{method} {path}: {status}");
        let is_of_backups = path.contains("/backups") || path.contains("/restorations");
        assert!(!is_of_backups || status == 403, "{method} {path}: {status}");
    }
    let server = server.with_key(&writes);
    for path in ["/v1/query", "/v1/search"] {
        let (status, problem) = server.post(path, &json!({"question": "x"})).await;
        assert_eq!((status.as_u16(), &problem["title"]), (403, &json!("Not allowed")));
    }
}

#[tokio::test]
async fn a_key_over_its_rate_is_told_when_to_return() {
    let data = tempfile::tempdir().unwrap();
    let slow = create_key(data.path(), &["slow", "--rate", "3"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&slow);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let response = server.request("GET", "/v1/collections").send().await.unwrap();
        statuses.push(response.status().as_u16());
        if response.status() == 429 {
            let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=20).contains(&wait), "{wait}");
        } else {
            assert_eq!(response.headers()["ratelimit-limit"], "3");
        }
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}
