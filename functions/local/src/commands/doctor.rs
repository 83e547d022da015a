//! `lectern doctor`: every part is tried, and each line says what to do.

mod deployment;
mod here;
mod production;
mod template;
mod there;

use lectern_core::env::Env;
use serde::Serialize;
use serde_json::json;

use crate::{
    failure::{FAILED, Failure},
    main_arguments::{DoctorArguments, Global},
    output::Output,
    session::{data_directory, remote},
};

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Works.
    Ok,
    /// Works less well than it could.
    Warn,
    /// Does not work.
    Fail,
}

/// What was found about one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    /// The part.
    name: String,
    status: Status,
    /// What was found.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), status: Status::Ok, detail: detail.into(), fix: None }
    }

    fn warn(name: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        let fix = Some(fix.into());
        Self { name: name.into(), status: Status::Warn, detail: detail.into(), fix }
    }

    fn fail(name: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::warn(name, detail, fix) }
    }
}

pub(super) async fn run(
    options: &DoctorArguments,
    global: &Global,
    env: &Env,
    output: &Output,
) -> Result<(), Failure> {
    if options.production {
        return production::run(options, global, env, output).await;
    }
    let checks = match (&options.env, remote(global, env)?) {
        (Some(name), _) => deployment::checks(name, &options.stack, &options.parameter)?,
        (None, Some(remote)) => there::checks(remote).await,
        (None, None) => here::checks(&data_directory(global, env), env).await,
    };
    report(&checks, output)
}

fn report(checks: &[Check], output: &Output) -> Result<(), Failure> {
    let worst = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
    if output.is_json() {
        output.json(&json!({ "status": worst, "checks": checks }))?;
    } else {
        for check in checks {
            output.line(line(check))?;
        }
    }
    if worst == Status::Fail { Err(Failure::Said(FAILED)) } else { Ok(()) }
}

fn line(check: &Check) -> String {
    let status = match check.status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Fail => "FAIL",
    };
    let fix = check.fix.as_ref().map_or_else(String::new, |fix| format!("\n{:17}→ {fix}", ""));
    format!("{status:<5} {:<10} {}{fix}", check.name, check.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_fails() {
        let (output, written) = Output::captured(true);
        let warned = [Check::ok("a", "fine"), Check::warn("b", "slow", "wait")];
        report(&warned, &output).unwrap();
        let failed = [Check::fail("c", "gone", "buy another"), Check::ok("a", "fine")];
        assert_eq!(report(&failed, &output).unwrap_err().exit_code(), FAILED);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let told: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (told[0]["status"].as_str(), told[1]["status"].as_str()),
            (Some("warn"), Some("fail"))
        );
        assert_eq!(told[1]["checks"][0]["fix"], "buy another");
    }

    #[test]
    fn each_line_says_what_to_do() {
        let told = line(&Check::fail("space", "9 MB left", "free some"));
        assert_eq!(told, "FAIL  space      9 MB left\n                 → free some");
    }
}
