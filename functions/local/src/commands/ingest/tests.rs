use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path as UrlPath, Query, State},
    http::StatusCode,
    routing::get,
};

use super::*;

/// What a scripted API was sent.
type Sent = Arc<Mutex<Vec<HashMap<String, String>>>>;

fn a_document(id: &str, failure: &Value) -> Value {
    let state = if failure.is_null() { "ready" } else { "failed" };
    json!({
        "id": id, "name": format!("{id}.md"), "state": state, "size_bytes": 1, "latest_version": 1,
        "failure": failure, "progress": {"chunks_done": 2, "chunks_total": 2}, "updated_at": "now",
    })
}

/// An API that takes everything, fails what is named `bad…`, and refuses `.bin`.
fn api(sent: &Sent) -> Api {
    let take = async |State(sent): State<Sent>, Query(query): Query<HashMap<String, String>>| {
        let name = query["name"].clone();
        sent.lock().unwrap().push(query);
        if name.ends_with(".bin") {
            return (StatusCode::UNSUPPORTED_MEDIA_TYPE, Json(json!({"detail": "no"})));
        }
        let id = name.rsplit('/').next().unwrap().trim_end_matches(".md").to_owned();
        (StatusCode::ACCEPTED, Json(json!({"id": id, "version": 1, "created": true})))
    };
    let list = async || {
        Json(json!({"documents": [a_document("known", &Value::Null)], "next_cursor": null}))
    };
    let show = async |UrlPath(id): UrlPath<String>| {
        let failure = json!({"code": "encrypted", "detail": "remove the password"});
        let failure = if id.starts_with("bad") { failure } else { Value::Null };
        Json(a_document(&id, &failure))
    };
    let collection = async || Json(json!({"id": "default"}));
    let router = Router::new()
        .route("/v1/documents", get(list).post(take))
        .route("/v1/documents/{id}", get(show))
        .route("/v1/collections/{id}", get(collection));
    Api::InProcess(router.with_state(Arc::clone(sent)))
}

struct Run {
    outcome: Result<(), Failure>,
    sent: Sent,
    text: String,
}

async fn ingest_files(names: &[&str], named: Option<&str>, json: bool) -> Run {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let bytes: &[u8] =
            if name.ends_with(".png") { b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" } else { b"# text" };
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = named.map_or(folder.path().to_owned(), |name| folder.path().join(name));
    let options = IngestArguments { paths: vec![path], wait: false, no_wait: false, as_new: false };
    let sent = Sent::default();
    let session = Session { api: api(&sent), local: None };
    let (output, written) = Output::captured(json);
    let collection = CollectionId::default_collection();
    let outcome = run(&session, &collection, &options, &output).await;
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    Run { outcome, sent, text }
}

#[tokio::test]
async fn folders_are_taken_and_what_nobody_reads_is_counted() {
    let run = ingest_files(&["a.md", "b.md", "photo.png", "data.bin"], None, false).await;
    run.outcome.unwrap();
    assert_eq!(
        run.text,
        "2 accepted, 0 unchanged, 2 ready with 4 chunks; 2 of unreadable types left out\n"
    );
    assert_eq!(run.sent.lock().unwrap().len(), 3, "the picture is not even sent");
}

#[tokio::test]
async fn a_named_file_that_is_not_read_fails() {
    let run = ingest_files(&["data.bin"], Some("data.bin"), false).await;
    assert_eq!(run.outcome.unwrap_err().exit_code(), FAILED);
}

#[tokio::test]
async fn a_failed_document_fails_the_command_and_says_why() {
    let run = ingest_files(&["a.md", "bad.md"], None, true).await;
    assert_eq!(run.outcome.unwrap_err().exit_code(), FAILED);
    let lines: Vec<Value> =
        run.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed = lines.iter().find(|line| line["event"] == "failed").unwrap();
    assert_eq!(failed["failure"]["code"], "encrypted");
    let summary = lines.last().unwrap();
    assert_eq!((&summary["ready"], &summary["failed"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn names_in_the_collection_become_new_versions() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), "text").unwrap();
    let sent = Sent::default();
    let path = folder.path().join("a.md");
    let files = [SourceFile { path, name: "known.md".into() }];
    let options = IngestArguments { paths: vec![], wait: true, no_wait: true, as_new: false };
    let (output, _) = Output::captured(false);
    let collection = CollectionId::default_collection();
    let api = api(&sent);
    ingest(&api, &collection, &options, &files, &output).await.unwrap();
    assert_eq!(sent.lock().unwrap()[0]["document_id"], "known");
    let as_new = IngestArguments { as_new: true, ..options };
    ingest(&api, &collection, &as_new, &files, &output).await.unwrap();
    assert!(!sent.lock().unwrap()[1].contains_key("document_id"));
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_named() {
    let run = ingest_files(&[], Some("none.md"), false).await;
    assert!(run.outcome.unwrap_err().message().unwrap().contains("none.md"));
}
