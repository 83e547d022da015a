//! One drill: well → broken → well again.

use std::time::{Duration, Instant};

use lectern_core::breaker::{FAILURES, FIRST_PAUSE};
use lectern_testkit::{lambda::Driver, wire::Fault};
use serde_json::Value;

use super::{Day, send};

/// Questions while something is broken: enough to open a breaker, and one more.
const QUESTIONS: u32 = FAILURES + 1;
/// Longest a question takes, whatever is broken: the table has ten seconds to say who asks, an answer has three, and recording it
/// goes to the table again.
const LONGEST: Duration = Duration::from_secs(15);
/// When all is well after whatever was broken works again: a breaker's pause, and a question.
const RECOVERY: Duration = FIRST_PAUSE.saturating_add(Duration::from_secs(3));

/// What is broken and what follows.
#[derive(Clone, Debug)]
pub(super) struct Drill {
    /// Wires and their faults.
    pub(super) broken: Vec<(&'static str, Fault)>,
    /// Status of a question.
    pub(super) status: u16,
    /// Stages that an answer does without.
    pub(super) without: &'static [&'static str],
    /// What the log says.
    pub(super) log: &'static str,
    /// What is measured: a dependency, or an operation of models, and how its calls end.
    pub(super) measured: Option<(&'static str, &'static str)>,
    /// The alarms that ring when it goes on.
    pub(super) alarms: &'static [&'static str],
}

/// What a question got.
#[derive(Debug)]
struct Got {
    status: u16,
    without: Vec<String>,
    took: Duration,
}

impl Got {
    fn is_well(&self) -> bool {
        self.status == 200 && self.without.is_empty()
    }
}

async fn ask(day: &Day, query: &Driver) -> Got {
    let begun = Instant::now();
    let reply = send(query, day.question()).await;
    let took = begun.elapsed();
    let body = reply.json();
    let without = body["degraded"].as_array().into_iter().flatten();
    let without = without.map(|stage| stage.as_str().unwrap().to_owned()).collect();
    if reply.status == 503 {
        assert!(reply.header("retry-after").is_some(), "{}", reply.text());
    }
    if reply.status == 200 {
        assert!(body["answer"].as_str().unwrap().contains("03:00 UTC"), "{body}");
        assert!(!body["citations"].as_array().unwrap().is_empty(), "{body}");
    }
    Got { status: reply.status, without, took }
}

/// Carries a drill out on a function of its own.
pub(super) async fn carry_out(day: &Day, drill: &Drill) {
    let query = day.function("query").await;
    let got = ask(day, &query).await;
    assert!(got.is_well(), "before {drill:?}: {got:?} {:#?}", query.log());
    for (wire, fault) in &drill.broken {
        day.set(wire, *fault);
    }
    let mut all = Vec::new();
    for _ in 0..QUESTIONS {
        all.push(ask(day, &query).await);
    }
    for (number, got) in all.iter().enumerate() {
        // What is not called any longer is `unavailable`, whatever it was before.
        let is_refused = number >= FAILURES as usize && drill.status >= 500 && got.status == 503;
        assert!(is_refused || got.status == drill.status, "{drill:?}: {all:?}\n{:#?}", query.log());
        if got.status == 200 {
            assert_eq!(got.without, drill.without, "{drill:?}: {:#?}", query.log());
        }
        assert!(got.took < LONGEST, "{drill:?}: {all:?}");
    }
    if !drill.log.is_empty() {
        query.log_line(drill.log).await;
    }
    measured(drill, &query).await;

    day.heal();
    let healed = Instant::now();
    while !ask(day, &query).await.is_well() {
        assert!(healed.elapsed() < RECOVERY, "not well after {drill:?}: {:#?}", query.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A line in which a request is measured. A response is there before it.
const REQUEST: &str = "http_server_request_duration_seconds";

/// Returns the lines in which the function measured the questions since something is broken.
async fn lines(query: &Driver) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let log = query.log();
        let lines = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<Value> = lines.filter(|line| line.get("_aws").is_some()).collect();
        let requests: Vec<&Value> =
            lines.iter().filter(|line| line.get(REQUEST).is_some()).collect();
        if requests.len() > QUESTIONS as usize {
            // All that was measured of a request has its time; the first went well.
            let well = requests[0]["_aws"]["Timestamp"].as_u64().unwrap();
            let after = |line: &Value| line["_aws"]["Timestamp"].as_u64().unwrap() > well;
            return lines.into_iter().filter(after).collect();
        }
        assert!(Instant::now() < until, "not measured: {log:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Looks at what the function measured since something is broken, and whether that rings the alarms when it goes on.
async fn measured(drill: &Drill, query: &Driver) {
    let lines = lines(query).await;
    let samples = |line: &Value, metric: &str| line[metric].as_array().map_or(0, Vec::len);
    let requests = |is_wanted: &dyn Fn(&str) -> bool| -> usize {
        let of = lines
            .iter()
            .filter(|line| line["http_response_status_code"].as_str().is_some_and(is_wanted));
        of.map(|line| samples(line, REQUEST)).sum()
    };
    let (failed, all) = (requests(&|code| code.starts_with('5')), requests(&|_| true));
    let mut rings = Vec::new();
    // 14.4 times the budget of 99.5 %, and five of them at least.
    if failed >= 5 && failed as f64 / all as f64 > 14.4 * 0.005 {
        rings.push("AvailabilityBurnsPage");
    }
    let stages = lines.iter().filter_map(|line| line["rag_degraded_total"].as_u64()).sum::<u64>();
    if stages >= 5 && stages as f64 / (all - failed) as f64 > 0.5 {
        rings.push("AnswersDoWithout");
    }
    let Some((subject, outcome)) = drill.measured else {
        assert_eq!(rings, drill.alarms, "{drill:?}: {failed} of {all}");
        return;
    };
    let is_model = ["chat", "embeddings", "rerank"].contains(&subject);
    let (metric, name, ending) = if is_model {
        ("gen_ai_client_operation_duration_seconds", "gen_ai_operation_name", "error_type")
    } else {
        ("rag_dependency_duration_seconds", "dependency", "outcome")
    };
    let ended = |is_wanted: &dyn Fn(&str) -> bool| -> usize {
        let of = lines
            .iter()
            .filter(|line| line[name] == subject && line[ending].as_str().is_some_and(is_wanted));
        of.map(|line| samples(line, metric)).sum()
    };
    assert!(ended(&|word| word == outcome) > 0, "{drill:?}: {lines:#?}");
    let bad = ended(&|word| word != "ok" && word != "cancelled");
    if bad >= 5 && bad as f64 / ended(&|_| true) as f64 > 0.5 {
        rings.push(if is_model { "ModelFails" } else { "DependencyFails" });
    }
    assert_eq!(rings, drill.alarms, "{drill:?}: {failed} of {all}, {bad} bad calls");
}

#[test]
fn every_alarm_that_a_drill_names_is_a_rule() {
    let rules = include_str!("../../../../../../infra/prometheus/rules.yaml");
    for alarm in ["AnswersDoWithout", "AvailabilityBurnsPage", "DependencyFails", "ModelFails"] {
        assert!(rules.contains(&format!("- alert: {alarm}\n")), "{alarm}");
    }
}
