//! Alarms of CloudWatch for the service levels that functions measure themselves. Availability is the gateway's to tell: its
//! alarms are in infra/observability.yaml.

use std::fmt::Write as _;

use lectern_telemetry::levels::{self, ALL, Good, Level};

use crate::{
    current,
    rules::{camel, runbook},
};

/// A rule: its name, how fast the budget burns, the long and the short window in seconds.
const FAST: (&str, f64, u32, u32) = ("Fast", 6.0, 3_600, 300);
const LOW: (&str, f64, u32, u32) = ("Low", 1.0, 86_400, 7_200);
/// Levels that wake somebody: what whoever asks waits for.
const PAGES: [&Level; 2] = [&levels::FIRST_TOKEN_LEVEL, &levels::ANSWER];
/// Fewer bad events than this in a window are none.
const LEAST_BAD: u32 = 5;
const HEAD: &str = "\
# Generated from shared/lectern-telemetry; see docs/OBSERVABILITY.md. Changes here are overwritten.
AWSTemplateFormatVersion: '2010-09-09'
Description: Alarms of Lectern's service levels that its functions measure

# As in observability.yaml: an alarm waits for two windows, and composites say so once. What whoever asks waits for pages when a
# third of an hour's answers are late; all levels are a ticket when a day spends what it may.

Parameters:
  Name: {Type: String, MaxLength: 49, Description: Name of the stack this belongs to}
  Availability: {Type: String, Description: ARN of the alarm that pages for errors and keeps others quiet}
  TopicArn: {Type: String, Description: Where alarms are sent to}

Resources:
";

/// A series: its id, what of its label it is, its statistic.
struct Series {
    id: String,
    only: Option<(&'static str, &'static str)>,
    statistic: String,
}

/// Returns the series of a level, and its share of bad events as metric math.
fn measured(level: &Level) -> (Vec<Series>, String) {
    let series = |id: &str, only, statistic: &str| Series {
        id: id.to_owned(),
        only,
        statistic: statistic.to_owned(),
    };
    // What has a dimension for its outcome is two metrics, and one of them may never have been.
    let outcomes = [("ready", ("outcome", "ready")), ("failed", ("outcome", "failed"))];
    let is_apart = level.instrument.dimensions.contains(&"outcome");
    match level.good {
        Good::AtMost(bound) if is_apart => {
            let good = format!("TC(:{bound})");
            let all = outcomes.iter().flat_map(|&(name, only)| {
                [
                    series(name, Some(only), "SampleCount"),
                    series(&format!("{name}_good"), Some(only), &good),
                ]
            });
            let total = "(FILL(ready, 0) + FILL(failed, 0))";
            let bad = format!("({total} - FILL(ready_good, 0) - FILL(failed_good, 0))");
            (all.collect(), format!("IF({bad} >= {LEAST_BAD}, {bad} / {total}, 0)"))
        }
        Good::AtMost(bound) => {
            let all = vec![
                series("all", None, "SampleCount"),
                series("good", None, &format!("TC(:{bound})")),
            ];
            (all, format!("IF(all - FILL(good, 0) >= {LEAST_BAD}, 1 - FILL(good, 0) / all, 0)"))
        }
        Good::Without { .. } => {
            let all = outcomes.iter().map(|&(name, only)| series(name, Some(only), "SampleCount"));
            let share = format!(
                "IF(FILL(failed, 0) >= {LEAST_BAD}, failed / (FILL(ready, 0) + failed), 0)"
            );
            (all.collect(), share)
        }
    }
}

fn function(level: &Level) -> &'static str {
    if level.instrument.name.starts_with("rag_document") { "ingest" } else { "query" }
}

fn alarm(level: &Level, rule: (&str, f64, u32, u32), is_long: bool) -> String {
    let (name, burn, long, short) = rule;
    let (window, seconds) = if is_long { ("Long", long) } else { ("Short", short) };
    let bound = (burn * (1.0 - level.objective) * 10_000.0).round() / 10_000.0;
    let (series, share) = measured(level);
    let mut text = String::new();
    writeln!(text, "  {}{name}{window}:", camel(level.name)).unwrap();
    writeln!(text, "    Type: AWS::CloudWatch::Alarm").unwrap();
    writeln!(text, "    Properties:").unwrap();
    writeln!(
        text,
        "      AlarmDescription: Within {} more than {} % broke the promise that {}. docs/runbooks/{}.md",
        if seconds >= 3_600 { format!("{} h", seconds / 3_600) } else { format!("{} min", seconds / 60) },
        (bound * 1_000.0).round() / 10.0,
        level.promise,
        runbook(level.name)
    )
    .unwrap();
    writeln!(text, "      Metrics:").unwrap();
    writeln!(text, "        - Id: share\n          Expression: {share}").unwrap();
    for Series { id, only, statistic } in series {
        let only = only.map(|(label, value)| format!(", {{Name: {label}, Value: {value}}}"));
        writeln!(text, "        - Id: {id}\n          ReturnData: false\n          MetricStat:")
            .unwrap();
        writeln!(text, "            Metric:\n              Namespace: Lectern").unwrap();
        writeln!(text, "              MetricName: {}", level.instrument.name).unwrap();
        writeln!(
            text,
            "              Dimensions: [{{Name: stack, Value: !Ref Name}}, {{Name: function, Value: {}}}{}]",
            function(level),
            only.unwrap_or_default()
        )
        .unwrap();
        writeln!(text, "            Stat: {statistic}\n            Period: {seconds}").unwrap();
    }
    writeln!(text, "      EvaluationPeriods: 1\n      Threshold: {bound}").unwrap();
    writeln!(
        text,
        "      ComparisonOperator: GreaterThanThreshold\n      TreatMissingData: notBreaching"
    )
    .unwrap();
    text
}

fn both(level: &Level, rule: &str) -> String {
    let name = camel(level.name);
    format!("(ALARM(\"${{{name}{rule}Long}}\") AND ALARM(\"${{{name}{rule}Short}}\"))")
}

fn template() -> String {
    let mut text = HEAD.to_owned();
    let measured: Vec<&Level> =
        ALL.into_iter().filter(|level| **level != levels::AVAILABILITY).collect();
    for level in &measured {
        for rule in [FAST, LOW] {
            if rule == LOW || PAGES.contains(level) {
                text += &alarm(level, rule, true);
                text += &alarm(level, rule, false);
            }
        }
    }
    let fast: Vec<String> = PAGES.iter().map(|level| both(level, "Fast")).collect();
    let low: Vec<String> = measured.iter().map(|level| both(level, "Low")).collect();
    write!(
        text,
        "
  Answers:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties:
      AlarmDescription: Pages. A third of the answers of an hour are late. docs/runbooks/high-latency.md
      AlarmActions: [!Ref TopicArn]
      OKActions: [!Ref TopicArn]
      AlarmRule: !Sub >-
        {}
      # What fails is late as well: one cause, one page.
      ActionsSuppressor: !Ref Availability
      ActionsSuppressorWaitPeriod: 300
      ActionsSuppressorExtensionPeriod: 600
  LevelsTicket:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties:
      AlarmDescription: >-
        A ticket for the next working day. A service level spends its budget faster than it may; the alarms this is made of say which.
        docs/runbooks/high-latency.md
      AlarmActions: [!Ref TopicArn]
      AlarmRule: !Sub >-
        {}
      # Who is paged needs no ticket as well.
      ActionsSuppressor: !GetAtt Answers.Arn
      ActionsSuppressorWaitPeriod: 300
      ActionsSuppressorExtensionPeriod: 600
",
        fast.join(" OR\n        "),
        low.join(" OR\n        ")
    )
    .unwrap();
    text
}

#[test]
fn the_alarms_of_cloudwatch_are_those_of_the_levels() {
    current("infra/levels.yaml", &template());
}
