//! `lectern experiments`.

use lectern_core::ids::CollectionId;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api::{Api, ApiError},
    failure::Failure,
    output::Output,
    text_table::{Align, text_table},
};

/// What stands where nothing was measured.
const NOTHING: &str = "–";

#[derive(Deserialize)]
struct Experiments {
    experiments: Vec<Experiment>,
}

#[derive(Deserialize)]
struct Experiment {
    name: String,
    running: bool,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    name: String,
    questions: u64,
    #[serde(flatten)]
    values: Values,
    difference: Option<Values>,
}

#[derive(Deserialize)]
struct Values {
    refusal_rate: Option<Estimate>,
    thumbs_up_share: Option<Estimate>,
    latency_ms: Option<Estimate>,
    cost_usd: Option<Estimate>,
}

#[derive(Deserialize)]
struct Estimate {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

pub(super) async fn run(
    api: &Api,
    collection: &CollectionId,
    output: &Output,
) -> Result<(), Failure> {
    let query = [("collection", collection.as_str())];
    let answered: Value = api.get_json("/v1/experiments", &query).await?;
    if output.is_json() {
        return Ok(output.json(&answered)?);
    }
    let found: Experiments = serde_json::from_value(answered)
        .map_err(|error| ApiError::Unexpected(error.to_string()))?;
    let rows: Vec<Vec<String>> = found.experiments.iter().flat_map(rows).collect();
    if rows.is_empty() {
        output.note(format_args!("the collection `{collection}` has no experiments"));
        return Ok(());
    }
    let columns = [
        ("EXPERIMENT", Align::Left),
        ("VARIANT", Align::Left),
        ("QUESTIONS", Align::Right),
        ("REFUSED %", Align::Right),
        ("THUMBS UP %", Align::Right),
        ("LATENCY ms", Align::Right),
        ("COST $/1000", Align::Right),
    ];
    text_table(&columns, &rows).into_iter().try_for_each(|line| output.line(line))?;
    output.note(
        "in brackets: 95 % confidence intervals; lines with − compare with the first variant",
    );
    Ok(())
}

/// Returns a row for each variant, and under it one that compares it with the first.
fn rows(experiment: &Experiment) -> Vec<Vec<String>> {
    let name = if experiment.running { String::new() } else { " (ended)".to_owned() };
    let name = format!("{}{name}", experiment.name);
    let first = experiment.variants.first().map_or("", |variant| &variant.name);
    let mut rows = Vec::new();
    for variant in &experiment.variants {
        let own = [name.clone(), variant.name.clone(), variant.questions.to_string()];
        rows.push([own.to_vec(), cells(&variant.values)].concat());
        if let Some(difference) = &variant.difference {
            let versus = [String::new(), format!("  − {first}"), String::new()];
            rows.push([versus.to_vec(), cells(difference)].concat());
        }
    }
    rows
}

fn cells(values: &Values) -> Vec<String> {
    vec![
        cell(values.refusal_rate.as_ref(), 100.0, 1),
        cell(values.thumbs_up_share.as_ref(), 100.0, 1),
        cell(values.latency_ms.as_ref(), 1.0, 1),
        cell(values.cost_usd.as_ref(), 1_000.0, 3),
    ]
}

/// Returns `12.5 [8.1, 18.9]`.
fn cell(estimate: Option<&Estimate>, scale: f64, decimals: usize) -> String {
    let Some(estimate) = estimate else { return NOTHING.to_owned() };
    let written = |value: f64| format!("{:.decimals$}", value * scale);
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => {
            format!("{} [{}, {}]", written(estimate.value), written(low), written(high))
        }
        _ => written(estimate.value),
    }
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, routing::get};
    use serde_json::json;

    use super::*;

    fn api() -> Api {
        let share = json!({"value": 0.125, "low": 0.081, "high": 0.189});
        let values = json!({"name": "short", "weight": 1, "questions": 7, "refusal_rate": share,
            "thumbs_up_share": null, "latency_ms": {"value": 3.25, "low": null, "high": null},
            "cost_usd": {"value": 0.0012, "low": 0.001, "high": 0.0014}, "difference": {
                "from": "short", "refusal_rate": null, "thumbs_up_share": null, "latency_ms": null,
                "cost_usd": {"value": -0.0001, "low": -0.0002, "high": 0.0}}});
        let body = json!({"collection": "default", "experiments": [
            {"name": "tone", "running": false, "variants": [values]}]});
        Api::InProcess(Router::new().route("/v1/experiments", get(async || Json(body))))
    }

    #[tokio::test]
    async fn prints_a_table_for_people_and_the_document_for_programs() {
        let collection = CollectionId::default_collection();
        let (output, written) = Output::captured(false);
        run(&api(), &collection, &output).await.unwrap();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        let short = "tone (ended) short 7 12.5 [8.1, 18.9] – 3.2 1.200 [1.000, 1.400]";
        assert_eq!(lines[1].join(" "), short, "{text}");
        assert_eq!(lines[2].join(" "), "− short – – – -0.100 [-0.200, 0.000]", "{text}");

        let (output, written) = Output::captured(true);
        run(&api(), &collection, &output).await.unwrap();
        let value: Value = serde_json::from_slice(&written.lock().unwrap()).unwrap();
        assert_eq!(value["experiments"][0]["variants"][0]["questions"], 7);
    }
}
