//! Which metrics are asked for, and how.

use aws_sdk_cloudwatch::types::MetricDataQuery;
use lectern_telemetry::{
    instruments::{self, Instrument, Kind},
    levels::{self, Good, Level},
};

/// The namespace of all stacks.
const NAMESPACE: &str = "Lectern";
/// Length of a stretch where the last day is read.
pub(super) const FINE_SECONDS: u64 = 300;
const COARSE_SECONDS: u64 = 86_400;
/// All events of a level.
pub(super) const TOTAL: &str = "total";
/// Those that its objective names: the good ones, or the bad ones, see [`part_is_good`].
pub(super) const PART: &str = "part";
/// The server errors that are answered (RFC 9110, section 15.6); a search has no other way to say "begins with".
const SERVER_ERRORS: [&str; 4] = ["500", "502", "503", "504"];

/// How sums are cut in time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sums {
    /// For the last hour and day.
    Fine,
    /// For 30 days.
    Coarse,
}

impl Sums {
    fn seconds(self) -> u64 {
        match self {
            Self::Fine => FINE_SECONDS,
            Self::Coarse => COARSE_SECONDS,
        }
    }
}

/// Returns the id of a query, which begins with a small letter and has no dashes (API reference of `MetricDataQuery`).
pub(super) fn id(role: &str, level: &Level) -> String {
    format!("{role}_{}", level.name)
}

/// Whether what [`PART`] counts is good; else it is bad.
pub(super) fn part_is_good(level: &Level) -> bool {
    matches!(level.good, Good::AtMost(_))
}

/// Returns the queries for all levels: one series each.
pub(super) fn of_levels(stack: &str, sums: Sums) -> Vec<MetricDataQuery> {
    let seconds = sums.seconds();
    let both = |level: &&'static Level| {
        let all = search(stack, level.instrument, "", "SampleCount", seconds);
        let part = match level.good {
            // The count of samples of at most this much (CloudWatch statistics definitions, "Trimmed count").
            Good::AtMost(bound) => {
                search(stack, level.instrument, "", &format!("TC(:{bound})"), seconds)
            }
            Good::Without { label, bad } => {
                let values: Vec<&str> =
                    if bad == ["5"] { SERVER_ERRORS.to_vec() } else { bad.to_vec() };
                let values = values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>();
                let only = format!(" {label}=({})", values.join(" OR "));
                search(stack, level.instrument, &only, "SampleCount", seconds)
            }
        };
        let query = |role, search: String| {
            MetricDataQuery::builder()
                .id(id(role, level))
                .expression(format!("SUM({search})"))
                .build()
        };
        [query(TOTAL, all), query(PART, part)]
    };
    levels::ALL.iter().flat_map(both).collect()
}

/// Returns the queries for all instruments: one series for each combination of dimensions.
pub(super) fn of_instruments(stack: &str) -> Vec<MetricDataQuery> {
    let mut queries = Vec::new();
    for (at, instrument) in instruments::ALL.into_iter().enumerate() {
        for (statistic, name) in statistics(instrument.kind) {
            let search = search(stack, instrument, "", name, FINE_SECONDS);
            let names = dimensions(instrument);
            let label = names.iter().map(|name| format!("${{PROP('Dim.{name}')}}"));
            let label = label.collect::<Vec<_>>().join("|");
            let id = format!("i{at}_{statistic}");
            queries.push(MetricDataQuery::builder().id(id).label(label).expression(search).build());
        }
    }
    queries
}

/// Returns what is told of an instrument: how it is called in text, and in CloudWatch.
pub(super) fn statistics(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Counter => &[("sum", "Sum")],
        Kind::Gauge => &[("max", "Maximum")],
        Kind::Histogram => &[("sum", "Sum"), ("count", "SampleCount"), ("p95", "p95")],
    }
}

/// Returns the dimensions of an instrument besides the stack.
pub(super) fn dimensions(instrument: &Instrument) -> Vec<&'static str> {
    std::iter::once("function").chain(instrument.dimensions.iter().copied()).collect()
}

fn search(
    stack: &str,
    instrument: &Instrument,
    only: &str,
    statistic: &str,
    seconds: u64,
) -> String {
    let schema =
        std::iter::once("stack").chain(dimensions(instrument)).collect::<Vec<_>>().join(",");
    let name = instrument.name;
    format!(
        "SEARCH('{{{NAMESPACE},{schema}}} MetricName=\"{name}\" stack=\"{stack}\"{only}', '{statistic}', {seconds})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_asked_for_by_what_is_good_or_bad_of_it() {
        let queries = of_levels("lectern-prod", Sums::Fine);
        let expression = |id: &str| {
            let found = queries.iter().find(|query| query.id() == Some(id)).unwrap();
            found.expression().unwrap().to_owned()
        };
        assert_eq!(
            expression("part_first_token"),
            r#"SUM(SEARCH('{Lectern,stack,function} MetricName="rag_first_token_seconds" stack="lectern-prod"', 'TC(:3)', 300))"#
        );
        assert_eq!(
            expression("part_availability"),
            r#"SUM(SEARCH('{Lectern,stack,function,http_response_status_code} MetricName="http_server_request_duration_seconds" stack="lectern-prod" http_response_status_code=("500" OR "502" OR "503" OR "504")', 'SampleCount', 300))"#
        );
        // A search is at most 1024 characters (User Guide, "CloudWatch search expression syntax").
        assert!(queries.iter().all(|query| query.expression().unwrap().len() < 1_024));
    }
}
