//! CloudWatch's embedded metric format: a log line that CloudWatch Logs reads metrics from (Amazon CloudWatch User Guide,
//! "Embedded metric format specification"). Nothing is called, so nothing waits and nothing can fail a request.

use std::sync::OnceLock;

use lectern_telemetry::{instruments, lines};
use metrics_cloudwatch_embedded::{Builder, Collector};

/// The namespace of all deployments.
const NAMESPACE: &str = "Lectern";
/// Most values of a histogram in a line.
const MAX_VALUES: usize = 100;

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Begins to measure, for the function `function` of the stack `stack`. Call it once, in `main`.
pub(crate) fn install(stack: &str, function: &'static str) {
    let builder = Builder::new()
        .cloudwatch_namespace(NAMESPACE)
        .with_dimension("stack", stack.to_owned())
        .with_dimension("function", function);
    // Fails where something is installed already, and then that measures.
    if let Ok(collector) = builder.init() {
        let _ = COLLECTOR.set(collector);
        lines::begin(MAX_VALUES, write);
        instruments::describe();
    }
}

/// Writes what was measured since the last time.
fn write() {
    if let Some(collector) = COLLECTOR.get() {
        // A log that cannot be written is nothing a request should fail of.
        let _ = collector.flush(std::io::stdout().lock());
    }
}
