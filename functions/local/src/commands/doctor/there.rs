//! The parts of a server, as far as it tells them.

use serde::Deserialize;
use serde_json::Value;

use super::Check;
use crate::{
    api::{Api, ApiError, Remote},
    output::harmless,
};

#[derive(Deserialize)]
struct Alive {
    version: String,
}

#[derive(Deserialize)]
struct Readiness {
    checks: Vec<Probe>,
}

#[derive(Deserialize)]
struct Probe {
    name: String,
    status: String,
    latency_ms: f64,
    detail: Option<String>,
}

pub(super) async fn checks(remote: Remote) -> Vec<Check> {
    let base_url = remote.base_url().to_owned();
    let api = Api::Remote(remote);
    let alive = match api.get_json::<Alive>("/health", &[]).await {
        Ok(alive) => {
            let version = harmless(&alive.version);
            Check::ok("server", format!("{base_url} runs version {version}"))
        }
        Err(error) => {
            let fix = "start it, or correct --api or LECTERN_API_URL";
            return vec![Check::fail("server", error.to_string(), fix)];
        }
    };
    let mut checks = vec![alive, key(&api).await];
    checks.extend(dependencies(&api).await);
    checks
}

async fn key(api: &Api) -> Check {
    match api.get_json::<Value>("/v1/collections", &[]).await {
        Ok(_) => Check::ok("key", "is accepted"),
        Err(error) if matches!(error.status(), Some(401 | 403)) => {
            let fix = "pass one with --key or LECTERN_API_KEY; `lectern keys create` makes one";
            Check::fail("key", error.to_string(), fix)
        }
        Err(error) => Check::fail("key", error.to_string(), "see the server's log"),
    }
}

/// A server that is down still says which of its parts is.
async fn dependencies(api: &Api) -> Vec<Check> {
    let ready = async { api.get("/ready").await?.json::<Readiness>().await };
    let told: Result<Readiness, ApiError> = ready.await;
    match told {
        Ok(readiness) => readiness.checks.iter().map(dependency).collect(),
        Err(error) => vec![Check::fail("ready", error.to_string(), "see the server's log")],
    }
}

fn dependency(probe: &Probe) -> Check {
    let detail = harmless(probe.detail.as_deref().unwrap_or("works"));
    let detail = format!("{detail} ({:.1} ms)", probe.latency_ms);
    let name = harmless(&probe.name);
    match probe.status.as_str() {
        "ok" => Check::ok(name, detail),
        "degraded" => Check::warn(name, detail, "see the server's log"),
        _ => Check::fail(name, detail, "see the server's log"),
    }
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, http::StatusCode, routing::get};
    use serde_json::json;

    use super::super::Status;
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_down_says_what_is() {
        let ready = async || {
            let checks = json!([
                {"name": "table", "status": "ok", "latency_ms": 1.0},
                {"name": "index", "status": "down", "latency_ms": 2_000.0, "detail": "does not answer in time"},
            ]);
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "down", "checks": checks})))
        };
        let api = Api::InProcess(Router::new().route("/ready", get(ready)));
        let checks = dependencies(&api).await;
        assert_eq!((checks[0].status, checks[1].status), (Status::Ok, Status::Fail));
        assert!(checks[1].detail.starts_with("does not answer in time"));
    }

    #[tokio::test]
    async fn a_refused_key_is_told_from_a_broken_server() {
        let refuse = async || StatusCode::UNAUTHORIZED;
        let api = Api::InProcess(Router::new().route("/v1/collections", get(refuse)));
        assert!(key(&api).await.fix.unwrap().contains("--key"));
    }
}
