//! What may be spent, and how much of it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{pricing::MicroDollars, time::Timestamp};

/// Percent of a limit at which people are told.
pub const ALERTS_PERCENT: [u8; 2] = [80, 100];

/// What a limit is for, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A day.
    Day,
    /// A month.
    Month,
}

impl Period {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// Returns when the one that `now` is in is over.
    #[must_use]
    pub fn ends(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day => now.next_day(),
            Self::Month => now.next_month(),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Day => "day",
            Self::Month => "month",
        })
    }
}

/// Most that may be spent. Nothing is begun once it is reached, so that it is passed by what one request costs at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendingLimits {
    /// In a day; without limit when absent.
    #[serde(default, rename = "micro_usd_per_day", skip_serializing_if = "Option::is_none")]
    pub per_day: Option<MicroDollars>,
    /// In a month; without limit when absent.
    #[serde(default, rename = "micro_usd_per_month", skip_serializing_if = "Option::is_none")]
    pub per_month: Option<MicroDollars>,
}

impl SpendingLimits {
    /// Returns the limit of a period.
    #[must_use]
    pub fn of(self, period: Period) -> Option<MicroDollars> {
        match period {
            Period::Day => self.per_day,
            Period::Month => self.per_month,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Returns these, and those of `others` where these have none.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            per_day: self.per_day.or(others.per_day),
            per_month: self.per_month.or(others.per_month),
        }
    }
}

/// What went in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Spent.
    pub spent: MicroDollars,
    /// Set aside for requests that are under way.
    pub held: MicroDollars,
}

/// What went in the running day and month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Today.
    pub day: Balance,
    /// This month.
    pub month: Balance,
}

impl Standing {
    /// Returns what went in a period.
    #[must_use]
    pub fn of(self, period: Period) -> Balance {
        match period {
            Period::Day => self.day,
            Period::Month => self.month,
        }
    }

    /// Returns the longest period whose limit is reached by what is spent; `None` when none is.
    #[must_use]
    pub fn exhausted(self, limits: SpendingLimits) -> Option<Period> {
        let is_reached = |period: &Period| {
            limits.of(*period).is_some_and(|limit| self.of(*period).spent >= limit)
        };
        Period::ALL.into_iter().rev().find(is_reached)
    }

    /// Returns the alerts that spending `just_spent`, which is counted here already, sets off: each period whose limit it
    /// came near or reached, with the percent of [`ALERTS_PERCENT`] it passed.
    pub fn alerts(
        self,
        limits: SpendingLimits,
        just_spent: MicroDollars,
    ) -> impl Iterator<Item = (Period, u8)> {
        Period::ALL.into_iter().filter_map(move |period| {
            let (limit, after) = (limits.of(period)?, self.of(period).spent);
            let before = after.0.saturating_sub(just_spent.0);
            let passed = |percent: &u8| {
                let mark = u128::from(limit.0) * u128::from(*percent);
                u128::from(before) * 100 < mark && u128::from(after.0) * 100 >= mark
            };
            Some((period, ALERTS_PERCENT.into_iter().rev().find(passed)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spent(day: u64, month: u64) -> Standing {
        let balance = |spent| Balance { spent: MicroDollars(spent), held: MicroDollars(0) };
        Standing { day: balance(day), month: balance(month) }
    }

    const LIMITS: SpendingLimits =
        SpendingLimits { per_day: Some(MicroDollars(100)), per_month: Some(MicroDollars(1_000)) };

    #[test]
    fn the_longest_exhausted_period_is_named() {
        assert_eq!(spent(99, 999).exhausted(LIMITS), None);
        assert_eq!(spent(100, 999).exhausted(LIMITS), Some(Period::Day));
        assert_eq!(spent(100, 1_000).exhausted(LIMITS), Some(Period::Month));
        assert_eq!(spent(100, 1_000).exhausted(SpendingLimits::default()), None);
        let nothing = SpendingLimits { per_day: Some(MicroDollars(0)), per_month: None };
        assert_eq!(spent(0, 0).exhausted(nothing), Some(Period::Day));
    }

    #[test]
    fn one_leap_over_both_marks_tells_the_higher() {
        let alerts: Vec<_> = spent(100, 100).alerts(LIMITS, MicroDollars(100)).collect();
        assert_eq!(alerts, [(Period::Day, 100)]);
        let alerts: Vec<_> = spent(85, 800).alerts(LIMITS, MicroDollars(10)).collect();
        assert_eq!(alerts, [(Period::Day, 80), (Period::Month, 80)]);
    }

    proptest! {
        /// However spending adds up, each mark is told at most once, and once when it is passed one step at a time.
        #[test]
        fn each_mark_is_told_once(limit in 1_u64..10_000, steps in prop::collection::vec(1_u64..500, 1..60)) {
            let limits = SpendingLimits { per_day: Some(MicroDollars(limit)), per_month: None };
            let (mut total, mut told) = (0, Vec::new());
            for step in steps {
                total += step;
                let standing = spent(total, total);
                told.extend(standing.alerts(limits, MicroDollars(step)).map(|(_, percent)| percent));
            }
            let mut sorted = told.clone();
            sorted.sort_unstable();
            sorted.dedup();
            prop_assert_eq!(&sorted, &told);
            prop_assert_eq!(told.contains(&100), total >= limit);
        }
    }
}
