//! Every document of the set becomes ready or fails with a reason, and what is answered from it can be checked
//! against its bytes over HTTP.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::process::Server;

pub(crate) fn test_data() -> PathBuf {
    let given = std::env::var_os("LECTERN_TEST_DATA").map(PathBuf::from);
    let data = given
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    assert!(data.is_dir(), "no test data at {}; set LECTERN_TEST_DATA", data.display());
    data
}

fn manifest() -> Vec<Value> {
    let text = std::fs::read_to_string(test_data().join("docs/manifest.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns something to ask of a document: a phrase it is known to have, else a line of its own.
fn question(entry: &Value, text: &str) -> Option<String> {
    let known = entry["must_contain"].as_array().and_then(|phrases| phrases.first());
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = known.and_then(Value::as_str).map(str::to_owned);
    let known = known.filter(|phrase| flat.contains(phrase.as_str()));
    let wordy = |line: &&str| {
        line.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)).count() >= 3
    };
    let line = || text.lines().find(wordy).map(|line| line.chars().take(300).collect());
    known.or_else(line)
}

#[tokio::test]
async fn every_document_is_answered_from_its_bytes_or_fails_with_a_reason() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let mut accepted = Vec::new();
    for entry in manifest() {
        let file = entry["file"].as_str().unwrap();
        let bytes = std::fs::read(test_data().join("docs").join(file)).unwrap();
        let (status, answer) = server.upload(file, bytes).await;
        if status.is_success() {
            accepted.push((entry.clone(), answer["id"].as_str().unwrap().to_owned()));
        } else {
            assert!(matches!(status.as_u16(), 415 | 422), "{file}: {status} {answer}");
            assert!(
                answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
                "{file}: {answer}"
            );
            let class = entry["class"].as_str().unwrap();
            assert!(
                !matches!(class, "encoding" | "scanned-no-text"),
                "{file} was refused: {answer}"
            );
        }
    }

    let mut answered = std::collections::BTreeMap::new();
    for (entry, id) in &accepted {
        let file = entry["file"].as_str().unwrap();
        let document = server.settled(id).await;
        if document["state"] == "failed" {
            let detail = document["failure"]["detail"].as_str().unwrap();
            assert!(!detail.is_empty() && entry["class"] != "normal", "{file}: {document}");
            continue;
        }
        assert_eq!(document["state"], "ready", "{file}: {document}");
        let (_, piece) = server.get(&format!("/v1/documents/{id}/text")).await;
        let Some(question) = question(entry, piece["text"].as_str().unwrap()) else { continue };
        let body = json!({ "question": question, "filter": { "documents": [id] } });
        let (status, answer) = server.post("/v1/query", &body).await;
        assert_eq!(status, 200, "{file}: {answer}");
        assert_eq!(answer["refused"], false, "{file}: {question}");
        assert!(!answer["citations"].as_array().unwrap().is_empty(), "{file}");
        server.assert_citations_hold(&answer).await;
        let media_type = document["media_type"].as_str().unwrap().to_owned();
        *answered.entry(media_type).or_insert(0) += 1;
    }
    println!("answered by media type: {answered:?}");
    assert!(answered.len() >= 9, "{answered:?}");
}

#[tokio::test]
async fn a_new_version_replaces_the_old_one_whole() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let id = server.ready("plan.md", "# Plan\n\nThe zeppelin departs on Monday.").await;
    let body = json!({ "text": "# Plan\n\nThe zeppelin departs on Friday.", "name": "plan.md", "document_id": id });
    let (status, accepted) = server.post("/v1/documents", &body).await;
    assert_eq!((status.as_u16(), &accepted["version"]), (202, &json!(2)));
    loop {
        // Whenever one looks, there is exactly one version.
        let found = server.search("zeppelin departs").await;
        assert_eq!(found.len(), 1, "{found:?}");
        if found[0]["version"] == 2 {
            break;
        }
    }
    let answer = server.ask("When does the zeppelin depart?").await;
    assert!(answer["answer"].as_str().unwrap().contains("Friday"), "{answer}");
    server.assert_citations_hold(&answer).await;
}

#[tokio::test]
async fn the_same_bytes_are_the_same_document() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let (first_status, first) = server.upload("a.md", b"Hello there, world.".to_vec()).await;
    let (second_status, second) = server.upload("a.md", b"Hello there, world.".to_vec()).await;
    assert_eq!((first_status.as_u16(), second_status.as_u16()), (202, 200));
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["created"], false);
}

#[tokio::test]
async fn a_multipart_form_carries_name_metadata_and_acl() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let part = reqwest::multipart::Part::text("The gazebo is green.").file_name("garden.md");
    let form = reqwest::multipart::Form::new()
        .text("metadata", r#"{"team":"ops","year":2024}"#)
        .part("file", part);
    let response = server.request("POST", "/v1/documents").multipart(form).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let accepted: Value = response.json().await.unwrap();
    let document = server.settled(accepted["id"].as_str().unwrap()).await;
    assert_eq!(
        (&document["name"], &document["metadata"]["team"]),
        (&json!("garden.md"), &json!("ops"))
    );
    for (filter, hits) in [
        (json!({"field": "team", "equals": "ops"}), 1),
        (json!({"field": "team", "equals": "dev"}), 0),
        (json!({"field": "year", "gte": 2020, "lt": 2025}), 1),
        (json!({"not": {"field": "year", "gte": 2020}}), 0),
    ] {
        let body = json!({ "question": "gazebo", "filter": filter });
        let (_, found) = server.post("/v1/search", &body).await;
        assert_eq!(found["passages"].as_array().unwrap().len(), hits, "{filter}");
    }
}
