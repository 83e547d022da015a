//! An operator has functions that run write more, without a deployment.

use lectern_testkit::lambda::{Driver, RestEvent};
use serde_json::{Value, json};

use super::{Stack, send};
use crate::BACKUP;

/// What a function writes when other lines are wanted of it.
const CHANGED: &str = "log levels were changed";

fn debug_lines(driver: &Driver) -> Vec<Value> {
    let lines = driver.log().into_iter();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["level"] == "DEBUG").collect()
}

#[tokio::test]
async fn debug_lines_are_had_of_functions_that_run_and_say_nothing_of_anybody() {
    let stack = Stack::start().await;
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let (query, admin) = tokio::join!(stack.function("query"), stack.function("admin"));
    let task = json!({ "task": "set_log_levels", "levels": "lectern=debug", "minutes": 30 });
    let asked = admin.invoke(&task).await;
    assert_eq!(asked.json()["levels"], "lectern=debug", "{:?}", asked.outcome);
    let until = asked.json()["until"].as_str().unwrap();
    assert!(until.ends_with('Z'), "{until}");

    // Their first request has each of them look.
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
    assert_eq!(send(&upload, event.bytes("text/markdown", BACKUP.as_bytes())).await.status, 202);
    stack.drain(&ingest).await;
    for _ in 0..2 {
        let body = json!({ "question": "When do backups run?", "cache": false });
        assert_eq!(
            send(&query, RestEvent::post("/v1/query").bearer(&key).json(&body)).await.status,
            200
        );
    }
    for driver in [&upload, &ingest, &query] {
        let line: Value = serde_json::from_str(&driver.log_line(CHANGED).await).unwrap();
        assert!(line["levels"].as_str().unwrap().ends_with(",lectern=debug"), "{line}");
    }
    query.log_line("ranked what the index found").await;
    query.log_line("judged the passages").await;
    let lines = debug_lines(&query);
    let said = |message: &str, field: &str, value: &str| {
        let mut of = lines.iter().filter(|line| line["message"] == message);
        of.any(|line| {
            line[field] == value && line["duration_ms"].is_number() && line["trace_id"].is_string()
        })
    };
    for stage in ["embed", "retrieve", "rerank", "generate"] {
        assert!(said("a stage is over", "stage", stage), "{stage}: {lines:#?}");
    }
    // A name that stands twice on a line is read as one or the other.
    for line in query.log() {
        let once = |name: &str| line.matches(&format!("\"{name}\":")).count() <= 1;
        assert!(["stage", "otel.name", "trace_id", "operation"].into_iter().all(once), "{line}");
    }
    assert!(said("called a dependency", "dependency", "index"), "{lines:#?}");
    assert!(said("called a dependency", "dependency", "table"), "{lines:#?}");
    let all = format!("{lines:?}{:?}", debug_lines(&ingest));
    for unsaid in ["backups run", "03:00", &key] {
        assert!(!all.contains(unsaid), "{unsaid}: {all}");
    }
}
