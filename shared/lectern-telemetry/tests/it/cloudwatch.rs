//! The dashboards for CloudWatch, as a nested stack. A metric stands there once for each combination of its dimensions: a panel
//! searches for all of them (Amazon CloudWatch User Guide, "Dashboard body structure and syntax").

use lectern_telemetry::{
    instruments::{Instrument, Kind, Unit},
    levels::{Good, Level},
};
use serde_json::{Value, json};

use crate::{
    current,
    panels::{Board, Panel, Place, Shows, boards, bound},
    sorted,
};

const HEIGHT: usize = 6;
const PERIOD: usize = 300;
const HOUR: usize = 3_600;

/// Returns a search for an instrument in all functions.
fn search(instrument: &Instrument, statistic: &str) -> String {
    search_each(instrument, statistic, PERIOD)
}

/// As [`search`], with a value for each `period` of seconds.
fn search_each(instrument: &Instrument, statistic: &str, period: usize) -> String {
    let dimensions = ["stack", "function"].into_iter().chain(instrument.dimensions.iter().copied());
    let schema = dimensions.collect::<Vec<_>>().join(",");
    let name = instrument.name;
    format!(
        "SEARCH('{{Lectern,{schema}}} MetricName=\"{name}\" stack=\"${{Name}}\"', '{statistic}', {period})"
    )
}

fn series(at: usize, expression: &str, label: &str, is_shown: bool) -> Value {
    json!([{"expression": expression, "id": format!("e{at}"), "label": label, "visible": is_shown}])
}

fn widget(place: Place, panel: &Panel) -> Value {
    let (title, metrics, axis, line, period) = match panel {
        Panel::Kept(level) => (
            level.promise,
            kept(level),
            json!({"left": {"min": 0, "max": 100, "label": "%"}}),
            None,
            PERIOD,
        ),
        Panel::Of { title, instrument, shows } => (
            *title,
            measured(instrument, *shows),
            json!({"left": {"min": 0, "label": unit(instrument, *shows)}}),
            bound(instrument, *shows),
            if matches!(shows, Shows::Sum(_)) { HOUR } else { PERIOD },
        ),
    };
    let mut properties = json!({
        "title": title, "view": "timeSeries", "region": "${AWS::Region}", "period": period,
        "metrics": metrics, "yAxis": axis,
    });
    if let Some(value) = line {
        properties["annotations"] = json!({"horizontal": [{"label": "promised", "value": value}]});
    }
    json!({
        "type": "metric",
        "x": place.x, "y": place.y, "width": place.width, "height": place.height,
        "properties": properties,
    })
}

/// Returns what stands at the axis: an expression has no unit of its own.
fn unit(instrument: &Instrument, shows: Shows) -> &'static str {
    match (shows, instrument.unit) {
        (Shows::Rate(_), _) => "in 5 min",
        (_, Unit::Seconds) => "s",
        (_, Unit::Milliseconds) => "ms",
        (_, Unit::Dollars) => "$",
        (_, Unit::Ratio) => "share",
        (_, Unit::Count) => "",
    }
}

fn kept(level: &Level) -> Vec<Value> {
    let total = format!("SUM({})", search(level.instrument, "SampleCount"));
    let share = match level.good {
        Good::AtMost(bound) => {
            let good = format!("SUM({})", search(level.instrument, &format!("TC(:{bound})")));
            return vec![
                series(0, &total, "all", false),
                series(1, &good, "good", false),
                series(2, "100 * e1 / e0", "as promised", true),
                series(3, &(level.objective * 100.0).to_string(), "objective", true),
            ];
        }
        Good::Without { label, bad } => {
            let values: Vec<String> = if bad == ["5"] {
                ["500", "502", "503", "504"].map(|code| format!("\"{code}\"")).to_vec()
            } else {
                bad.iter().map(|value| format!("\"{value}\"")).collect()
            };
            search(level.instrument, "SampleCount")
                .replace("\"${Name}\"", &format!("\"${{Name}}\" {label}=({})", values.join(" OR ")))
        }
    };
    vec![
        series(0, &total, "all", false),
        series(1, &format!("SUM({share})"), "bad", false),
        series(2, "100 * (1 - FILL(e1, 0) / e0)", "as promised", true),
        series(3, &(level.objective * 100.0).to_string(), "objective", true),
    ]
}

fn measured(instrument: &Instrument, shows: Shows) -> Vec<Value> {
    let count = if instrument.kind == Kind::Counter { "Sum" } else { "SampleCount" };
    match shows {
        Shows::Rate(Some(label)) if instrument.dimensions.contains(&label) => {
            let found = search(instrument, count);
            vec![series(0, &found, &format!("${{!PROP('Dim.{label}')}}"), true)]
        }
        Shows::Rate(_) => {
            vec![series(0, &format!("SUM({})", search(instrument, count)), "events", true)]
        }
        Shows::Slowest(label) => {
            let found = search(instrument, "p95");
            vec![series(0, &found, &format!("${{!PROP('Dim.{label}')}}"), true)]
        }
        // A percentile of percentiles is none: each function has its own.
        Shows::Percentiles => ["p50", "p95", "p99"]
            .into_iter()
            .enumerate()
            .map(|(at, statistic)| {
                series(
                    at,
                    &search(instrument, statistic),
                    &format!("{statistic} ${{!PROP('Dim.function')}}"),
                    true,
                )
            })
            .collect(),
        Shows::Sum(Some(label)) if instrument.dimensions.contains(&label) => {
            let found = search_each(instrument, "Sum", HOUR);
            vec![series(0, &found, &format!("${{!PROP('Dim.{label}')}}"), true)]
        }
        Shows::Sum(_) => {
            let found = search_each(instrument, "Sum", HOUR);
            vec![series(0, &format!("SUM({found})"), "all", true)]
        }
        Shows::Last => {
            vec![series(0, &format!("MAX({})", search(instrument, "Maximum")), "now", true)]
        }
        Shows::Mean => vec![
            series(0, &format!("SUM({})", search(instrument, "Sum")), "sum", false),
            series(1, &format!("SUM({})", search(instrument, "SampleCount")), "count", false),
            series(2, "e0 / e1", "mean", true),
        ],
    }
}

fn resource(board: &Board) -> String {
    let placed = board.placed(HEIGHT, HEIGHT).into_iter();
    let widgets: Vec<Value> = placed.map(|(place, panel)| widget(place, &panel)).collect();
    let body = serde_json::to_string_pretty(&sorted(json!({ "widgets": widgets }))).unwrap();
    let body: String = body.lines().map(|line| format!("        {line}\n")).collect();
    let (id, name) = (board.title.split(' ').skip(1).map(capital).collect::<String>(), board.name);
    format!(
        "  {id}:\n    Type: AWS::CloudWatch::Dashboard\n    Properties:\n      DashboardName: !Sub '${{Name}}-{name}'\n      DashboardBody: !Sub |\n{body}"
    )
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn the_dashboards_of_cloudwatch_are_those_of_the_panels() {
    let head = "# Generated from shared/lectern-telemetry; see docs/OBSERVABILITY.md. Changes here are overwritten.\n\
        AWSTemplateFormatVersion: '2010-09-09'\n\
        Description: Lectern's dashboards, one for each who looks\n\n\
        Parameters:\n  Name: {Type: String, MaxLength: 49, Description: Name of the stack this belongs to}\n\n\
        Resources:\n";
    let resources: Vec<String> = boards().iter().map(resource).collect();
    current("infra/dashboards.yaml", &format!("{head}{}", resources.join("\n")));
}
