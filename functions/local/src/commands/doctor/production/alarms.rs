//! Whether alarms reach somebody: `alarms.sent`.

use std::{collections::BTreeSet, time::Duration};

use lectern_core::errors::chain;
use reqwest::Client;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Finding, place::Place};

/// The rules that Lectern brings.
const RULES: &str = include_str!("../../../../../../infra/prometheus/rules.yaml");
/// How long Prometheus may take.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Alarms that are named at most.
const MAX_NAMED: usize = 3;

/// What Prometheus's API answers (Prometheus documentation, "HTTP API").
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Managers {
    active_alertmanagers: Vec<serde_json::Value>,
}

/// Whether Prometheus has Lectern's alarms, and somebody to tell them to.
pub(super) async fn sent(place: &Place) -> Finding {
    let Some(url) = &place.prometheus else {
        let why = "name the Prometheus that watches it with --prometheus; on AWS see docs/PRODUCTION.md#observability";
        return Finding::skipped(why);
    };
    match ask(url.trim_end_matches('/')).await {
        Ok((rules, managers)) => judge(&rules, managers),
        Err(error) => {
            let found = format!("{url} does not answer: {}", chain(&error.without_url()));
            Finding::failed(found, "start Prometheus, or correct --prometheus")
        }
    }
}

/// Returns the alarms that Prometheus has, and how many it tells.
async fn ask(url: &str) -> Result<(BTreeSet<String>, usize), reqwest::Error> {
    let client = Client::builder().timeout(ANSWER_TIME).build()?;
    let groups: Groups = get(&client, format!("{url}/api/v1/rules?type=alert")).await?;
    let managers: Managers = get(&client, format!("{url}/api/v1/alertmanagers")).await?;
    let rules = groups.groups.into_iter().flat_map(|group| group.rules);
    Ok((rules.map(|rule| rule.name).collect(), managers.active_alertmanagers.len()))
}

async fn get<T: DeserializeOwned>(client: &Client, url: String) -> Result<T, reqwest::Error> {
    let answer: Answer<T> = client.get(url).send().await?.error_for_status()?.json().await?;
    Ok(answer.data)
}

fn judge(rules: &BTreeSet<String>, managers: usize) -> Finding {
    let wanted = wanted();
    let missing: Vec<&&str> = wanted.iter().filter(|name| !rules.contains(**name)).collect();
    if !missing.is_empty() {
        let named: Vec<String> =
            missing.iter().take(MAX_NAMED).map(|name| format!("`{name}`")).collect();
        let found = format!(
            "Prometheus lacks {} of {} alarms: {}",
            missing.len(),
            wanted.len(),
            named.join(", ")
        );
        let next = "load infra/prometheus/rules.yaml of this release by `rule_files`";
        return Finding::failed(found, next);
    }
    if managers == 0 {
        let next = "name an Alertmanager under `alerting` in Prometheus's configuration";
        return Finding::failed("Prometheus has the alarms and tells them to nobody", next);
    }
    Finding::ok(format!(
        "Prometheus has {} alarms and tells {managers} Alertmanagers",
        wanted.len()
    ))
}

/// Returns the names of Lectern's alarms.
fn wanted() -> BTreeSet<&'static str> {
    RULES.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::production::Verdict;

    #[test]
    fn alarms_that_are_not_loaded_or_told_fail() {
        let all: BTreeSet<String> = wanted().into_iter().map(str::to_owned).collect();
        assert!(all.len() > 10 && all.contains("NoFreshBackup"), "{all:?}");
        assert_eq!(judge(&all, 1).verdict, Verdict::Ok);
        assert_eq!(judge(&all, 0).verdict, Verdict::Failed);
        let mut fewer = all.clone();
        fewer.remove("NoFreshBackup");
        let found = judge(&fewer, 1);
        assert!(
            found.verdict == Verdict::Failed && found.found.ends_with("`NoFreshBackup`"),
            "{found:?}"
        );
    }
}
