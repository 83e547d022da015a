//! What functions write of themselves: metrics as lines of their log, and one trace through the queue.

use lectern_testkit::lambda::{Driver, RestEvent};
use serde_json::{Value, json};

use super::{Stack, send};
use crate::BACKUP;

const ROOT: &str = "6748b3f82f1e7c5a4b3d2e1f0a9b8c27";

/// Returns the lines CloudWatch would read metrics from.
fn embedded(driver: &Driver) -> Vec<Value> {
    let lines = driver.log();
    let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.filter(|line| line.get("_aws").is_some()).collect()
}

/// Returns the line with a metric.
fn with(lines: &[Value], metric: &str) -> Value {
    let found = lines.iter().find(|line| line.get(metric).is_some());
    found.unwrap_or_else(|| panic!("no {metric} in {lines:#?}")).clone()
}

#[tokio::test]
async fn metrics_are_lines_with_few_dimensions_and_a_document_is_one_trace() {
    let mut stack = Stack::start().await;
    stack.set("LECTERN_STACK", "lectern-test");
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let query = stack.function("query").await;
    let header = format!("Root=1-{}-{};Parent=53995c3f42cd8ad8;Sampled=0", &ROOT[..8], &ROOT[8..]);
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
    let event = event.header("x-amzn-trace-id", &header).bytes("text/markdown", BACKUP.as_bytes());
    assert_eq!(send(&upload, event).await.status, 202);
    stack.drain(&ingest).await;
    let asked = json!({"question": "When do backups run?"});
    send(&query, RestEvent::post("/v1/query").bearer(&key).json(&asked)).await;

    let lines = embedded(&query);
    let duration = with(&lines, "rag_query_duration_seconds");
    assert_eq!(
        (&duration["stack"], &duration["function"]),
        (&json!("lectern-test"), &json!("query"))
    );
    let told = &duration["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(told["Namespace"], "Lectern");
    assert_eq!(told["Dimensions"], json!([["stack", "function"]]));
    assert!(duration["rag_query_duration_seconds"][0].as_f64().is_some(), "{duration}");
    // What a label of Prometheus has is no dimension unless it is named one.
    assert!(duration.get("outcome").is_none() && duration.get("cache").is_none(), "{duration}");
    let request = with(&lines, "http_server_request_duration_seconds");
    assert_eq!(request["http_response_status_code"], "200");
    assert!(request.get("http_route").is_none(), "{request}");
    with(&lines, "rag_cold_starts_total");
    let processed = with(&embedded(&ingest), "rag_document_processing_seconds");
    assert_eq!(processed["outcome"], "ready");

    // The id the gateway gave stands on the lines of both functions.
    for (driver, text) in [(&upload, "answered a request"), (&ingest, "document is ready")] {
        let line = driver.log_line(text).await;
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&line["trace_id"], line["level"].as_str()),
            (&json!(ROOT), Some("INFO")),
            "{line}"
        );
    }
}
