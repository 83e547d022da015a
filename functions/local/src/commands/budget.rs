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

/// Decimals of a millionth.
const MICRO_DECIMALS: usize = 6;
/// Decimals that a limit has at least.
const LIMIT_DECIMALS: usize = 2;
/// Decimals that what was spent has at least.
const SPENT_DECIMALS: usize = 4;

/// What may be spent, and how much of it is gone.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Budget {
    /// Of this UTC day.
    pub(super) day: Balance,
    /// Of this UTC month.
    pub(super) month: Balance,
    /// Since when nothing may be spent.
    pub(super) stopped_at: Option<String>,
}

/// What may be spent of a day or month, and how much of it is gone.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Balance {
    /// What went.
    pub(super) spent_usd: f64,
    held_usd: f64,
    /// Most that may go.
    pub(super) limit_usd: Option<f64>,
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
    let limit = balance.limit_usd.map(|limit| dollars(limit, LIMIT_DECIMALS));
    vec![
        name.to_owned(),
        dollars(balance.spent_usd, SPENT_DECIMALS),
        dollars(balance.held_usd, SPENT_DECIMALS),
        limit.unwrap_or_else(|| "none".to_owned()),
        share.unwrap_or_default(),
    ]
}

/// Returns dollars with at least so many decimals, and as many more as the amount has, to the millionth.
pub(super) fn dollars(amount: f64, decimals: usize) -> String {
    let whole = format!("{amount:.6}");
    let shortest = whole.len() - MICRO_DECIMALS + decimals;
    let needed = whole.trim_end_matches('0').len();
    whole[..needed.max(shortest)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_the_decimals_it_needs() {
        for (amount, limit, spent) in [
            (0.0, "0.00", "0.0000"),
            (5.0, "5.00", "5.0000"),
            (0.001, "0.001", "0.0010"),
            (0.000_001, "0.000001", "0.000001"),
            (1_234.5, "1234.50", "1234.5000"),
            (0.1 + 0.2, "0.30", "0.3000"),
        ] {
            assert_eq!(dollars(amount, LIMIT_DECIMALS), limit);
            assert_eq!(dollars(amount, SPENT_DECIMALS), spent);
        }
    }

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
