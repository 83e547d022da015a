//! Who may see which document, and what stays of a conversation.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{gate::create_key, process::Server};

const QUESTION: &str = "What does the director earn?";

#[tokio::test]
async fn a_document_closed_to_a_key_is_nowhere_to_be_read() {
    let data = tempfile::tempdir().unwrap();
    let writer = create_key(data.path(), &["writer", "--permission", "query,upload"]);
    let reader = create_key(data.path(), &["reader", "--permission", "query"]);
    let backup = create_key(data.path(), &["backup", "--permission", "backup"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&writer);
    let body = json!({"text": "The director earns ninety thousand.", "name": "salaries.md", "acl": ["hr"]});
    let (_, accepted) = server.post("/v1/documents", &body).await;
    let id = accepted["id"].as_str().unwrap().to_owned();
    server.settled(&id).await;
    server.ready("menu.md", "Lunch is served at noon.").await;

    for (key, listed) in [(&reader, 1), (&backup, 0)] {
        let page = server.get_as(key, "/v1/documents").await.1;
        assert_eq!(page["documents"].as_array().unwrap().len(), listed, "{page}");
        for path in [
            format!("/v1/documents/{id}"),
            format!("/v1/documents/{id}/text"),
            format!("/v1/documents/{id}/text?version=1"),
        ] {
            assert_eq!(server.get_as(key, &path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }
    let server = server.with_key(&reader);
    assert!(server.search("director earns").await.is_empty());
    assert_eq!(server.ask(QUESTION).await["refused"], true);

    // The same bytes of somebody else are another document and open nothing.
    let server = server.with_key(&writer);
    let body =
        json!({"text": "The director earns ninety thousand.", "name": "mine.md", "acl": ["mine"]});
    let (_, other) = server.post("/v1/documents", &body).await;
    assert_ne!(other["id"], json!(id));
    let (_, document) = server.get(&format!("/v1/documents/{id}")).await;
    assert_eq!(document["acl"], json!(["hr"]));
}

#[tokio::test]
async fn a_conversation_is_its_keys_own_and_forgets_deleted_documents() {
    let data = tempfile::tempdir().unwrap();
    let ours = create_key(data.path(), &["ours", "--permission", "query,upload"]);
    let other = create_key(data.path(), &["other", "--permission", "query,upload"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&ours);
    let id = server.ready("pay.md", "The director earns ninety thousand.").await;
    let answer = server.ask(QUESTION).await;
    let path = format!("/v1/sessions/{}", answer["session_id"].as_str().unwrap());
    let said = async |server: &Server| -> Vec<String> {
        let (_, session) = server.get(&path).await;
        let messages = session["messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    };
    let before = said(&server).await;
    assert!(before.len() == 2 && before[1].contains("ninety thousand"), "{before:?}");

    let server = server.with_key(&other);
    assert_eq!(server.get(&path).await.0, StatusCode::NOT_FOUND);
    server.delete(&path).await;
    let server = server.with_key(&ours);
    assert_eq!(said(&server).await, before, "another key deleted nothing");

    server.delete(&format!("/v1/documents/{id}")).await;
    let after = said(&server).await;
    assert!(after.len() == 2 && !after[1].contains("ninety"), "{after:?}");
    assert_eq!(server.delete(&path).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get(&path).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_question_many_documents_answer_is_answered() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let mut ids = Vec::new();
    for number in 0..150 {
        let text = format!("Ticket {number}: the platypus report of day {number} is filed.");
        let (status, accepted): (StatusCode, Value) =
            server.upload(&format!("{number}.md"), text.into_bytes()).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        ids.push(accepted["id"].as_str().unwrap().to_owned());
    }
    for id in &ids {
        assert_eq!(server.settled(id).await["state"], "ready");
    }
    assert_eq!(server.search("platypus report").await.len(), 100);
    assert_eq!(server.ask("What is filed of the platypus?").await["refused"], false);
}
