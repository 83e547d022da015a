//! What no log line says: questions, answers, passages, keys and secrets. Everything here has a word that is nowhere else, and the
//! log of a whole run, chatty as it can be, is searched for it.

use lectern_testkit::{
    chat::{Reply, ScriptedChat, owned},
    collector::Collector,
};
use serde_json::json;

use crate::{
    gate::create_key,
    process::{PATIENCE, Server},
};

const TEXT: &str =
    "# Whistlemere\n\nThe quokkavale ferry sails at noon. It carries gribblestone.\n";
const QUESTION: &str = "When does the ferry of zibbermoot sail?";
const FOLLOW_UP: &str = "And does it carry frumblewick?";
const REPLY: &str = "The quokkavale ferry sails at noon [1]. It smells of plinthorum.";
const MODEL_KEY: &str = "sk-vexillogrump-1234567890abcdef";
const WRONG_KEY: &str = "lk_01ARZ3NDEKTSV4RRFFQ69G5FAV_snodgrubbleSnodgrubble";
const UNSAID: [&str; 12] = [
    "Whistlemere",
    "quokkavale",
    "gribblestone",
    "zibbermoot",
    "frumblewick",
    "plinthorum",
    "vexillogrump",
    "snodgrubble",
    "dworplet",
    "blimphazard",
    "crundlemop",
    "twaddlespoon",
];

async fn everything_is_done(server: &Server, chat: &ScriptedChat) {
    let id = server.ready("ferry.md", TEXT).await;
    for reply in [
        Reply::tokens(&[REPLY]),
        // The follow-up is rewritten, then answered.
        Reply::tokens(&["Does the quokkavale ferry carry frumblewick?"]),
        Reply::tokens(&[REPLY]),
        Reply::status(500),
        Reply::status(500),
        Reply::status(500),
        Reply::Cut(owned(&["The quokkavale"])),
        Reply::Malformed(owned(&["The quokkavale"])),
        Reply::context_length_exceeded(),
    ] {
        chat.push(reply);
    }
    let (_, first) = server.post("/v1/query", &json!({ "question": QUESTION })).await;
    assert_eq!(first["refused"], false, "{first}");
    let session = &first["session_id"];
    server.post("/v1/query", &json!({ "question": FOLLOW_UP, "session_id": session })).await;
    for stream in [false, true, true, false] {
        let body = json!({ "question": QUESTION, "stream": stream, "cache": false });
        let response = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
        response.text().await.unwrap();
    }
    let comment = json!({ "query_id": first["query_id"], "rating": "down", "comment": "dworplet" });
    assert_eq!(server.post("/v1/feedback", &comment).await.0, 204);
    server.search(QUESTION).await;

    // What is refused, by every reader of bodies and addresses.
    for (path, body) in [
        ("/v1/query", json!({ "question": QUESTION, "blimphazard": 1 })),
        ("/v1/query", json!({ "question": ["blimphazard"] })),
        ("/v1/search", json!({ "question": QUESTION, "filter": { "field": "blimphazard" } })),
        ("/v1/keys", json!({ "name": "blimphazard", "permissions": ["blimphazard"] })),
    ] {
        assert!(server.post(path, &body).await.0.is_client_error(), "{path}");
    }
    assert_eq!(server.get_as(WRONG_KEY, "/v1/documents").await.0, 401);
    server.get("/v1/documents?cursor=crundlemop").await;
    server.upload("broken.pdf", b"%PDF-1.7 crundlemop".to_vec()).await;
    let idempotent = server.request("POST", "/v1/search").header("idempotency-key", "twaddlespoon");
    idempotent.json(&json!({ "question": QUESTION })).send().await.unwrap();
    server.delete(&format!("/v1/documents/{id}")).await;
}

#[tokio::test]
async fn no_line_has_a_question_a_passage_an_answer_a_key_or_a_secret() {
    let data = tempfile::tempdir().unwrap();
    let (chat, collector) = (ScriptedChat::start([]), Collector::start());
    let (url, traces) = (chat.base_url(), collector.setting());
    let key = create_key(data.path(), &["app", "--permission", "query,upload,admin"]);
    let variables = [
        ("LECTERN_LOG", "debug"),
        ("LECTERN_CHAT", "openai:scripted"),
        ("LECTERN_MODEL_URL", url.as_str()),
        ("LECTERN_MODEL_API_KEY", MODEL_KEY),
        ("LECTERN_TRACES", traces.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let server = Server::start(data.path(), &[], &variables).with_key(&key);
    everything_is_done(&server, &chat).await;

    // Spans go the same way as lines, and are searched with them: the last one that is asked for comes last.
    let last = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = server.request("GET", "/v1/documents");
    traced.header("traceparent", format!("00-{last}-00f067aa0ba902b7-01")).send().await.unwrap();
    let _ = collector
        .wait(last, PATIENCE, |spans| spans.iter().any(|span| span.name == "GET /v1/documents"));
    let mut log = server.log();
    let spans = collector.all();
    assert!(spans.len() > 100, "{} spans", spans.len());
    log.extend(spans.iter().map(|span| format!("{span:?}")));
    assert!(log.iter().any(|line| line.contains("DEBUG")), "the log is chatty");
    let secrets: Vec<&str> = key.split('_').skip(2).collect();
    for unsaid in UNSAID.into_iter().chain(secrets) {
        let unsaid = unsaid.to_lowercase();
        let said = log.iter().find(|line| line.to_lowercase().contains(&unsaid));
        assert_eq!(said, None, "{unsaid}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_change_of_the_budget_has_its_fields_and_a_stop_is_said_once() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let key_id = server.key().split('_').nth(1).unwrap().to_owned();
    let body = json!({ "usd_per_day": 0.001, "usd_per_month": null, "stopped": true });
    let changed = server.request("PATCH", "/v1/budget").json(&body).send().await.unwrap();
    assert!(changed.status().is_success());
    let log = server.stop();
    let changed = log.iter().find(|line| line.contains("changed what may be spent")).unwrap();
    let changed: serde_json::Value = serde_json::from_str(changed).unwrap();
    assert_eq!(
        (&changed["usd_per_day"], &changed["usd_per_month"], &changed["stopped"]),
        (&json!("0.001"), &json!("none"), &json!(true)),
        "{changed}"
    );
    assert_eq!(changed["key.id"], json!(key_id), "{changed}");
    let stops = log.iter().filter(|line| line.contains("stopping")).count();
    assert_eq!(stops, 1, "{log:?}");
}

#[tokio::test]
async fn a_sampled_request_has_debug_lines_of_lectern_alone() {
    let data = tempfile::tempdir().unwrap();
    let variables = [("LECTERN_LOG", "info"), ("LECTERN_LOG_SAMPLE", "1")];
    let server = Server::start(data.path(), &["--open"], &variables);
    server.ready("ferry.md", TEXT).await;
    server.post("/v1/query", &json!({ "question": QUESTION })).await;
    let lines = server.log().into_iter();
    let lines = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    let chatty: Vec<_> = lines.filter(|line| line["level"] == "DEBUG").collect();
    assert!(chatty.iter().any(|line| line["message"] == "called a dependency"), "{chatty:#?}");
    for line in &chatty {
        assert!(line["target"].as_str().unwrap().starts_with("lectern_"), "{line}");
    }
}
