//! Recording and alerting rules for Prometheus: each service level by the method of *The Site Reliability Workbook*, chapter 5
//! ("Multiwindow, Multi-Burn-Rate Alerts").

use std::fmt::Write as _;

use lectern_telemetry::levels::{ALL, Good, Level};

use crate::current;

/// Windows that alerts look at.
const WINDOWS: [&str; 8] = ["5m", "15m", "30m", "1h", "2h", "6h", "1d", "3d"];
/// How fast the budget is spent, the windows that must both say so, what follows, and how much of a month's budget that is.
const BURNS: [(f64, &str, &str, &str, &str); 4] = [
    (14.4, "1h", "5m", "page", "2 % of the budget of a month in an hour"),
    (6.0, "6h", "30m", "page", "5 % of the budget of a month in six hours"),
    (3.0, "1d", "2h", "ticket", "10 % of the budget of a month in a day"),
    (1.0, "3d", "6h", "ticket", "10 % of the budget of a month in three days"),
];
/// Fewer bad events than this in the long window are none: one slow answer at night is no breach.
const LEAST_BAD: u32 = 5;

/// Returns the share of bad events of a level in a window.
fn bad_share(level: &Level, window: &str) -> String {
    let name = level.instrument.name;
    let total = format!("sum(rate({name}_count[{window}]))");
    match level.good {
        Good::AtMost(bound) => {
            format!("1 - sum(rate({name}_bucket{{le=\"{bound}\"}}[{window}])) / {total}")
        }
        Good::Without { .. } => format!("{} / {total}", bad_rate(level, "rate", window)),
    }
}

/// Returns how many bad events there were, by `rate` or `increase`.
fn bad_rate(level: &Level, function: &str, window: &str) -> String {
    let name = level.instrument.name;
    match level.good {
        Good::AtMost(bound) => format!(
            "(sum({function}({name}_count[{window}])) - sum({function}({name}_bucket{{le=\"{bound}\"}}[{window}])))"
        ),
        Good::Without { label, bad } => {
            let values: Vec<String> = bad.iter().map(|begin| format!("{begin}.*")).collect();
            let only = format!("{label}=~\"{}\"", values.join("|"));
            // Nothing bad was ever seen: that is none, not unknown.
            format!("(sum({function}({name}_count{{{only}}}[{window}])) or vector(0))")
        }
    }
}

fn rules() -> String {
    let mut text = String::from(
        "# Generated from shared/lectern-telemetry; see docs/OBSERVABILITY.md. Changes here are overwritten.\ngroups:\n",
    );
    for level in ALL {
        let Level { name, promise, objective, .. } = level;
        let budget = 1.0 - objective;
        writeln!(text, "  - name: level:{name}\n    rules:").unwrap();
        for window in WINDOWS {
            writeln!(text, "      - record: level:{name}:bad_share_{window}").unwrap();
            writeln!(text, "        expr: {}", bad_share(level, window)).unwrap();
        }
        for (burn, long, short, severity, spent) in BURNS {
            let bound = (burn * budget * 10_000.0).round() / 10_000.0;
            // More than everything cannot be bad.
            if bound >= 1.0 {
                continue;
            }
            let bad = bad_rate(level, "increase", long);
            writeln!(text, "      - alert: {}Burns{}", camel(name), camel(severity)).unwrap();
            writeln!(text, "        expr: >-").unwrap();
            writeln!(text, "          level:{name}:bad_share_{long} > {bound}").unwrap();
            writeln!(text, "          and level:{name}:bad_share_{short} > {bound}").unwrap();
            writeln!(text, "          and {bad} >= {LEAST_BAD}").unwrap();
            writeln!(
                text,
                "        labels: {{severity: {severity}, level: {name}, window: {long}}}"
            )
            .unwrap();
            writeln!(text, "        annotations:").unwrap();
            writeln!(text, "          summary: 'Not kept: {promise}'").unwrap();
            writeln!(text, "          description: 'At this rate it spends {spent}.'").unwrap();
            writeln!(text, "          runbook: docs/runbooks/{}.md", runbook(name)).unwrap();
        }
    }
    text.push_str(CAUSES);
    text
}

/// What is no promise, and breaks one before long.
const CAUSES: &str = r#"  - name: causes
    rules:
      - alert: LecternIsGone
        expr: up{job="lectern"} == 0 or absent(up{job="lectern"})
        for: 2m
        labels: {severity: page}
        annotations:
          summary: 'Prometheus cannot read /metrics of Lectern'
          runbook: docs/runbooks/service-down.md
      - alert: DocumentsWait
        expr: max(rag_queue_age_seconds) > 300
        for: 5m
        labels: {severity: ticket}
        annotations:
          summary: 'The oldest document waits {{ $value | humanizeDuration }} to be worked on'
          runbook: docs/runbooks/ingestion-stuck.md
      - alert: NoFreshBackup
        expr: max(rag_backup_age_seconds) > 93600
        labels: {severity: ticket}
        annotations:
          summary: 'The newest backup is {{ $value | humanizeDuration }} old'
          runbook: docs/runbooks/data-loss.md
      - alert: NoRestorationDrill
        expr: max(rag_drill_age_seconds) > 691200
        labels: {severity: ticket}
        annotations:
          summary: 'No backup was restored for a drill for {{ $value | humanizeDuration }}'
          runbook: docs/runbooks/data-loss.md
      - alert: ModelHasNoQuota
        expr: sum(increase(gen_ai_client_operation_duration_seconds_count{error_type="rate_limited"}[5m])) >= 5
        labels: {severity: ticket}
        annotations:
          summary: 'The provider of the models asked to slow down {{ $value | humanize }} times in 5 min'
          runbook: docs/runbooks/model-down.md
      - alert: AnswersDoWithout
        expr: >-
          sum by (stage) (increase(rag_degraded_total[15m])) / ignoring(stage) group_left sum(increase(rag_query_duration_seconds_count[15m])) > 0.5
          and sum by (stage) (increase(rag_degraded_total[15m])) >= 5
        labels: {severity: ticket}
        annotations:
          summary: 'Half of the answers do without {{ $labels.stage }}'
          runbook: docs/runbooks/model-down.md
      - alert: ModelFails
        expr: >-
          sum by (gen_ai_operation_name) (rate(gen_ai_client_operation_duration_seconds_count{error_type!~"ok|cancelled"}[5m]))
          / sum by (gen_ai_operation_name) (rate(gen_ai_client_operation_duration_seconds_count[5m])) > 0.5
          and sum by (gen_ai_operation_name) (increase(gen_ai_client_operation_duration_seconds_count{error_type!~"ok|cancelled"}[5m])) >= 5
        for: 2m
        labels: {severity: page}
        annotations:
          summary: 'Half of the calls of models fail: {{ $labels.gen_ai_operation_name }}'
          runbook: docs/runbooks/model-down.md
      - alert: DependencyFails
        expr: >-
          sum by (dependency) (rate(rag_dependency_duration_seconds_count{outcome=~"timeout|unavailable|rate_limited|unauthenticated|internal"}[5m]))
          / sum by (dependency) (rate(rag_dependency_duration_seconds_count[5m])) > 0.5
          and sum by (dependency) (increase(rag_dependency_duration_seconds_count{outcome=~"timeout|unavailable|rate_limited|unauthenticated|internal"}[5m])) >= 5
        for: 2m
        labels: {severity: page}
        annotations:
          summary: 'Half of the calls of {{ $labels.dependency }} fail'
          runbook: docs/runbooks/high-error-rate.md
"#;

/// Returns the runbook of a level.
pub(crate) fn runbook(level: &str) -> &'static str {
    match level {
        "availability" => "high-error-rate",
        "document_time" | "document_success" => "ingestion-stuck",
        "cost" => "cost-runaway",
        "generation" => "model-down",
        _ => "high-latency",
    }
}

pub(crate) fn camel(name: &str) -> String {
    let mut text = String::new();
    for word in name.split('_') {
        let (first, rest) = word.split_at(1);
        text.push_str(&first.to_uppercase());
        text.push_str(rest);
    }
    text
}

#[test]
fn the_rules_of_prometheus_are_those_of_the_levels() {
    current("infra/prometheus/rules.yaml", &rules());
}
