//! `lectern usage`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::budget::{self, Budget};
use crate::{
    api::{Api, ApiError},
    failure::Failure,
    main_arguments::spending::UsageArguments,
    output::Output,
    text_table::{Align, text_table},
};

/// Eighths of a line, from none to all.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

#[derive(Deserialize)]
struct Usage {
    usage: Vec<Row>,
    truncated: bool,
}

#[derive(Deserialize)]
struct Row {
    day: String,
    key_id: String,
    #[serde(flatten)]
    sums: Sums,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Sums {
    requests: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    /// Not told by servers of before these were counted.
    #[serde(default)]
    embedding_tokens: u64,
    cost_usd: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
        self.embedding_tokens += other.embedding_tokens;
        self.cost_usd += other.cost_usd;
    }
}

pub(super) async fn run(
    api: &Api,
    options: &UsageArguments,
    output: &Output,
) -> Result<(), Failure> {
    let given = [("from", &options.from), ("to", &options.to)];
    let query: Vec<(&str, &str)> =
        given.iter().filter_map(|(name, day)| Some((*name, day.as_deref()?))).collect();
    let answered: Value = api.get_json("/v1/usage", &query).await?;
    let budget: Value = api.get_json("/v1/budget", &[]).await?;
    if output.is_json() {
        return Ok(output.json(&json!({ "usage": answered["usage"], "truncated": answered["truncated"], "budget": budget }))?);
    }
    let unexpected = |error: serde_json::Error| ApiError::Unexpected(error.to_string());
    let usage: Usage = serde_json::from_value(answered).map_err(unexpected)?;
    let budget: Budget = serde_json::from_value(budget).map_err(unexpected)?;
    show(&usage, output)?;
    budget::show(&budget, output)
}

fn show(usage: &Usage, output: &Output) -> Result<(), Failure> {
    if usage.usage.is_empty() {
        output.note("nothing was asked on these days");
        return Ok(());
    }
    let (mut days, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for row in &usage.usage {
        days.entry(&*row.day).or_insert_with(Sums::default).add(row.sums);
        keys.entry(&*row.key_id).or_insert_with(Sums::default).add(row.sums);
    }
    for (title, sums) in [("DAY", &days), ("KEY", &keys)] {
        let columns = [
            (title, Align::Left),
            ("QUESTIONS", Align::Right),
            ("TOKENS IN", Align::Right),
            ("TOKENS OUT", Align::Right),
            ("EMBEDDED", Align::Right),
            ("COST $", Align::Right),
        ];
        let rows: Vec<Vec<String>> = sums.iter().map(|(name, sums)| cells(name, *sums)).collect();
        text_table(&columns, &rows).into_iter().try_for_each(|line| output.line(line))?;
        output.line("")?;
    }
    let costs: Vec<f64> = days.values().map(|sums| sums.cost_usd).collect();
    if costs.iter().any(|cost| *cost > 0.0) {
        output.line(format_args!("cost by day  {}", sparkline(&costs)))?;
    }
    if usage.truncated {
        output.note("there is more than is listed: ask for fewer days with --from and --to");
    }
    Ok(())
}

fn cells(name: &str, sums: Sums) -> Vec<String> {
    vec![
        name.to_owned(),
        sums.requests.to_string(),
        sums.prompt_tokens.to_string(),
        sums.completion_tokens.to_string(),
        sums.embedding_tokens.to_string(),
        format!("{:.4}", sums.cost_usd),
    ]
}

/// Returns a bar for each value, the highest for the largest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "0 to 7"
)]
fn sparkline(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let last = BARS.len() - 1;
    let bar = |value: &f64| {
        let share = if most > 0.0 { value / most } else { 0.0 };
        BARS[((share * last as f64).round() as usize).min(last)]
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_has_the_highest_bar() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0, 0.25]), "▁▅█▃");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn days_and_keys_add_up() {
        let usage: Usage = serde_json::from_value(json!({ "truncated": false, "usage": [
            {"day": "2026-11-20", "key_id": "a", "requests": 2, "prompt_tokens": 10, "completion_tokens": 3, "embedding_tokens": 7, "cost_usd": 0.5},
            {"day": "2026-11-20", "key_id": "b", "requests": 1, "prompt_tokens": 1, "completion_tokens": 1, "cost_usd": 0.25},
            {"day": "2026-11-21", "key_id": "a", "requests": 4, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0},
        ]}))
        .unwrap();
        let (output, written) = Output::captured(false);
        show(&usage, &output).unwrap();
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<Vec<String>> = written.lines().map(words).collect();
        assert!(lines.contains(&words("2026-11-20 3 11 4 7 0.7500")), "{written}");
        assert!(lines.contains(&words("a 6 10 3 7 0.5000")), "{written}");
        assert!(written.contains("cost by day  █▁"), "{written}");
    }
}
