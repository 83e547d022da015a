//! `lectern budget`.

use lectern_core::pricing::MicroDollars;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    api::{Api, ApiError},
    failure::Failure,
    main_arguments::spending::{BudgetArguments, Limit},
    output::Output,
    text_table::{Align, text_table},
};

/// What may be spent, and how much of it is gone.
#[derive(Deserialize)]
pub(super) struct Budget {
    day: Balance,
    month: Balance,
    stopped_at: Option<String>,
}

#[derive(Deserialize)]
struct Balance {
    spent_usd: f64,
    held_usd: f64,
    limit_usd: Option<f64>,
}

pub(super) async fn run(
    api: &Api,
    options: &BudgetArguments,
    output: &Output,
) -> Result<(), Failure> {
    let changed = changed(options);
    let answered: Value = if changed.is_empty() {
        api.get_json("/v1/budget", &[]).await?
    } else {
        api.patch_json("/v1/budget", &Value::Object(changed)).await?
    };
    if output.is_json() {
        return Ok(output.json(&answered)?);
    }
    let budget: Budget = serde_json::from_value(answered)
        .map_err(|error| ApiError::Unexpected(error.to_string()))?;
    show(&budget, output)
}

/// Returns what is to be changed.
fn changed(options: &BudgetArguments) -> Map<String, Value> {
    let mut changed = Map::new();
    let limits = [("usd_per_day", options.usd_per_day), ("usd_per_month", options.usd_per_month)];
    for (name, limit) in limits {
        if let Some(Limit(limit)) = limit {
            changed.insert(name.to_owned(), json!(limit.map(MicroDollars::as_dollars)));
        }
    }
    if options.stop || options.resume {
        changed.insert("stopped".to_owned(), options.stop.into());
    }
    changed
}

pub(super) fn show(budget: &Budget, output: &Output) -> Result<(), Failure> {
    let columns = [
        ("BUDGET", Align::Left),
        ("SPENT $", Align::Right),
        ("HELD $", Align::Right),
        ("LIMIT $", Align::Right),
        ("SPENT %", Align::Right),
    ];
    let rows = [row("today", &budget.day), row("this month", &budget.month)];
    text_table(&columns, &rows).into_iter().try_for_each(|line| output.line(line))?;
    if let Some(since) = &budget.stopped_at {
        output.note(format_args!(
            "all spending is stopped since {since}; `lectern budget --resume` lets it go on"
        ));
    }
    Ok(())
}

fn row(name: &str, balance: &Balance) -> Vec<String> {
    let share = balance.limit_usd.map(|limit| {
        if limit > 0.0 {
            format!("{:.0}", 100.0 * balance.spent_usd / limit)
        } else {
            "–".to_owned()
        }
    });
    let limit = balance.limit_usd.map(|limit| format!("{limit:.2}"));
    vec![
        name.to_owned(),
        format!("{:.4}", balance.spent_usd),
        format!("{:.4}", balance.held_usd),
        limit.unwrap_or_else(|| "none".to_owned()),
        share.unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let nothing =
            BudgetArguments { usd_per_day: None, usd_per_month: None, stop: false, resume: false };
        assert!(changed(&nothing).is_empty());
        let some = BudgetArguments {
            usd_per_day: Some("2.5".parse().unwrap()),
            usd_per_month: Some("none".parse().unwrap()),
            stop: true,
            resume: false,
        };
        let expected = json!({ "usd_per_day": 2.5, "usd_per_month": null, "stopped": true });
        assert_eq!(Value::Object(changed(&some)), expected);
        assert!("-1".parse::<Limit>().is_err());
    }
}
