//! Series of CloudWatch as Prometheus text, in the way of the CloudWatch exporter of Prometheus: a statistic of five minutes is
//! a gauge, `rag_query_errors_total_sum`. A counter of all functions since they began does not exist anywhere.

use std::fmt::Write as _;

use lectern_telemetry::instruments;

use super::{
    Series,
    queries::{dimensions, statistics},
};

/// Returns the text. A series without a number is left out.
pub(super) fn exposition(series: &Series) -> String {
    let mut text = String::new();
    for (at, instrument) in instruments::ALL.into_iter().enumerate() {
        for (statistic, _) in statistics(instrument.kind) {
            let Some(found) = series.get(&format!("i{at}_{statistic}")) else { continue };
            let told = found.iter().filter_map(|(label, values)| Some((label, values.last()?)));
            let told: Vec<_> = told.collect();
            if told.is_empty() {
                continue;
            }
            let name = format!("{}_{statistic}", instrument.name);
            let help = instrument.help.trim_end_matches('.');
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help} (CloudWatch, {statistic} of 5 min)");
            let _ = writeln!(text, "# TYPE {name} gauge");
            for (label, value) in told {
                let pairs = dimensions(instrument).into_iter().zip(label.split('|'));
                let pairs = pairs.map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
                let _ = writeln!(text, "{name}{{{}}} {value}", pairs.collect::<Vec<_>>().join(","));
            }
        }
    }
    text
}

/// Escapes the value of a label (Prometheus documentation, "Exposition formats").
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
