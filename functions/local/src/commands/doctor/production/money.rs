//! What may be spent: `money.…`.

use super::Finding;
use crate::commands::budget::{Balance, Budget};

/// Share of a limit from which somebody should look.
const NEARLY: f64 = 0.8;

/// Whether the account has limits.
pub(super) fn limits(budget: &Budget) -> Finding {
    let next = "`lectern budget --usd-per-day 5 --usd-per-month 100`, or LECTERN_BUDGET_USD_PER_DAY and …_PER_MONTH";
    match (budget.day.limit_usd, budget.month.limit_usd) {
        (Some(day), Some(month)) => {
            Finding::ok(format!("at most ${day} a day and ${month} a month"))
        }
        (None, None) => Finding::attention("nothing limits what is spent", next),
        (None, Some(_)) => Finding::attention("nothing limits what is spent in a day", next),
        (Some(_), None) => Finding::attention("nothing limits what is spent in a month", next),
    }
}

/// Whether there is something left to spend.
pub(super) fn left(budget: &Budget) -> Finding {
    if let Some(since) = &budget.stopped_at {
        let found = format!("all spending is stopped since {since}");
        return Finding::failed(found, "`lectern budget --resume` lets it go on");
    }
    let shares = [("day", share(&budget.day)), ("month", share(&budget.month))];
    let told = shares.iter().filter_map(|(period, share)| Some((*period, (*share)?)));
    let Some((period, most)) = told.max_by(|one, other| one.1.total_cmp(&other.1)) else {
        return Finding::skipped("without a limit nothing runs out: see `money.limits`");
    };
    let found = format!("{:.0} % of what may be spent in a {period} is gone", 100.0 * most);
    let next = "see by `lectern usage` who spends it: docs/runbooks/cost-runaway.md";
    if most >= 1.0 {
        Finding::failed(found, next)
    } else if most >= NEARLY {
        Finding::attention(found, next)
    } else {
        Finding::ok(found)
    }
}

/// Returns what part is gone; all of it where nothing may be spent.
fn share(balance: &Balance) -> Option<f64> {
    let limit = balance.limit_usd?;
    Some(if limit > 0.0 { balance.spent_usd / limit } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::production::Verdict;

    fn budget(spent: f64, day: Option<f64>, month: Option<f64>, stopped: bool) -> Budget {
        let balance = |limit| json!({ "spent_usd": spent, "held_usd": 0.0, "limit_usd": limit });
        let stopped_at = stopped.then_some("2026-11-23T00:00:00Z");
        serde_json::from_value(
            json!({ "day": balance(day), "month": balance(month), "stopped_at": stopped_at }),
        )
        .unwrap()
    }

    #[test]
    fn both_limits_are_wanted() {
        for (day, month, verdict) in [
            (Some(1.0), Some(10.0), Verdict::Ok),
            (None, Some(10.0), Verdict::Attention),
            (Some(1.0), None, Verdict::Attention),
            (None, None, Verdict::Attention),
        ] {
            assert_eq!(
                limits(&budget(0.0, day, month, false)).verdict,
                verdict,
                "{day:?} {month:?}"
            );
        }
    }

    #[test]
    fn what_is_left_is_judged_by_the_narrower_limit() {
        for (spent, day, verdict) in [
            (0.79, Some(1.0), Verdict::Ok),
            (0.8, Some(1.0), Verdict::Attention),
            (1.0, Some(1.0), Verdict::Failed),
            (0.0, Some(0.0), Verdict::Failed),
            (8.0, None, Verdict::Attention),
        ] {
            assert_eq!(left(&budget(spent, day, Some(10.0), false)).verdict, verdict, "{spent}");
        }
        assert_eq!(left(&budget(0.0, None, None, false)).verdict, Verdict::Skipped);
        assert_eq!(left(&budget(0.0, None, None, true)).verdict, Verdict::Failed);
    }
}
