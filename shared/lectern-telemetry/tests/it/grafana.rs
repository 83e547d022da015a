//! The dashboards for Grafana, over Prometheus.

use lectern_telemetry::instruments::{Instrument, Kind, Unit};
use serde_json::{Value, json};

use crate::{
    current,
    panels::{Board, Panel, Place, Shows, boards, bound},
    sorted,
};

/// Rows of a promise, and of what is measured.
const HEIGHTS: (usize, usize) = (4, 7);

/// Labels that say how something ended.
const ENDINGS: [&str; 3] = ["outcome", "error_type", "http_response_status_code"];
/// Endings and their colours: in the order of their names `failed` would be green.
const COLORS: [(&str, &str); 5] = [
    ("/^(ok|ready|2..)$/", "green"),
    ("/^(failed|internal|unavailable|unauthenticated|5..)$/", "red"),
    ("/^(timeout|rate_limited)$/", "orange"),
    ("/^(4..)$/", "yellow"),
    ("/^(cancelled|not_found|conflict)$/", "blue"),
];

fn dashboard(board: &Board) -> Value {
    let placed = board.placed(HEIGHTS.0, HEIGHTS.1).into_iter().enumerate();
    let panels: Vec<Value> = placed.map(|(at, (place, panel))| drawn(at, place, &panel)).collect();
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

fn drawn(at: usize, place: Place, panel: &Panel) -> Value {
    let (title, description, kind, targets, fields) = match panel {
        Panel::Kept(level) => (
            level.promise.to_owned(),
            format!(
                "Share of the last hour, day and 3 days that was as promised: {:.1} % must be.",
                level.objective * 100.0
            ),
            "stat",
            ["1h", "1d", "3d"]
                .map(|window| {
                    (format!("1 - level:{}:bad_share_{window}", level.name), window.to_owned())
                })
                .to_vec(),
            // With fewer decimals 99.46 % is 99.5 %.
            json!({"overrides": [], "defaults": {
                "unit": "percentunit", "decimals": 2, "min": 0, "max": 1,
                "thresholds": {"mode": "absolute", "steps": [
                    {"color": "red", "value": null}, {"color": "green", "value": level.objective},
                ]},
            }}),
        ),
        Panel::Of { title, instrument, shows } => (
            (*title).to_owned(),
            instrument.help.to_owned(),
            "timeseries",
            expressions(instrument, *shows),
            json!({"overrides": overrides(*shows), "defaults": scale(instrument, *shows)}),
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
        "gridPos": {"x": place.x, "y": place.y, "w": place.width, "h": place.height},
        "fieldConfig": fields,
        "options": {},
        "targets": targets,
    })
}

/// Returns the colours of series that say how something ended; others have those of Grafana's palette.
fn overrides(shows: Shows) -> Vec<Value> {
    if !matches!(shows, Shows::Rate(Some(label)) if ENDINGS.contains(&label)) {
        return Vec::new();
    }
    let one = |(words, color)| {
        json!({
            "matcher": {"id": "byRegexp", "options": words},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
        })
    };
    COLORS.map(one).to_vec()
}

/// Returns how values are written, and a line where a promise says how large they may be.
fn scale(instrument: &Instrument, shows: Shows) -> Value {
    let mut steps = vec![json!({"color": "green", "value": null})];
    let line = bound(instrument, shows);
    steps.extend(line.map(|value| json!({"color": "red", "value": value})));
    let style = if line.is_some() { "dashed" } else { "off" };
    let mut scale = json!({
        "unit": unit(instrument, shows),
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": {"thresholdsStyle": {"mode": style}},
    });
    if instrument.unit == Unit::Ratio {
        scale["max"] = json!(1);
    }
    scale
}

/// Returns a unit of Grafana; `count:` shortens numbers and puts what follows behind them.
fn unit(instrument: &Instrument, shows: Shows) -> &'static str {
    match (shows, instrument.unit) {
        (Shows::Rate(_), _) => "count:/s",
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
        Shows::Slowest(label) => vec![(
            format!(
                "histogram_quantile(0.95, sum by (le, {label}) (rate({name}_bucket[{window}])))"
            ),
            format!("{{{{{label}}}}}"),
        )],
        Shows::Sum(Some(label)) => {
            vec![(
                format!("sum by ({label}) (increase({name}_sum[1h]))"),
                format!("{{{{{label}}}}}"),
            )]
        }
        Shows::Sum(None) => vec![(format!("sum(increase({name}_sum[1h]))"), "all".into())],
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
