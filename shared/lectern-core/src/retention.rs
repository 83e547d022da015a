//! Which backups are kept, by how many and how old they are; as `restic forget` decides it
//! (<https://restic.readthedocs.io/en/stable/060_forget.html>). Days, weeks, months and years are those of UTC, weeks begin
//! on Monday.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;
/// 1970-01-01 was a Thursday.
const DAYS_BEFORE_EPOCH_SINCE_MONDAY: u64 = 3;

/// How many of which are kept. A backup is kept when one rule keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The newest so many.
    pub last: usize,
    /// The newest of each of so many days that have one.
    pub daily: usize,
    /// The newest of each of so many weeks.
    pub weekly: usize,
    /// The newest of each of so many months.
    pub monthly: usize,
    /// The newest of each of so many years.
    pub yearly: usize,
    /// All that are not older than this, in seconds.
    pub within_seconds: u64,
}

impl Default for Retention {
    /// Returns the rule that keeps one of each of thirty days.
    fn default() -> Self {
        Self { daily: 30, ..Self::none() }
    }
}

/// Which rule keeps a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeps {
    /// It is one of the newest.
    Last,
    /// It is the newest of its day.
    Daily,
    /// Of its week.
    Weekly,
    /// Of its month.
    Monthly,
    /// Of its year.
    Yearly,
    /// It is young.
    Within,
}

impl Retention {
    /// Returns the rule that keeps nothing, to start from.
    #[must_use]
    pub fn none() -> Self {
        Self { last: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within_seconds: 0 }
    }

    /// Returns when a backup made at `at` is kept by no rule any more, with one a day at least; `None` where no rule keeps any,
    /// and the newest stays until there is a newer one.
    #[must_use]
    pub fn expires(&self, at: Timestamp) -> Option<Timestamp> {
        let most = |count: usize, days: u64| count as u64 * days * DAY_MILLIS;
        let kept_millis = [
            most(self.last, 1),
            most(self.daily, 1),
            most(self.weekly, 7),
            most(self.monthly, 31),
            most(self.yearly, 366),
            self.within_seconds.saturating_mul(1_000),
        ];
        let longest = kept_millis.into_iter().max().filter(|millis| *millis > 0)?;
        Some(Timestamp::from_millis(at.as_millis().saturating_add(longest)))
    }

    /// Returns for each of `times`, which are given newest first, the rules that keep it: none when it may go.
    #[must_use]
    pub fn keeps(&self, times: &[Timestamp], now: Timestamp) -> Vec<BTreeSet<Keeps>> {
        let mut keeps = vec![BTreeSet::new(); times.len()];
        let mut rule = |rule: Keeps, most: usize, period: &dyn Fn(Timestamp) -> String| {
            let mut seen = BTreeSet::new();
            for (at, keeps) in times.iter().zip(&mut keeps) {
                if seen.len() == most {
                    break;
                }
                if seen.insert(period(*at)) {
                    keeps.insert(rule);
                }
            }
        };
        rule(Keeps::Daily, self.daily, &Timestamp::day);
        rule(Keeps::Weekly, self.weekly, &week);
        rule(Keeps::Monthly, self.monthly, &|at| at.day()[..7].to_owned());
        rule(Keeps::Yearly, self.yearly, &|at| at.day()[..4].to_owned());
        for keeps in keeps.iter_mut().take(self.last) {
            keeps.insert(Keeps::Last);
        }
        let within = Duration::from_secs(self.within_seconds);
        for (at, keeps) in times.iter().zip(&mut keeps) {
            if self.within_seconds > 0 && now.since(*at) <= within {
                keeps.insert(Keeps::Within);
            }
        }
        keeps
    }
}

fn week(at: Timestamp) -> String {
    let days = at.as_millis() / DAY_MILLIS;
    ((days + DAYS_BEFORE_EPOCH_SINCE_MONDAY) / 7).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    /// Saturday, 2026-11-21, 12:00 UTC.
    const NOW: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    fn ago(days: u32) -> Timestamp {
        let millis = u64::try_from((DAY * days).as_millis()).unwrap();
        Timestamp::from_millis(NOW.as_millis() - millis)
    }

    fn kept(retention: Retention, ages: &[u32]) -> Vec<u32> {
        let times: Vec<_> = ages.iter().map(|days| ago(*days)).collect();
        let keeps = retention.keeps(&times, NOW);
        let pairs = ages.iter().zip(keeps);
        pairs.filter(|(_, keeps)| !keeps.is_empty()).map(|(age, _)| *age).collect()
    }

    proptest! {
        #[test]
        fn nothing_is_kept_after_it_expires(
            counts in proptest::array::uniform5(0..6_usize),
            within_days in 0..20_u64,
            age in 0..3_000_u32,
        ) {
            let [last, daily, weekly, monthly, yearly] = counts;
            let within_seconds = within_days * 24 * 60 * 60;
            let rule = Retention { last, daily, weekly, monthly, yearly, within_seconds };
            // One a day, this one among them.
            let ages: Vec<u32> = (0..=age).collect();
            let is_kept = kept(rule, &ages).contains(&age);
            let expires = rule.expires(ago(age));
            if expires.is_none_or(|at| at <= NOW) && age > 0 {
                prop_assert!(!is_kept);
            }
        }
    }

    #[test]
    fn rules_count_periods_that_have_a_backup() {
        let none = Retention::none();
        let ages = [0, 0, 1, 2, 5, 6, 13, 40, 400];
        assert!(kept(none, &ages).is_empty());
        assert_eq!(kept(Retention { last: 3, ..none }, &ages), [0, 0, 1]);
        assert_eq!(kept(Retention { daily: 4, ..none }, &[0, 1, 2, 5, 6]), [0, 1, 2, 5]);
        // Saturday; five days ago was Monday, six days ago the Sunday of the week before.
        assert_eq!(kept(Retention { weekly: 2, ..none }, &[0, 1, 2, 5, 6, 13]), [0, 6]);
        assert_eq!(kept(Retention { monthly: 3, ..none }, &[0, 6, 13, 40, 400]), [0, 40, 400]);
        assert_eq!(kept(Retention { yearly: 2, ..none }, &[0, 40, 400]), [0, 400]);
        assert_eq!(kept(Retention { within_seconds: 86_400 * 5, ..none }, &[0, 5, 6]), [0, 5]);
        assert_eq!(kept(Retention::default(), &(0..50).collect::<Vec<_>>()).len(), 30);
    }

    #[test]
    fn of_a_day_the_newest_is_kept_with_its_reasons() {
        let times = [ago(0), Timestamp::from_millis(ago(0).as_millis() - 60_000), ago(1)];
        let retention = Retention { last: 1, daily: 2, ..Retention::none() };
        let keeps = retention.keeps(&times, NOW);
        assert_eq!(keeps[0], BTreeSet::from([Keeps::Last, Keeps::Daily]));
        assert_eq!(keeps[1], BTreeSet::new());
        assert_eq!(keeps[2], BTreeSet::from([Keeps::Daily]));
    }

    proptest! {
        #[test]
        fn more_is_kept_by_a_larger_rule_and_no_more_than_it_says(
            mut ages in proptest::collection::vec(0_u32..2_000, 0..60),
            counts in proptest::array::uniform5(0_usize..9),
        ) {
            ages.sort_unstable();
            let [last, daily, weekly, monthly, yearly] = counts;
            let small = Retention { last, daily, weekly, monthly, yearly, within_seconds: 0 };
            let large = Retention { daily: daily + 1, ..small };
            let times: Vec<_> = ages.iter().map(|days| ago(*days)).collect();
            let (few, many) = (small.keeps(&times, NOW), large.keeps(&times, NOW));
            let is_kept = |keeps: &&BTreeSet<Keeps>| !keeps.is_empty();
            prop_assert!(few.iter().filter(is_kept).count() <= counts.iter().sum());
            for (few, many) in few.iter().zip(&many) {
                prop_assert!(few.is_subset(many));
            }
            if counts.iter().any(|count| *count > 0) && !ages.is_empty() {
                prop_assert!(!few[0].is_empty(), "the newest is kept by every rule");
            }
        }
    }
}
