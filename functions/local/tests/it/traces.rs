//! What a collector hears of a streamed question and of a document, and what happens when it is gone.

use lectern_testkit::{
    chat::{Reply, ScriptedChat, owned},
    collector::{Collector, Span, tree},
};
use serde_json::json;

use crate::process::{PATIENCE, Server};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn traced(server: &Server, method: &str, path: &str) -> reqwest::RequestBuilder {
    server.request(method, path).header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
}

fn named<'spans>(spans: &'spans [Span], name: &str) -> &'spans Span {
    let found = spans.iter().find(|span| span.name == name);
    found.unwrap_or_else(|| panic!("no `{name}` in\n{}", tree(spans)))
}

/// Whether `inner` is somewhere within `outer`.
fn is_within(spans: &[Span], inner: &str, outer: &str) -> bool {
    let outer = &named(spans, outer).id;
    let mut span = named(spans, inner);
    while let Some(parent) = spans.iter().find(|one| one.id == span.parent_id) {
        if parent.id == *outer {
            return true;
        }
        span = parent;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_question_and_a_document_are_one_trace_each() {
    let (data, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let chat =
        ScriptedChat::start([Reply::Tokens(owned(&["Backups run ", "daily at 03:00 UTC [1]."]))]);
    let (setting, url) = (collector.setting(), chat.base_url());
    let variables = [
        ("LECTERN_TRACES", setting.as_str()),
        ("LECTERN_CHAT", "openai:scripted"),
        ("LECTERN_MODEL_URL", url.as_str()),
        // How long the exporter of OpenTelemetry waits for more.
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];
    let server = Server::start(data.path(), &["--open"], &variables);

    let body = json!({ "name": "backup.md", "text": crate::BACKUP });
    let uploaded = traced(&server, "POST", "/v1/documents").json(&body).send().await.unwrap();
    assert_eq!(uploaded.status(), 202);
    let has_both = |spans: &[Span]| {
        ["POST /v1/documents", "document"]
            .iter()
            .all(|name| spans.iter().any(|span| span.name == *name))
    };
    let document = collector.wait(TRACE, PATIENCE, has_both);
    println!("{}", tree(&document));
    assert_eq!(named(&document, "POST /v1/documents").parent_id, PARENT);
    for (inner, outer) in [
        ("authenticate", "POST /v1/documents"),
        ("blobs put", "POST /v1/documents"),
        // The job goes on in the trace of what asked for it.
        ("document", "POST /v1/documents"),
        ("parse", "document"),
        ("chunk", "document"),
        ("index upsert", "index"),
        ("switch", "document"),
    ] {
        assert!(is_within(&document, inner, outer), "{inner} in {outer}\n{}", tree(&document));
    }

    let before = document.len();
    let body = json!({ "question": "When do backups run?", "stream": true });
    let streamed = traced(&server, "POST", "/v1/query").json(&body).send().await.unwrap();
    assert!(streamed.text().await.unwrap().contains("event: done"));
    let has_answer = |spans: &[Span]| spans.iter().any(|span| span.name == "POST /v1/query");
    let asked = collector.wait(TRACE, PATIENCE, has_answer);
    let asked = &asked[before..];
    println!("{}", tree(asked));
    for (inner, outer) in [
        ("authenticate", "POST /v1/query"),
        ("retrieve", "find"),
        ("index search", "retrieve"),
        ("check", "POST /v1/query"),
        ("generate", "POST /v1/query"),
        // The reply is read long after the prompt was sent.
        ("chat scripted", "POST /v1/query"),
        ("verify", "generate"),
        ("record", "POST /v1/query"),
    ] {
        assert!(is_within(asked, inner, outer), "{inner} in {outer}\n{}", tree(asked));
    }
    let chatted = &named(asked, "chat scripted").attributes;
    assert_eq!(chatted["gen_ai.operation.name"], "chat");
    assert_eq!(chatted["gen_ai.request.model"], "scripted");
    assert_eq!(named(asked, "POST /v1/query").attributes["http.response.status_code"], "200");

    // Each line says which trace it is of.
    let lines = server.log();
    let answered = lines.iter().find(|line| line.contains("answered a question")).unwrap();
    assert!(answered.contains(TRACE), "{answered}");
    let ready = lines.iter().find(|line| line.contains("document is ready")).unwrap();
    assert!(ready.contains(TRACE), "{ready}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_changes_nothing() {
    let (data, mut collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let setting = collector.setting();
    collector.stop();
    let variables = [("LECTERN_TRACES", setting.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let server = Server::start(data.path(), &["--open"], &variables);
    server.ready("backup.md", crate::BACKUP).await;
    for _ in 0..50 {
        let (status, answer) =
            server.post("/v1/query", &json!({ "question": "When do backups run?" })).await;
        assert_eq!((status.as_u16(), &answer["refused"]), (200, &false.into()), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_sampled_is_not_sent() {
    let (data, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let setting = format!("{} 0", collector.setting());
    let variables = [("LECTERN_TRACES", setting.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let server = Server::start(data.path(), &["--open"], &variables);
    server.search("backups").await;
    // One that somebody else sampled is followed all the same, and comes after what would have come.
    traced(&server, "GET", "/v1/documents").send().await.unwrap();
    let followed = collector
        .wait(TRACE, PATIENCE, |spans| spans.iter().any(|span| span.name == "GET /v1/documents"));
    assert!(!followed.is_empty());
    assert!(collector.all().iter().all(|span| span.trace_id == TRACE));
}
