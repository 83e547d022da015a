//! `serve PATHS --watch` follows the files, and the API describes itself.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{PATIENCE, Server};

/// Waits until a search for `word` finds `count` passages.
async fn finds(server: &Server, word: &str, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while server.search(word).await.len() != count {
        assert!(Instant::now() < deadline, "{word}: {:#?}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_changed_file_becomes_a_new_version_and_a_removed_one_goes() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let plan = files.path().join("plan.md");
    std::fs::write(&plan, "The dirigible leaves on Monday.").unwrap();
    let folder = files.path().to_str().unwrap();
    let server = Server::start(data.path(), &["--open", "--watch", folder], &[]);
    finds(&server, "dirigible", 1).await;
    std::fs::write(&plan, "The dirigible leaves on Friday.").unwrap();
    finds(&server, "Friday", 1).await;
    let found = server.search("dirigible").await;
    assert_eq!((found.len(), &found[0]["version"]), (1, &2.into()));
    // What is hidden stays out, also when it changes while the folder is watched.
    std::fs::write(files.path().join(".env"), "PASSWORD is marmalade").unwrap();
    std::fs::write(files.path().join("new.md"), "The hovercraft is full of eels.").unwrap();
    finds(&server, "hovercraft", 1).await;
    assert!(server.search("marmalade").await.is_empty());
    std::fs::remove_file(&plan).unwrap();
    finds(&server, "dirigible", 0).await;
}

#[tokio::test]
async fn the_api_describes_every_route_from_its_types() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let response = server.anonymous("GET", "/openapi.json").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let document: Value = response.json().await.unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{document}");
    for path in [
        "/v1/query",
        "/v1/search",
        "/v1/documents",
        "/v1/documents/{id}/text",
        "/v1/collections",
        "/health",
        "/ready",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let question = &document["components"]["schemas"]["QueryBody"]["properties"]["question"];
    assert_eq!(question["maxLength"], 4_000);
}
