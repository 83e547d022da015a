//! Personal data that a collection keeps to itself, over HTTP.

use lectern_testkit::chat::{Reply, ScriptedChat};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::process::Server;

const TEXT: &str = "# Porter\n\nThe porter answers +49 30 1234567 and porter@example.com by day.";
const COVERED: &str =
    "# Porter\n\nThe porter answers ************** and ****************** by day.";
const QUESTION: &str = "When does the porter answer?";

fn has_secrets(text: &str) -> bool {
    text.contains("1234567") || text.contains("porter@")
}

async fn set(server: &Server, safety: &Value) -> StatusCode {
    let patch = json!({"settings": {"safety": safety}});
    let patched = server.request("PATCH", "/v1/collections/default").json(&patch).send().await;
    patched.unwrap().status()
}

/// Returns the text of the document that the first passage is of.
async fn text_of(server: &Server, passages: &[Value]) -> String {
    let id = passages[0]["document_id"].as_str().unwrap();
    let (status, text) = server.get(&format!("/v1/documents/{id}/text")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    text["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn answers_searches_and_texts_lack_it_once_the_collection_says_so() {
    let data = tempfile::tempdir().unwrap();
    let reply = || Reply::tokens(&["The porter answers by day [1]."]);
    let chat = ScriptedChat::start(vec![reply(), reply()]);
    let url = chat.base_url();
    let variables = [("LECTERN_CHAT", "openai:scripted"), ("LECTERN_MODEL_URL", url.as_str())];
    let server = Server::start(data.path(), &["--open"], &variables);
    server.ready("porter.md", TEXT).await;
    let open = server.ask(QUESTION).await;
    assert!(has_secrets(&open["citations"].to_string()), "{open}");

    assert_eq!(set(&server, &json!({"redact": ["phone", "phone"]})).await, 422);
    assert_eq!(set(&server, &json!({"redact": ["phone", "email"]})).await, 200);
    let answer = server.ask(QUESTION).await;
    assert!(!has_secrets(&answer.to_string()), "{answer}");
    let prompt = chat.requests()[1].body.to_string();
    assert!(!has_secrets(&prompt) && prompt.contains("**************"), "{prompt}");
    let found = server.search("porter").await;
    assert!(!has_secrets(&json!(found).to_string()), "{found:?}");
    let text = text_of(&server, &found).await;
    assert!(COVERED.ends_with(text.lines().last().unwrap()), "{text}");
    let citation = &answer["citations"][0];
    let at = |name: &str| usize::try_from(citation[name].as_u64().unwrap()).unwrap();
    assert_eq!(text.get(at("start")..at("end")), citation["quote"].as_str());

    assert_eq!(set(&server, &json!({"redact": null})).await, 200);
    assert!(has_secrets(&text_of(&server, &server.search("porter").await).await), "it is kept");
}

#[tokio::test]
async fn what_is_covered_at_ingestion_does_not_come_back() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let safety = json!({"redact": ["phone", "email"], "redact_at": "ingestion"});
    assert_eq!(set(&server, &safety).await, 200);
    server.ready("porter.md", TEXT).await;
    assert_eq!(set(&server, &json!({"redact": null, "redact_at": null})).await, 200);
    let found = server.search("porter").await;
    assert!(!found.is_empty() && !has_secrets(&json!(found).to_string()), "{found:?}");
    assert!(!has_secrets(&text_of(&server, &found).await));
    let answer = server.ask(QUESTION).await;
    assert!(!has_secrets(&answer.to_string()), "{answer}");
}
