//! The dashboards for Grafana, over Prometheus.

use lectern_telemetry::instruments::{Instrument, Kind, Unit};
use serde_json::{Value, json};

use crate::{
    current,
    panels::{Board, Panel, Shows, boards},
    sorted,
};

const WIDTH: usize = 12;
const HEIGHT: usize = 8;

fn dashboard(board: &Board) -> Value {
    let panels: Vec<Value> =
        board.panels.iter().enumerate().map(|(at, panel)| drawn(at, panel)).collect();
    json!({
        "uid": format!("lectern-{}", board.name),
        "title": board.title,
        "tags": ["lectern"],
        "schemaVersion": 39,
        "editable": false,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{
            "name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus",
        }]},
        "panels": panels,
    })
}

fn drawn(at: usize, panel: &Panel) -> Value {
    let (title, description, kind, unit, targets, bounds) = match panel {
        Panel::Kept(level) => (
            level.promise.to_owned(),
            format!(
                "Share of the last hour, day and 3 days that was as promised: {:.1} % must be.",
                level.objective * 100.0
            ),
            "stat",
            "percentunit",
            ["1h", "1d", "3d"]
                .map(|window| {
                    (format!("1 - level:{}:bad_share_{window}", level.name), window.to_owned())
                })
                .to_vec(),
            json!({"mode": "absolute", "steps": [
                {"color": "red", "value": null}, {"color": "green", "value": level.objective},
            ]}),
        ),
        Panel::Of { title, instrument, shows } => (
            (*title).to_owned(),
            instrument.help.to_owned(),
            "timeseries",
            unit(instrument, *shows),
            expressions(instrument, *shows),
            json!({"mode": "absolute", "steps": [{"color": "green", "value": null}]}),
        ),
    };
    let targets: Vec<Value> = targets
        .into_iter()
        .enumerate()
        .map(|(at, (expr, legend))| {
            let letter = char::from(b'A' + u8::try_from(at).unwrap());
            json!({"refId": letter.to_string(), "expr": expr, "legendFormat": legend})
        })
        .collect();
    json!({
        "id": at + 1,
        "type": kind,
        "title": title,
        "description": description,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"x": (at % 2) * WIDTH, "y": (at / 2) * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "thresholds": bounds, "min": 0}, "overrides": []},
        "options": {},
        "targets": targets,
    })
}

fn unit(instrument: &Instrument, shows: Shows) -> &'static str {
    match (shows, instrument.unit) {
        (Shows::Rate(_), _) => "ops",
        (_, Unit::Seconds) => "s",
        (_, Unit::Milliseconds) => "ms",
        (_, Unit::Dollars) => "currencyUSD",
        (_, Unit::Ratio) => "percentunit",
        (_, Unit::Count) => "short",
    }
}

/// Returns queries with what their series are called.
pub(crate) fn expressions(instrument: &Instrument, shows: Shows) -> Vec<(String, String)> {
    let name = instrument.name;
    let counted =
        if instrument.kind == Kind::Histogram { format!("{name}_count") } else { name.to_owned() };
    let window = "$__rate_interval";
    match shows {
        Shows::Rate(Some(label)) => {
            vec![(
                format!("sum by ({label}) (rate({counted}[{window}]))"),
                format!("{{{{{label}}}}}"),
            )]
        }
        Shows::Rate(None) => vec![(format!("sum(rate({counted}[{window}]))"), "all".into())],
        Shows::Percentiles => [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")]
            .map(|(quantile, legend)| {
                let buckets = format!("sum by (le) (rate({name}_bucket[{window}]))");
                (format!("histogram_quantile({quantile}, {buckets})"), legend.to_owned())
            })
            .to_vec(),
        Shows::Sum(Some(label)) => {
            vec![(
                format!("sum by ({label}) (increase({name}_sum[1h]))"),
                format!("{{{{{label}}}}}"),
            )]
        }
        Shows::Sum(None) => vec![(format!("sum(increase({name}_sum[1h]))"), "an hour".into())],
        Shows::Last => vec![(format!("max({name})"), "now".into())],
        Shows::Mean => vec![(
            format!("sum(rate({name}_sum[{window}])) / sum(rate({name}_count[{window}]))"),
            "mean".into(),
        )],
    }
}

#[test]
fn the_dashboards_of_grafana_are_those_of_the_panels() {
    for board in boards() {
        let mut text = serde_json::to_string_pretty(&sorted(dashboard(&board))).unwrap();
        text.push('\n');
        current(&format!("infra/grafana/{}.json", board.name), &text);
    }
}
