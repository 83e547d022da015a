//! Bad input gets a 4xx that names the field, and nothing that was asked or answered stands in the log.

use serde_json::{Value, json};

use crate::process::Server;

#[tokio::test]
async fn bad_input_is_answered_with_the_place_of_the_mistake() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    for (path, body, status, pointer) in [
        ("/v1/query", json!({}), 422, ""),
        ("/v1/query", json!({"question": " "}), 422, "/question"),
        ("/v1/query", json!({"question": "x".repeat(4_001)}), 422, "/question"),
        ("/v1/query", json!({"question": 7}), 422, "/question"),
        ("/v1/query", json!({"question": "x", "colour": 1}), 422, "/colour"),
        ("/v1/query", json!({"question": "x", "collection": "A B"}), 422, "/collection"),
        ("/v1/query", json!({"question": "x", "session_id": "1"}), 422, "/session_id"),
        ("/v1/search", json!({"question": "x", "limit": 0}), 422, "/limit"),
        ("/v1/search", json!({"question": "x", "limit": 101}), 422, "/limit"),
        (
            "/v1/search",
            json!({"question": "x", "filter": {"field": "a b", "equals": 1}}),
            422,
            "/filter/field",
        ),
        (
            "/v1/query",
            json!({"question": "x", "filter": {"all": [{"field": "a", "gt": "soon"}]}}),
            422,
            "/filter/all/0/gt",
        ),
        (
            "/v1/search",
            json!({"question": "x", "filter": {"any": [{"al": []}]}}),
            422,
            "/filter/any/0/al",
        ),
        ("/v1/search", json!({"question": "x", "mmr": {"lambda": 2}}), 422, "/mmr/lambda"),
        ("/v1/query", json!({"question": "x", "mmr": {"lambda": -1}}), 422, "/mmr/lambda"),
        ("/v1/search", json!({"question": "x", "per_document": 0}), 422, "/per_document"),
        ("/v1/search", json!({"question": "x", "group_by": "colour"}), 422, "/group_by"),
        ("/v1/feedback", json!({"query_id": "x", "rating": "up"}), 422, "/query_id"),
        ("/v1/documents", json!({"text": "a", "metadata": {"a": {"b": 1}}}), 422, "/metadata/a"),
        ("/v1/documents", json!({"text": ""}), 422, "/file"),
        ("/v1/collections", json!({"id": "UPPER"}), 422, "/id"),
    ] {
        let (got, problem) = server.post(path, &body).await;
        assert_eq!(got.as_u16(), status, "{path} {body}: {problem}");
        let pointers: Vec<_> = problem["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        assert!(pointers.contains(&pointer), "{path} {body}: {problem}");
    }
    let (status, _) =
        server.post("/v1/query", &json!({"question": "x", "collection": "none"})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn what_is_not_http_as_expected_gets_its_own_status() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--open"], &[("LECTERN_MAX_DOCUMENT_BYTES", "1000")]);
    let json_type = ("content-type", "application/json");
    let send = async |method: &str, path: &str, header: (&str, &str), body: Vec<u8>| {
        let request = server.request(method, path).header(header.0, header.1).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        response.status().as_u16()
    };
    assert_eq!(send("POST", "/v1/query", json_type, b"{".to_vec()).await, 400);
    assert_eq!(
        send("POST", "/v1/query", ("content-type", "text/plain"), b"{}".to_vec()).await,
        415
    );
    assert_eq!(send("POST", "/v1/query", json_type, vec![b' '; 70_000]).await, 413);
    assert_eq!(send("PUT", "/v1/query", json_type, b"{}".to_vec()).await, 405);
    assert_eq!(send("GET", "/v1/nothing", json_type, vec![]).await, 404);
    let raw = ("content-type", "application/octet-stream");
    assert_eq!(send("POST", "/v1/documents?name=a.txt", raw, vec![b'a'; 1_001]).await, 413);
    assert_eq!(
        send("POST", "/v1/documents?name=a.png", raw, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec())
            .await,
        415
    );
    let (status, _) = server.upload("a.txt", vec![b'a'; 1_000]).await;
    assert_eq!(status, 202);
}

#[tokio::test]
async fn health_and_readiness_need_no_key_and_tell_no_data() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let health: Value =
        server.anonymous("GET", "/health").send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
    let response = server.anonymous("GET", "/ready").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let ready: Value = response.json().await.unwrap();
    assert_eq!(ready["status"], "ok", "{ready}");
    let names: Vec<_> = ready["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    let parts = ["table", "index", "blobs", "queue", "embedder", "chat", "ingestion", "backups"];
    assert_eq!(names, parts);
}

#[tokio::test]
async fn the_log_holds_no_question_passage_answer_or_key() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[("LECTERN_LOG", "trace,hyper=info,h2=info")]);
    let key = server.key().to_owned();
    server.ready("notes.md", "The xylophone prodigy practises at dawn.").await;
    let answer = server.ask("When does the xylophone prodigy practise?").await;
    assert_eq!(answer["refused"], false);
    server.post("/v1/query", &json!({"question": "xylophone?", "collection": "zzz"})).await;
    let log = server.log().join("\n").to_lowercase();
    assert!(log.contains("answered a question"), "{log}");
    let secret = key.rsplit('_').next().unwrap();
    for forbidden in ["xylophone", "prodigy", "dawn", secret] {
        let line = log
            .lines()
            .find(|line| line.contains(forbidden) && !line.contains("api key (shown once)"));
        assert_eq!(line, None, "`{forbidden}` is in the log");
    }
}
