//! Settings of a collection over HTTP, and what a search and an answer make of them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::process::Server;

const PATH: &str = "/v1/collections/default";

async fn patch(server: &Server, body: &Value, if_match: Option<&str>) -> (StatusCode, Value) {
    let mut request = server
        .request("PATCH", PATH)
        .header("content-type", "application/merge-patch+json")
        .body(body.to_string());
    if let Some(tag) = if_match {
        request = request.header("if-match", tag);
    }
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn settings_are_patched_shown_and_guarded_by_their_tag() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let response = server.request("GET", PATH).send().await.unwrap();
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    let before: Value = response.json().await.unwrap();
    assert_eq!(before["settings"]["retrieval"]["passages"], 8, "defaults are spelled out");

    let change = json!({"name": "Handbook", "settings": {"retrieval": {"mmr": {"lambda": 0.5}}}});
    let (status, changed) = patch(&server, &change, Some(&tag)).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(changed["name"], "Handbook");
    assert_eq!(changed["settings"]["retrieval"]["mmr"]["lambda"], 0.5);
    for stale in [tag.as_str(), "\"x\"", "7"] {
        assert_eq!(patch(&server, &change, Some(stale)).await.0, StatusCode::CONFLICT, "{stale}");
    }
    assert_eq!(patch(&server, &change, Some("*")).await.0, StatusCode::OK);
    let reset = json!({"settings": {"retrieval": {"mmr": null}}});
    assert_eq!(patch(&server, &reset, None).await.1["settings"]["retrieval"]["mmr"], Value::Null);

    for (body, pointer) in [
        (
            json!({"settings": {"retrieval": {"mmr": {"lambda": 2}}}}),
            "/settings/retrieval/mmr/lambda",
        ),
        (json!({"settings": {"retrieval": {"colour": 1}}}), "/settings/retrieval/colour"),
        (json!({"settings": {"cache": {"answers": "yes"}}}), "/settings/cache/answers"),
        (
            json!({"settings": {"retrieval": {"fusion": {"method": "magic"}}}}),
            "/settings/retrieval/fusion/method",
        ),
        (json!({"colour": 1}), "/colour"),
        (json!({"name": ""}), "/name"),
    ] {
        let (status, problem) = patch(&server, &body, None).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    let new = json!({"id": "new", "settings": {"retrieval": {"passages": 0}}});
    let (status, problem) = server.post("/v1/collections", &new).await;
    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["pointer"]),
        (422, &json!("/settings/retrieval/passages"))
    );
    let absent = server.request("PATCH", "/v1/collections/absent").json(&json!({})).send().await;
    assert_eq!(absent.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_schema_types_metadata_and_filters() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let schema = json!({"settings": {"schema": {"team": "keyword", "signed": "date"}}});
    assert_eq!(patch(&server, &schema, None).await.0, StatusCode::OK);
    let upload = async |metadata: Value| {
        let body =
            json!({"text": format!("The platypus contract. {metadata}"), "metadata": metadata});
        server.post("/v1/documents", &body).await
    };
    for (metadata, pointer) in [
        (json!({"team": 7}), "/metadata/team"),
        (json!({"signed": "soon"}), "/metadata/signed"),
        (json!({"colour": "red"}), "/metadata/colour"),
    ] {
        let (status, problem) = upload(metadata).await;
        assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    for metadata in [
        json!({"team": "ops", "signed": "2026-11-21"}),
        json!({"team": ["dev"], "signed": "2026-12-01"}),
    ] {
        let (_, accepted) = upload(metadata).await;
        assert_eq!(server.settled(accepted["id"].as_str().unwrap()).await["state"], "ready");
    }
    let search = async |filter: Value| {
        server.post("/v1/search", &json!({"question": "platypus contract", "filter": filter})).await
    };
    let (_, found) = search(json!({"field": "signed", "lte": "2026-11-21"})).await;
    assert_eq!(found["passages"].as_array().unwrap().len(), 1, "{found}");
    let (status, problem) = search(json!({"any": [{"field": "team", "gte": 3}]})).await;
    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["pointer"]),
        (422, &json!("/filter/any/0/gte"))
    );
}

#[tokio::test]
async fn stages_are_timed_in_the_header_and_in_the_last_event() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    server.ready("a.md", "The platypus sleeps by the river.").await;
    let question = json!({"question": "Where does the platypus sleep?"});
    for (path, stages) in [
        ("/v1/search", &["embed", "retrieve", "rerank"][..]),
        ("/v1/query", &["embed", "retrieve", "rerank", "generate", "verify", "total"][..]),
    ] {
        let response = server.request("POST", path).json(&question).send().await.unwrap();
        let timing = response.headers()["server-timing"].to_str().unwrap().to_owned();
        for stage in stages {
            let metric = timing.split(", ").find_map(|metric| metric.strip_prefix(stage));
            let millis = metric.and_then(|rest| rest.strip_prefix(";dur=")).unwrap();
            assert!(millis.parse::<f64>().is_ok(), "{timing}");
        }
    }
    let streamed = json!({"question": "Where does the platypus sleep?", "stream": true});
    let response = server.request("POST", "/v1/query").json(&streamed).send().await.unwrap();
    let events = response.text().await.unwrap();
    let done = events.split("event: done").nth(1).unwrap();
    assert!(done.contains("\"timings_ms\":{") && done.contains("\"rerank\":"), "{events}");
}

#[tokio::test]
async fn an_answer_that_was_cut_in_two_is_whole_and_its_citations_hold() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let filler = |number: u32| {
        format!(
            "Paragraph {number} speaks of otters at length. {}",
            "Otters swim in rivers. ".repeat(30)
        )
    };
    let text = format!(
        "{}\n\nThe platypus of the zoo lays its eggs in spring.\n\n{}\n\n{}",
        filler(1),
        filler(2),
        filler(3)
    );
    server.ready("zoo.md", &text).await;
    let answer = server.ask("When does the platypus lay its eggs?").await;
    assert_eq!(answer["refused"], false, "{answer}");
    server.assert_citations_hold(&answer).await;
    let found = server.search("platypus eggs").await;
    let body = json!({"question": "platypus eggs", "group_by": "document", "per_document": 1});
    let (_, grouped) = server.post("/v1/search", &body).await;
    assert!(found.len() > 1 || grouped["passages"].as_array().unwrap().len() == 1, "{grouped}");
    assert_eq!(grouped["passages"].as_array().unwrap().len(), 1, "{grouped}");
}
