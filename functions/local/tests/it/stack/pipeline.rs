//! A document's whole way through four processes: upload → S3 → SQS → ingest → query.

use lectern_testkit::lambda::RestEvent;
use serde_json::json;

use super::{BUCKET, Stack, send};
use crate::{BACKUP, HOLIDAYS};

#[tokio::test]
async fn documents_go_through_four_functions_and_come_back_as_a_cited_answer() {
    let stack = Stack::start().await;
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let (query, health) = tokio::join!(stack.function("query"), stack.function("health"));

    // One through the API, one straight into the bucket.
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
    let accepted = send(&upload, event.bytes("text/markdown", BACKUP.as_bytes())).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let first = accepted.json()["id"].as_str().unwrap().to_owned();
    let announce = json!({ "name": "holidays.md", "size_bytes": HOLIDAYS.len() });
    let event = RestEvent::post("/v1/documents/uploads").bearer(&key).json(&announce);
    let announced = send(&upload, event).await;
    assert_eq!(announced.status, 201, "{}", announced.text());
    let announced = announced.json();
    stack.aws.put(announced["url"].as_str().unwrap(), HOLIDAYS.as_bytes()).await;
    let second = announced["document_id"].as_str().unwrap();
    stack.drain(&ingest).await;

    for id in [&*first, second] {
        let event = RestEvent::get(&format!("/v1/documents/{id}")).resource("/v1/documents/{id}");
        let document = send(&upload, event.bearer(&key)).await.json();
        assert_eq!(document["state"], "ready", "{document} {:#?}", ingest.log());
    }
    let state = format!("/v1/documents/uploads/{}", announced["upload_id"].as_str().unwrap());
    let event = RestEvent::get(&state).resource("/v1/documents/uploads/{id}").bearer(&key);
    assert_eq!(send(&upload, event).await.json()["state"], "accepted");
    let stored = announced["upload_id"].as_str().unwrap();
    assert!(!stack.aws.has_object(BUCKET, &format!("uploads/acme/{stored}")).await);

    for (question, expected, document) in [
        ("When do backups run?", "03:00 UTC", &*first),
        ("How many days of holiday?", "twenty-eight", second),
    ] {
        let event = RestEvent::post("/v1/query").bearer(&key).json(&json!({"question": question}));
        let reply = send(&query, event).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let answer = reply.json();
        assert!(answer["answer"].as_str().unwrap().contains(expected), "{answer}");
        let citation = &answer["citations"][0];
        assert_eq!(citation["document_id"], document);
        let text = format!("/v1/documents/{document}/text");
        let event = RestEvent::get(&text)
            .resource("/v1/documents/{id}/text")
            .query("start", &citation["start"].to_string())
            .query("end", &citation["end"].to_string())
            .bearer(&key);
        assert_eq!(send(&upload, event).await.json()["text"], citation["quote"]);
    }
    let ready = send(&health, RestEvent::get("/ready")).await;
    assert_eq!((ready.status, &ready.json()["status"]), (200, &"ok".into()), "{}", ready.text());

    // Gone is gone, also for the other processes.
    let event = RestEvent::new("DELETE", &format!("/v1/documents/{first}"))
        .resource("/v1/documents/{id}")
        .bearer(&key);
    let receipt = send(&upload, event).await.json();
    assert_eq!(
        (&receipt["passages_deleted"], &receipt["passages_remaining"]),
        (&1.into(), &0.into())
    );
    let body = json!({"question": "When do backups run?"});
    let after = send(&query, RestEvent::post("/v1/query").bearer(&key).json(&body)).await.json();
    assert!(!after.to_string().contains("03:00"), "{after}");
}

#[tokio::test]
async fn no_function_shows_one_tenants_documents_to_another() {
    let stack = Stack::start().await;
    let (ours, theirs) = (stack.key("acme").await, stack.key("globex").await);
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let query = stack.function("query").await;
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&ours);
    let id = send(&upload, event.bytes("text/markdown", BACKUP.as_bytes())).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    stack.drain(&ingest).await;
    let body = json!({"question": "When do backups run?"});
    for (key, found) in [(&ours, 1), (&theirs, 0)] {
        let reply = send(&query, RestEvent::post("/v1/search").bearer(key).json(&body)).await;
        assert_eq!(reply.json()["passages"].as_array().unwrap().len(), found, "{}", reply.text());
    }
    let event = RestEvent::get(&format!("/v1/documents/{id}")).resource("/v1/documents/{id}");
    assert_eq!(send(&upload, event.bearer(&theirs)).await.status, 404);
}
