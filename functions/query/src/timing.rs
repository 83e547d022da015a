//! The header `Server-Timing` (W3C Recommendation "Server Timing"): what each stage took, where browsers and proxies
//! show it.

use axum::{
    http::HeaderName,
    response::{AppendHeaders, IntoResponseParts},
};
use serde_json::Value;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Returns the header for stages and their milliseconds.
pub(crate) fn server_timing(timings_ms: &Value) -> impl IntoResponseParts + use<> {
    AppendHeaders([(SERVER_TIMING, metrics(timings_ms))])
}

/// Returns `embed;dur=6.1, retrieve;dur=9`.
fn metrics(timings_ms: &Value) -> String {
    let stages = timings_ms.as_object().into_iter().flatten();
    let metrics: Vec<String> =
        stages.map(|(stage, millis)| format!("{stage};dur={millis}")).collect();
    metrics.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_stage_is_a_metric_with_its_duration() {
        let timings = json!({"embed": 6.125, "retrieve": 9.0});
        assert_eq!(metrics(&timings), "embed;dur=6.125, retrieve;dur=9.0");
        assert_eq!(metrics(&Value::Null), "");
    }
}
