//! A chat model behind the real process: what it says, and every way it fails.

use lectern_testkit::chat::{Reply, ScriptedChat, owned};
use serde_json::{Value, json};

use crate::process::Server;

const TEXT: &str = "# Backups\n\nBackups run daily at 03:00 UTC. They are kept for 30 days.";
const QUESTION: &str = "When do backups run?";

struct Setting {
    _data: tempfile::TempDir,
    chat: ScriptedChat,
    server: Server,
}

async fn setting(replies: Vec<Reply>) -> Setting {
    let data = tempfile::tempdir().unwrap();
    let chat = ScriptedChat::start(replies);
    let url = chat.base_url();
    let variables = [
        ("LECTERN_CHAT", "openai:scripted"),
        ("LECTERN_MODEL_URL", url.as_str()),
        ("LECTERN_ANSWER_TIMEOUT_MS", "4000"),
    ];
    let server = Server::start(data.path(), &["--open"], &variables);
    server.ready("backup.md", TEXT).await;
    Setting { _data: data, chat, server }
}

/// Returns the events of a streamed answer, by name.
async fn events(server: &Server) -> Vec<(String, Value)> {
    let body = json!({ "question": QUESTION, "stream": true });
    let response = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let parse = |event: &str| {
        let data = field(event, "data:")?;
        Some((field(event, "event:")?, serde_json::from_str(&data).unwrap()))
    };
    text.split("\n\n").filter_map(parse).collect()
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_reply_streams_and_its_citations_hold() {
    let reply = Reply::tokens(&["Backups run daily ", "at 03:00 UTC ", "[1]."]);
    let Setting { chat, server, .. } = &setting(vec![reply]).await;
    let events = events(server).await;
    assert_eq!(names(&events), ["retrieval", "token", "token", "token", "citation", "done"]);
    let answer = &events[5].1;
    assert_eq!(answer["answer"], "Backups run daily at 03:00 UTC [1].");
    assert_eq!(
        (&answer["sentences"][0]["verdict"], &answer["mode"]),
        (&json!("supported"), &json!("generated"))
    );
    assert_eq!(answer["citations"][0]["quote"], "Backups run daily at 03:00 UTC.");
    server.assert_citations_hold(answer).await;
    let request = &chat.requests()[0];
    assert!(request.body["messages"][1]["content"].as_str().unwrap().contains(QUESTION));
    assert!(request.body.get("tools").is_none());
}

#[tokio::test]
async fn an_equal_question_asks_the_model_once_until_the_document_changes() {
    let reply = |text: &str| Reply::tokens(&[text]);
    let replies =
        vec![reply("Backups run daily at 03:00 UTC [1]."), reply("They are kept for 30 days [1].")];
    let Setting { server, chat, .. } = &setting(replies).await;
    let first = server.ask(QUESTION).await;
    assert_eq!((&first["cache"], &first["cache_match"]), (&json!("miss"), &Value::Null));
    let events = events(server).await;
    assert_eq!(names(&events), ["retrieval", "token", "citation", "done"]);
    let second = &events[3].1;
    assert_eq!((&second["cache"], &second["cache_match"]), (&json!("hit"), &json!("exact")));
    for field in ["answer", "sentences", "citations", "mode"] {
        assert_eq!(second[field], first[field], "{field}");
    }
    assert_ne!(second["query_id"], first["query_id"]);
    assert_eq!(second["usage"]["prompt_tokens"], 0);
    assert_eq!(second["usage"]["cost_usd"], 0.0);
    server.assert_citations_hold(second).await;
    assert_eq!(chat.requests().len(), 1);
    let feedback = json!({ "query_id": second["query_id"], "rating": "up" });
    assert_eq!(server.post("/v1/feedback", &feedback).await.0, 204);

    // A model that is shown a conversation is asked.
    let session = json!({ "question": QUESTION, "session_id": first["session_id"] });
    let (_, followed) = server.post("/v1/query", &session).await;
    assert_eq!((&followed["cache"], chat.requests().len()), (&json!("off"), 2));

    let id = first["citations"][0]["document_id"].as_str().unwrap();
    server.delete(&format!("/v1/documents/{id}")).await;
    let gone = server.ask(QUESTION).await;
    assert_eq!((&gone["cache"], &gone["refused"]), (&json!("miss"), &json!(true)));
}

#[tokio::test]
async fn an_invented_citation_number_is_dropped() {
    let reply =
        Reply::tokens(&["Backups run daily at 03:00 UTC [1]. The moon is made of cheese [7]."]);
    let Setting { server, .. } = &setting(vec![reply]).await;
    let answer = server.ask(QUESTION).await;
    assert!(!answer["answer"].as_str().unwrap().contains("[7]"), "{answer}");
    assert_eq!(answer["sentences"][1]["verdict"], "unknown_id");
    assert_eq!(answer["citations"].as_array().unwrap().len(), 1);
    server.assert_citations_hold(&answer).await;
}

#[tokio::test]
async fn a_model_that_finds_no_answer_refuses() {
    let Setting { server, .. } = &setting(vec![Reply::tokens(&["NO_ANSWER"])]).await;
    let answer = server.ask(QUESTION).await;
    assert_eq!(answer["refused"], true);
    assert_eq!(answer["nearest"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rate_limited_model_is_a_503_with_its_wait() {
    // One reply for the request and one for each retry that fits the time.
    let replies = vec![Reply::rate_limited("60"); 1];
    let Setting { server, .. } = &setting(replies).await;
    let body = json!({ "question": QUESTION });
    let response = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "60");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], "urn:lectern:problem:upstream-rate-limited");
}

async fn last_error(replies: Vec<Reply>) -> (Vec<String>, Value) {
    let Setting { server, .. } = &setting(replies).await;
    let events = events(server).await;
    let (name, problem) = events.last().unwrap();
    assert_eq!(name, "error", "{events:?}");
    assert!(problem["instance"].is_null() || problem["instance"].is_string());
    (names(&events).into_iter().map(str::to_owned).collect(), problem.clone())
}

#[tokio::test]
async fn a_stalled_stream_times_out() {
    let (names, problem) = last_error(vec![Reply::Stall(owned(&["Backups run "]))]).await;
    assert_eq!(names, ["retrieval", "token", "error"]);
    assert_eq!(
        (&problem["type"], &problem["status"]),
        (&json!("urn:lectern:problem:upstream-timeout"), &json!(504))
    );
}

#[tokio::test]
async fn a_cut_stream_is_an_error_not_a_short_answer() {
    let (names, problem) = last_error(vec![Reply::Cut(owned(&["Backups run "]))]).await;
    assert_eq!(names, ["retrieval", "token", "error"]);
    assert_eq!(problem["type"], "urn:lectern:problem:upstream-unavailable");
}

#[tokio::test]
async fn a_broken_model_is_retried_then_a_503() {
    let data = tempfile::tempdir().unwrap();
    let chat = ScriptedChat::start(vec![
        Reply::status(500),
        Reply::tokens(&["Backups run daily at 03:00 UTC [1]."]),
    ]);
    let url = chat.base_url();
    let server = Server::start(
        data.path(),
        &["--open"],
        &[("LECTERN_CHAT", "openai:scripted"), ("LECTERN_MODEL_URL", &url)],
    );
    server.ready("backup.md", TEXT).await;
    assert_eq!(server.ask(QUESTION).await["refused"], false);
    assert_eq!(chat.requests().len(), 2);
    for _ in 0..8 {
        chat.push(Reply::status(500));
    }
    let again = json!({ "question": QUESTION, "cache": false });
    let (status, problem) = server.post("/v1/query", &again).await;
    assert_eq!((status.as_u16(), &problem["title"]), (503, &json!("Dependency unavailable")));
    std::mem::forget(chat);
}

#[tokio::test]
async fn readiness_says_what_is_left_of_a_provider_s_quota() {
    let headers = [
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-limit-tokens", "30000"),
        ("x-ratelimit-remaining-tokens", "1500"),
    ];
    let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
    let message = json!({ "role": "assistant", "content": "Backups run daily at 03:00 UTC [1]." });
    let body = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
    let Setting { server, .. } = &setting(vec![Reply::Status(200, headers, body)]).await;
    let (status, answer) = server.post("/v1/query", &json!({ "question": QUESTION })).await;
    assert_eq!((status.as_u16(), &answer["mode"]), (200, &json!("generated")), "{answer}");
    let (status, ready) = server.get("/ready").await;
    let checks = ready["checks"].as_array().unwrap();
    let check = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(
        (status.as_u16(), &ready["status"]),
        (200, &json!("ok")),
        "it answers still: {ready}"
    );
    let (chat, table) = (check("chat"), check("table"));
    assert_eq!(chat["quota_left"], 0.05, "{chat}");
    assert_eq!(chat["detail"], "has little quota left: calls will be refused before long");
    assert!(table.get("quota_left").is_none(), "{table}");
}
