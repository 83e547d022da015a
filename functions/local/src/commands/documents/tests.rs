use axum::{
    Json, Router,
    extract::Query,
    routing::{delete, get},
};
use std::collections::HashMap;

use super::*;
use crate::failure::USAGE;

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn a_document(number: usize) -> Value {
    json!({
        "id": ID, "name": format!("{number}.md"), "state": "ready", "size_bytes": 7, "latest_version": 1,
        "failure": null, "progress": {"chunks_done": 2, "chunks_total": 2}, "updated_at": "now",
    })
}

/// An API that lists 250 documents in pages, and deletes everything.
fn session() -> Session {
    let list = async |Query(query): Query<HashMap<String, String>>| {
        let from: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let to = (from + query["limit"].parse::<usize>().unwrap()).min(250);
        let next = (to < 250).then(|| to.to_string());
        let documents: Vec<Value> = (from..to).map(a_document).collect();
        Json(json!({ "documents": documents, "next_cursor": next }))
    };
    let forget = async || {
        Json(json!({
            "document_id": ID, "deleted_at": "2026-11-21T03:00:00Z", "passages_deleted": 12,
            "passages_remaining": 0, "blobs_deleted": 2,
        }))
    };
    let router = Router::new()
        .route("/v1/documents", get(list))
        .route("/v1/documents/{id}", delete(forget).get(async || Json(a_document(1))));
    Session { api: Api::InProcess(router), local: None }
}

async fn run_with(command: DocumentsCommand, json: bool) -> (Result<(), Failure>, String) {
    let (output, written) = Output::captured(json);
    let outcome = run(&session(), &CollectionId::default_collection(), &command, &output).await;
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    (outcome, text)
}

#[tokio::test]
async fn a_listing_goes_on_over_pages_and_stops_at_the_limit() {
    for (limit, expected) in [(1_000, 250), (120, 120), (100, 100)] {
        let (outcome, text) = run_with(DocumentsCommand::List { limit }, true).await;
        outcome.unwrap();
        let listed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(listed["documents"].as_array().unwrap().len(), expected);
    }
    let (_, text) = run_with(DocumentsCommand::List { limit: 1 }, false).await;
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[tokio::test]
async fn a_deletion_prints_the_receipt_and_needs_a_yes() {
    let command = |yes| DocumentsCommand::Delete { id: ID.into(), yes, from_backups: false };
    let (outcome, text) = run_with(command(true), false).await;
    outcome.unwrap();
    assert!(
        text.contains("passages removed: 12, left in the index: 0; files removed: 2"),
        "{text}"
    );
    if !io::stdin().is_terminal() {
        assert_eq!(run_with(command(false), false).await.0.unwrap_err().exit_code(), USAGE);
    }
}

#[tokio::test]
async fn what_is_no_id_is_not_sent() {
    let (outcome, _) = run_with(DocumentsCommand::Show { id: "../keys".into() }, false).await;
    assert_eq!(outcome.unwrap_err().exit_code(), USAGE);
}

#[test]
fn a_state_says_what_is_behind_it() {
    let mut value = a_document(1);
    value["state"] = "failed".into();
    value["failure"] = json!({"code": "encrypted", "detail": "remove the password"});
    assert_eq!(state(&parse(value.clone()).unwrap()), "failed: remove the password (encrypted)");
    value["failure"] = Value::Null;
    value["state"] = "processing".into();
    assert_eq!(state(&parse(value).unwrap()), "processing 2/2");
}
