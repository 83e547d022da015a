//! Secrets in commits: Kingfisher reads every version of every file that a branch or a tag reaches.
//!
//! That is what a push would give away. What git ignores is not looked at: a developer's own `.env` may hold keys, and stays
//! where it is. Nothing is sent anywhere, and no value that was found is printed. Test keys are known by their digest, so
//! that the same value may move and another one in its place is found.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{steps, tools};

/// Our own forms of secrets, besides those that Kingfisher knows.
const RULES: &str = "infra/xtask/supply/secrets.yml";
/// Values that look like secrets and are none.
const KNOWN: &str = "infra/xtask/supply/known-secrets.txt";
/// Where the history is read.
const HISTORY: &str = "target/supply/history.git";
/// Compiled rules, so that the next run takes them as they are.
const RULE_CACHE: &str = "target/supply/rules";
/// Kingfisher's exit code when it found something.
const FOUND: i32 = 200;

/// A value that looks like a secret. Says where it stands, not what it is.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    rule: String,
    place: String,
    digest: String,
}

/// Fails when a commit holds a secret that is not known.
pub(crate) fn run(root: &Path) -> Result<()> {
    // A source archive has no history; before a release there must be all of it, see below.
    if git(root, &["rev-parse", "--git-dir"]).is_err() {
        println!("there is no history here: nothing was looked at");
        return Ok(());
    }
    if is_shallow(root)? {
        println!("only the newest commits are in this clone: older ones were not looked at");
    }
    let known = fs::read_to_string(root.join(KNOWN)).with_context(|| format!("{KNOWN} is gone"))?;
    let known = parse_known(&known)?;
    let found = parse_report(&scan(root)?)?;
    let unknown: Vec<_> =
        found.iter().filter(|finding| !known.contains_key(&finding.digest)).collect();
    for Finding { rule, place, digest } in &unknown {
        println!("{place}: {rule}, SHA-256 {digest}");
    }
    if !unknown.is_empty() {
        bail!(
            "{} findings: revoke a secret first, it counts as stolen, then rewrite the commits; if it is none, its digest and \
             the reason go into {KNOWN}",
            unknown.len()
        );
    }
    println!("no secret in any commit; {} known values that are none", found.len());
    Ok(())
}

/// Fails in a clone that has only the newest commits.
pub(crate) fn require_whole_history(root: &Path) -> Result<()> {
    if is_shallow(root)? {
        bail!("only the newest commits are in this clone: git fetch --unshallow");
    }
    Ok(())
}

fn is_shallow(root: &Path) -> Result<bool> {
    Ok(git(root, &["rev-parse", "--is-shallow-repository"])? == "true")
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let printed = steps::output(Command::new("git").current_dir(root).args(arguments))?;
    Ok(printed.trim_end().to_owned())
}

/// Returns Kingfisher's report, which holds the values: it is never written anywhere.
fn scan(root: &Path) -> Result<String> {
    let history = root.join(HISTORY);
    copy_history(root, &history)?;
    let mut kingfisher = tools::SUPPLY.tool(root, "kingfisher");
    kingfisher.args(["scan", "--format", "json", "--quiet", "--git-history", "full"]);
    // No value is tried out with whom it may belong to, and no comment in a file decides what is a secret.
    kingfisher.args(["--no-validate", "--no-update-check", "--no-ignore"]);
    kingfisher.args(["--rules-path", RULES]).arg(&history);
    kingfisher.env("KF_RULE_CACHE_DIR", root.join(RULE_CACHE)).stderr(Stdio::inherit());
    let output = kingfisher.output().context("could not start `kingfisher`")?;
    match output.status.code() {
        Some(0 | FOUND) => {}
        _ => bail!("`kingfisher scan` ended with {}", output.status),
    }
    String::from_utf8(output.stdout).context("`kingfisher scan` did not print UTF-8")
}

/// Clones what can be reached: Kingfisher would read what was taken back and not yet collected, too. A path instead of an
/// address would bring that along.
fn copy_history(root: &Path, history: &Path) -> Result<()> {
    if history.exists() {
        fs::remove_dir_all(history).with_context(|| format!("{HISTORY} cannot be replaced"))?;
    }
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--mirror"]).arg(format!("file://{}", root.display()));
    steps::run(git.arg(history))
}

/// Reads `findings` of a report. A finding of another form than expected is an error, not nothing.
fn parse_report(report: &str) -> Result<Vec<Finding>> {
    let report: Value = serde_json::from_str(report).context("the report is not JSON")?;
    let findings = report["findings"].as_array().context("the report has no `findings`")?;
    findings
        .iter()
        .map(|finding| parse_finding(finding).context("a finding is incomplete"))
        .collect()
}

fn parse_finding(value: &Value) -> Option<Finding> {
    let finding = &value["finding"];
    let path = finding["path"].as_str()?;
    let line = &finding["line"];
    let place = match finding["git_metadata"]["commit"]["id"].as_str() {
        Some(commit) => format!("{path}:{line} in commit {commit}"),
        None => format!("{path}:{line}"),
    };
    let digest = Sha256::digest(finding["snippet"].as_str()?.as_bytes());
    let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Finding { rule: value["rule"]["id"].as_str()?.to_owned(), place, digest })
}

/// Reads lines of a digest and why it is no secret; `#` begins a comment.
fn parse_known(text: &str) -> Result<BTreeMap<String, String>> {
    let mut known = BTreeMap::new();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(' ') {
            Some((digest, reason)) if digest.len() == 64 => {
                known.insert(digest.to_owned(), reason.trim().to_owned());
            }
            _ => bail!("{KNOWN}: not a digest and a reason: {line}"),
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"findings": [{"rule": {"id": "lectern.api-key"}, "finding": {"snippet": "abc",
        "line": 3, "path": "docs/a.md", "git_metadata": {"commit": {"id": "c0ffee"}}}}], "audit": {}}"#;
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_finding_says_where_it_stands_and_not_what_it_is() {
        let found = parse_report(REPORT).unwrap();
        assert_eq!(
            found,
            [Finding {
                rule: "lectern.api-key".to_owned(),
                place: "docs/a.md:3 in commit c0ffee".to_owned(),
                digest: ABC.to_owned()
            }]
        );
    }

    #[test]
    fn a_report_of_another_form_is_an_error() {
        for other in ["", "{}", r#"{"findings": [{"rule": {"id": "x"}, "finding": {"line": 1}}]}"#]
        {
            assert!(parse_report(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_known_value_has_a_reason() {
        let known = parse_known(&format!("# why\n\n{ABC} a test's\n")).unwrap();
        assert_eq!(known.get(ABC).map(String::as_str), Some("a test's"));
        assert!(parse_known(ABC).is_err());
        assert!(parse_known("abc a test's").is_err());
    }
}
