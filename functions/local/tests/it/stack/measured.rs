//! What functions write of themselves: metrics as lines of their log, and one trace through the queue.

use lectern_testkit::lambda::{Driver, RestEvent};
use serde_json::{Value, json};

use super::{Stack, send};
use crate::BACKUP;

/// The trace that the gateway says it is, see `RestEvent`.
const ROOT: &str = "5759e988bd862e3fe1be46a994272793";

/// Returns the line CloudWatch reads a metric from. A streamed response is there before its last line.
async fn line(driver: &Driver, metric: &str) -> Value {
    let line: Value = serde_json::from_str(&driver.log_line(metric).await).unwrap();
    assert!(line.get("_aws").is_some() && line.get(metric).is_some(), "{line}");
    line
}

#[tokio::test]
async fn metrics_are_lines_with_few_dimensions_and_a_document_is_one_trace() {
    let mut stack = Stack::start().await;
    stack.set("LECTERN_STACK", "lectern-test");
    let key = stack.key("acme").await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let query = stack.function("query").await;
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
    assert_eq!(send(&upload, event.bytes("text/markdown", BACKUP.as_bytes())).await.status, 202);
    stack.drain(&ingest).await;
    let asked = json!({"question": "When do backups run?"});
    send(&query, RestEvent::post("/v1/query").bearer(&key).json(&asked)).await;

    let duration = line(&query, "rag_query_duration_seconds").await;
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
    let request = line(&query, "http_server_request_duration_seconds").await;
    assert_eq!(request["http_response_status_code"], "200");
    assert!(request.get("http_route").is_none(), "{request}");
    line(&query, "rag_cold_starts_total").await;
    let processed = line(&ingest, "rag_document_processing_seconds").await;
    assert_eq!(processed["outcome"], "ready");

    // The id the gateway gave stands on the lines of both functions: it went through the queue.
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
