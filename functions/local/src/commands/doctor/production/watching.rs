//! Whether somebody would notice: `ready.ok`, `metrics.readable`, `logs.level`, `traces.sent`.

use std::time::Duration;

use http::{HeaderValue, header};
use lectern_runtime::telemetry::{self, Traces};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::Level;

use super::{
    Finding,
    bodies::{Key, Probe},
    facts::{Fact, asked},
    place::Place,
};
use crate::{api::Api, output::harmless};

/// How long a collector may take to say anything.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);
/// The modules that write what a request and a job did.
const TELLING: [&str; 2] = ["lectern_app", "lectern_runtime"];
/// A series that every process has.
const KNOWN_SERIES: &str = "# TYPE ";

/// Whether every dependency is well.
pub(super) fn ready(probes: &[Probe]) -> Finding {
    let ill: Vec<&Probe> = probes.iter().filter(|probe| probe.status != "ok").collect();
    if ill.is_empty() {
        return Finding::ok(format!("{} dependencies are well", probes.len()));
    }
    let told = ill.iter().map(|probe| {
        let detail = harmless(probe.detail.as_deref().unwrap_or("is not well"));
        format!("`{}` is {}: {detail}", harmless(&probe.name), harmless(&probe.status))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    let next = "docs/runbooks/README.md says which runbook each has";
    if ill.iter().any(|probe| probe.status != "degraded") {
        return Finding::failed(told, next);
    }
    Finding::attention(told, next)
}

/// Whether somebody may read what is measured, and can.
pub(super) async fn metrics(place: &Place, api: &Api, keys: &Fact<Vec<Key>>) -> Finding {
    let create = "`lectern keys create prometheus --permission monitor --expires-in-days 365`, and give it to Prometheus";
    match (&place.monitor_key, keys) {
        (Some(key), _) => read(api, key).await,
        (None, Err(finding)) => finding.clone(),
        (None, Ok(keys)) => match keys.iter().find(|key| key.may("monitor", place.now)) {
            Some(key) => Finding::skipped(format!(
                "the key `{}` may read /metrics; set LECTERN_MONITOR_KEY to have it tried",
                harmless(&key.name)
            )),
            None => Finding::attention("no key may read /metrics", create),
        },
    }
}

async fn read(api: &Api, key: &SecretString) -> Finding {
    let next = "give it a key that `lectern keys create NAME --permission monitor` made";
    let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())) else {
        return Finding::failed("LECTERN_MONITOR_KEY has characters that no key has", next);
    };
    value.set_sensitive(true);
    let reply = match asked(api.get_with("/metrics", header::AUTHORIZATION, value)).await {
        Ok(reply) => reply,
        Err(finding) => return finding,
    };
    if !reply.status.is_success() {
        return Finding::failed(format!("/metrics answers {}", reply.status), next);
    }
    match asked(reply.text()).await {
        Ok(text) if text.contains(KNOWN_SERIES) => {
            let series = text.lines().filter(|line| !line.starts_with('#')).count();
            Finding::ok(format!("/metrics has {series} series"))
        }
        Ok(_) => Finding::failed("/metrics has no series", "see the server's log"),
        Err(finding) => finding,
    }
}

/// Whether a log says what requests did, and not much more.
pub(super) fn logs(place: &Place) -> Finding {
    let Some(telemetry) = &place.telemetry else {
        return Finding::skipped("it is a setting of the server's process, deployed `LogLevels`");
    };
    judge_levels(telemetry.levels.as_deref().unwrap_or(telemetry::DEFAULT_LEVELS))
}

fn judge_levels(levels: &str) -> Finding {
    let next = "leave LECTERN_LOG out, or set it to `info`; `kill -USR1` makes a running server write more";
    let writes = |level| {
        TELLING
            .iter()
            .map(|target| telemetry::writes(levels, target, level))
            .collect::<Option<Vec<bool>>>()
    };
    match (writes(Level::INFO), writes(Level::DEBUG)) {
        (Some(info), _) if !info.iter().all(|writes| *writes) => {
            let found =
                format!("LECTERN_LOG `{levels}` leaves out lines that say what requests did");
            Finding::attention(found, next)
        }
        (Some(_), Some(debug)) if !debug.contains(&true) => {
            Finding::ok(format!("the log has lines of `{levels}`"))
        }
        (Some(_), Some(_)) => {
            Finding::attention(format!("LECTERN_LOG `{levels}` writes debug lines"), next)
        }
        _ => Finding::attention(
            format!("LECTERN_LOG `{levels}` is more than levels of modules"),
            next,
        ),
    }
}

/// Whether spans go somewhere that takes them.
pub(super) async fn traces(place: &Place) -> Finding {
    match place.telemetry.as_ref().map(|telemetry| &telemetry.traces) {
        None => Finding::skipped("it is a setting of the server's process, deployed `xray`"),
        Some(Traces::None) => {
            let next = "LECTERN_TRACES=otlp:http://COLLECTOR:4318: docs/OBSERVABILITY.md#traces";
            Finding::attention("spans go nowhere", next)
        }
        Some(Traces::Xray) => Finding::ok("spans go to X-Ray"),
        Some(Traces::Otlp { url, .. }) => collector(url).await,
    }
}

async fn collector(url: &str) -> Finding {
    let client = reqwest::Client::builder().timeout(REACH_TIMEOUT).build();
    let answer = match client {
        Ok(client) => client.get(url).send().await,
        Err(error) => Err(error),
    };
    match answer {
        // It takes spans by POST; that somebody answers is enough.
        Ok(_) => Finding::ok(format!("spans go to {url}, which answers")),
        Err(error) => {
            let error = lectern_core::errors::chain(&error.without_url());
            let next =
                "start the collector, or correct LECTERN_TRACES: docs/OBSERVABILITY.md#traces";
            Finding::failed(format!("spans go to {url}, which does not answer: {error}"), next)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::production::Verdict;

    #[test]
    fn a_dependency_that_is_degraded_wants_attention_and_one_that_is_down_fails() {
        let probes = |status: &str| -> Vec<Probe> {
            serde_json::from_value(json!([{ "name": "index", "status": "ok", "detail": null },
                { "name": "backups", "status": status, "detail": "is old" }]))
            .unwrap()
        };
        assert_eq!(ready(&probes("ok")).verdict, Verdict::Ok);
        assert_eq!(ready(&probes("degraded")).verdict, Verdict::Attention);
        let down = ready(&probes("down"));
        assert_eq!(
            (down.verdict, down.found.as_str()),
            (Verdict::Failed, "`backups` is down: is old")
        );
    }

    #[test]
    fn levels_say_what_requests_did_and_not_much_more() {
        for (levels, verdict) in [
            (telemetry::DEFAULT_LEVELS, Verdict::Ok),
            ("info", Verdict::Ok),
            ("warn,lectern_app=info,lectern_runtime=info", Verdict::Ok),
            ("warn", Verdict::Attention),
            ("off", Verdict::Attention),
            ("info,lectern_runtime=error", Verdict::Attention),
            ("debug", Verdict::Attention),
            ("info,lectern_app=debug", Verdict::Attention),
            ("info,[request{id}]=debug", Verdict::Attention),
        ] {
            assert_eq!(judge_levels(levels).verdict, verdict, "{levels}");
        }
    }
}
