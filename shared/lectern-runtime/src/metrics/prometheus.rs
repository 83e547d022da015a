//! Prometheus text, for whoever scrapes it (Prometheus documentation, "Exposition formats").

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use lectern_core::{errors::PortError, time::Timestamp};
use lectern_telemetry::{
    instruments::{self, Kind},
    report::{Measured, Report},
    windows::{self, Window, Windows},
};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// What was measured since the process began. Clones share it.
#[derive(Clone)]
pub struct Prometheus {
    handle: PrometheusHandle,
    windows: &'static Windows,
}

impl std::fmt::Debug for Prometheus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Prometheus")
    }
}

impl Prometheus {
    /// Begins to measure in this process, or returns what began.
    #[must_use]
    pub fn install() -> Self {
        static INSTALLED: OnceLock<Prometheus> = OnceLock::new();
        let installed = INSTALLED.get_or_init(|| {
            let recorder = recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_ok() {
                instruments::describe();
                instruments::begin_at_zero();
            }
            Self { handle, windows: windows::begin(now) }
        });
        installed.clone()
    }

    /// Puts samples into their buckets. For whoever serves, every few seconds: otherwise they wait for somebody to look.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }
}

/// The wall clock: what is counted is looked at by people.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[async_trait]
impl Measured for Prometheus {
    async fn report(&self, now: Timestamp) -> Result<Report, PortError> {
        let month = Duration::from_secs(Window::Month.minutes() * 60);
        let since = Some(self.windows.since).filter(|since| now.since(*since) < month);
        Ok(Report { since, windows: Window::ALL.map(|window| self.windows.tallies(window, now)) })
    }

    async fn exposition(&self, _: Timestamp) -> Result<String, PortError> {
        self.tidy();
        Ok(self.handle.render())
    }
}

/// Returns the recorder of [`Prometheus`], not installed.
///
/// # Panics
/// Never: every histogram has buckets, which a test says.
#[must_use]
pub fn recorder() -> PrometheusRecorder {
    let mut builder = PrometheusBuilder::new();
    for instrument in instruments::ALL.into_iter().filter(|one| one.kind == Kind::Histogram) {
        let name = Matcher::Full(instrument.name.to_owned());
        builder = builder
            .set_buckets_for_metric(name, instrument.buckets)
            .expect("every histogram has buckets, which a test says");
    }
    builder.build_recorder()
}

#[cfg(test)]
mod tests {
    use lectern_telemetry::instruments::{FIRST_TOKEN, QUERY_ERRORS};

    use super::*;

    #[test]
    fn counters_and_buckets_are_read_back() {
        let recorder = recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            instruments::describe();
            QUERY_ERRORS.add(3, &[("kind", "timeout")]);
            FIRST_TOKEN.record(2.5, &[]);
        });
        handle.run_upkeep();
        let text = handle.render();
        for line in [
            "# TYPE rag_query_errors_total counter",
            r#"rag_query_errors_total{kind="timeout"} 3"#,
            "# TYPE rag_first_token_seconds histogram",
            r#"rag_first_token_seconds_bucket{le="2"} 0"#,
            r#"rag_first_token_seconds_bucket{le="3"} 1"#,
            r#"rag_first_token_seconds_bucket{le="+Inf"} 1"#,
            "rag_first_token_seconds_sum 2.5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
