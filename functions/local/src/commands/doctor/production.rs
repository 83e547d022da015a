//! `lectern doctor --production`: the lines of docs/PRODUCTION.md that can be proved from where it stands.
//!
//! | module | lines |
//! |---|---|
//! | `access` | `keys.…`: who may call |
//! | `money` | `money.…` |
//! | `models` | `models.…` |
//! | `backups` | `backups.…` |
//! | `keeping` | `retention.…` |
//! | `watching`, `alarms` | `ready.ok`, `metrics.readable`, `logs.level`, `traces.sent`, `alarms.sent` |
//! | `documents` | `documents.…` |
//! | `index` | `index.passages` |
//! | `security` | `audit.chain`, `tls.used`, `origins.listed` |
//! | `place`, `facts`, `bodies` | where it stands, and what it asked there |

mod access;
mod alarms;
mod backups;
mod bodies;
mod documents;
mod facts;
mod index;
mod keeping;
pub(super) mod models;
mod money;
mod place;
mod security;
mod watching;

use lectern_core::env::Env;
use serde::Serialize;
use serde_json::json;

use self::{
    facts::{Facts, of},
    place::Place,
};
use crate::{
    api::Api,
    failure::{FAILED, Failure},
    main_arguments::{DoctorArguments, Global},
    output::Output,
    text_table::{Align, text_table},
};

/// The lines, in the order of docs/PRODUCTION.md.
const IDS: [&str; 28] = [
    "place.opens",
    "keys.accepted",
    "keys.required",
    "keys.admin_expiry",
    "keys.pepper",
    "money.limits",
    "money.left",
    "models.prices",
    "backups.fresh",
    "backups.drill",
    "backups.whole",
    "backups.encrypted",
    "backups.apart",
    "retention.documents",
    "retention.audit",
    "ready.ok",
    "metrics.readable",
    "logs.level",
    "traces.sent",
    "alarms.sent",
    "models.reachable",
    "models.named",
    "documents.failed",
    "documents.stuck",
    "index.passages",
    "audit.chain",
    "tls.used",
    "origins.listed",
];

/// How a line came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// It cannot be looked at from here.
    Skipped,
    /// As it should be.
    Ok,
    /// Works, and somebody should decide or mend something.
    Attention,
    /// Not fit for production.
    Failed,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Attention => "attention",
            Self::Failed => "FAILED",
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    verdict: Verdict,
    /// One sentence; of a line that was skipped why.
    found: String,
    /// What to do: a command, or where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    fn ok(found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, found: found.into(), next: None }
    }

    fn skipped(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, ..Self::ok(why) }
    }

    fn attention(found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { verdict: Verdict::Attention, found: found.into(), next: Some(next.into()) }
    }

    fn failed(found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, ..Self::attention(found, next) }
    }
}

/// A line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Line {
    id: &'static str,
    #[serde(flatten)]
    finding: Finding,
}

pub(super) async fn run(
    options: &DoctorArguments,
    global: &Global,
    env: &Env,
    output: &Output,
) -> Result<(), Failure> {
    let place = Place::open(options, global, env).await?;
    let (findings, code) = match &place.api {
        Ok(api) => (findings(&place, api).await, FAILED),
        Err(shut) => (nothing_but(&shut.finding), shut.code),
    };
    let lines: Vec<Line> =
        IDS.into_iter().zip(findings).map(|(id, finding)| Line { id, finding }).collect();
    place.close().await?;
    report(&lines, code, output)
}

/// Returns what was found, in the order of the lines.
async fn findings(place: &Place, api: &Api) -> [Finding; IDS.len()] {
    let facts = Facts::gather(place, api).await;
    [
        place.opens(api).await,
        access::accepted(place, api).await,
        access::required(place).await,
        of(&facts.keys, |keys| access::admin_expiry(keys, place.now)),
        access::pepper(place),
        of(&facts.budget, money::limits),
        of(&facts.budget, money::left),
        models::prices(place),
        of(&facts.backups, |backups| backups::fresh(backups, place.now)),
        of(&facts.backups, |backups| backups::drill(backups, place.now)),
        backups::whole(api, &facts.backups).await,
        backups::encrypted(place, &facts.backups),
        backups::apart(place),
        of(&facts.collections, |collections| keeping::documents(collections)),
        keeping::audit(place),
        of(&facts.ready, |probes| watching::ready(probes)),
        watching::metrics(place, api, &facts.keys).await,
        watching::logs(place),
        watching::traces(place).await,
        alarms::sent(place).await,
        of(&facts.ready, |probes| models::reachable(probes)),
        of(&facts.collections, |collections| models::named(place, collections)),
        of(&facts.documents, documents::failed),
        of(&facts.documents, |documents| documents::stuck(documents, place.now)),
        index::passages(place, api, &facts).await,
        security::chain(place, api).await,
        security::tls(place),
        security::origins(api).await,
    ]
}

/// Returns what is left to say where nothing could be opened.
fn nothing_but(shut: &Finding) -> [Finding; IDS.len()] {
    IDS.map(|id| match id {
        "place.opens" => shut.clone(),
        _ => Finding::skipped("nothing could be opened: see `place.opens`"),
    })
}

/// Prints the lines; fails when one failed, with `code`.
fn report(lines: &[Line], code: u8, output: &Output) -> Result<(), Failure> {
    let count = |verdict| lines.iter().filter(|line| line.finding.verdict == verdict).count();
    let worst = lines.iter().map(|line| line.finding.verdict).max().unwrap_or(Verdict::Skipped);
    if output.is_json() {
        output.json(&json!({ "verdict": worst, "checks": lines }))?;
    } else {
        let columns = [("VERDICT", Align::Left), ("CHECK", Align::Left), ("FOUND", Align::Left)];
        let rows: Vec<Vec<String>> = lines.iter().flat_map(rows).collect();
        text_table(&columns, &rows).into_iter().try_for_each(|row| output.line(row))?;
        output.line(format_args!(
            "{} ok, {} want attention, {} failed, {} skipped; docs/PRODUCTION.md says how each is proved by hand",
            count(Verdict::Ok),
            count(Verdict::Attention),
            count(Verdict::Failed),
            count(Verdict::Skipped)
        ))?;
    }
    if worst == Verdict::Failed { Err(Failure::Said(code)) } else { Ok(()) }
}

/// Returns a line of the table, and one below it that says what to do.
fn rows(line: &Line) -> Vec<Vec<String>> {
    let Line { id, finding: Finding { verdict, found, next } } = line;
    let first = vec![verdict.as_str().to_owned(), (*id).to_owned(), found.clone()];
    let next = next.iter().map(|next| vec![String::new(), String::new(), format!("→ {next}")]);
    std::iter::once(first).chain(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &'static str, finding: Finding) -> Line {
        Line { id, finding }
    }

    #[test]
    fn only_what_failed_fails_and_says_what_to_do() {
        let (output, written) = Output::captured(false);
        let fine = [
            line("a.a", Finding::ok("fine")),
            line("b.b", Finding::attention("late", "hurry")),
            line("c.c", Finding::skipped("not here")),
        ];
        report(&fine, FAILED, &output).unwrap();
        let failed = [line("d.d", Finding::failed("gone", "buy another"))];
        assert_eq!(report(&failed, 4, &output).unwrap_err().exit_code(), 4);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(text.contains("attention  b.b    late\n                  → hurry\n"), "{text}");
        assert!(text.contains("1 ok, 1 want attention, 0 failed, 1 skipped"), "{text}");
        assert!(text.contains("FAILED   d.d    gone\n"), "{text}");
    }

    #[test]
    fn the_worst_line_is_the_verdict_of_the_whole() {
        let (output, written) = Output::captured(true);
        let lines = [line("a.a", Finding::skipped("x")), line("b.b", Finding::attention("y", "z"))];
        report(&lines, FAILED, &output).unwrap();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["verdict"], "attention");
        assert_eq!(told["checks"][1]["id"], "b.b");
        assert_eq!(told["checks"][1]["next"], "z");
    }

    #[test]
    fn every_line_is_there_when_nothing_opens() {
        let lines = nothing_but(&Finding::failed("no", "yes"));
        assert_eq!(lines.len(), IDS.len());
        assert_eq!(lines[0].verdict, Verdict::Failed);
        assert!(lines[1..].iter().all(|line| line.verdict == Verdict::Skipped));
    }
}
