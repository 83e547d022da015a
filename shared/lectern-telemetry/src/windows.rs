//! What became of the service levels of this process: counts by minute for a day, by hour for 30 days.

use std::sync::{Mutex, OnceLock, PoisonError};

use lectern_core::time::Timestamp;

use crate::{
    instruments::{Instrument, Pair},
    levels::{ALL, Tally},
};

const MINUTES: usize = 24 * 60;
const HOURS: usize = 30 * 24;
const MINUTE_MILLIS: u64 = 60_000;
const HOUR_MILLIS: u64 = 60 * MINUTE_MILLIS;

/// How far back is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last hour.
    Hour,
    /// The last day.
    Day,
    /// The last 30 days.
    Month,
}

impl Window {
    /// All of them, shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// Returns its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Returns how many minutes it has.
    #[must_use]
    pub fn minutes(self) -> u64 {
        match self {
            Self::Hour => 60,
            Self::Day => 24 * 60,
            Self::Month => 30 * 24 * 60,
        }
    }
}

/// Counts of one stretch of time, by level.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Which stretch since 1970; a slot that was used for an earlier one is empty.
    number: u64,
    total: [u32; ALL.len()],
    good: [u32; ALL.len()],
}

#[derive(Debug)]
struct Ring {
    slots: Box<[Slot]>,
    millis: u64,
}

impl Ring {
    fn new(length: usize, millis: u64) -> Self {
        Self { slots: vec![Slot::default(); length].into(), millis }
    }

    fn add(&mut self, level: usize, is_good: bool, now: Timestamp) {
        let number = now.as_millis() / self.millis;
        let length = self.slots.len() as u64;
        let Some(slot) =
            usize::try_from(number % length).ok().and_then(|at| self.slots.get_mut(at))
        else {
            return;
        };
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.total[level] = slot.total[level].saturating_add(1);
        slot.good[level] = slot.good[level].saturating_add(u32::from(is_good));
    }

    /// Sums the last `length` stretches, the one that is not over among them.
    fn sum(&self, level: usize, length: u64, now: Timestamp) -> Tally {
        let last = now.as_millis() / self.millis;
        let first = (last + 1).saturating_sub(length);
        let within = self.slots.iter().filter(|slot| (first..=last).contains(&slot.number));
        within.fold(Tally::default(), |sum, slot| Tally {
            total: sum.total + f64::from(slot.total[level]),
            good: sum.good + f64::from(slot.good[level]),
        })
    }
}

/// The counts.
#[derive(Debug)]
pub struct Windows {
    /// Since when it counts.
    pub since: Timestamp,
    rings: Mutex<(Ring, Ring)>,
}

impl Windows {
    /// Returns empty ones.
    #[must_use]
    pub fn new(since: Timestamp) -> Self {
        let (minutes, hours) = (Ring::new(MINUTES, MINUTE_MILLIS), Ring::new(HOURS, HOUR_MILLIS));
        Self { since, rings: Mutex::new((minutes, hours)) }
    }

    /// Counts an event of an instrument for each level it is of.
    pub fn add(&self, instrument: &Instrument, value: f64, labels: &[Pair], now: Timestamp) {
        for (at, level) in ALL.iter().enumerate() {
            if std::ptr::eq(level.instrument, instrument) {
                let is_good = level.is_good(value, labels);
                let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
                rings.0.add(at, is_good, now);
                rings.1.add(at, is_good, now);
            }
        }
    }

    /// Returns what happened in a window that ends now, in the order of [`ALL`].
    #[must_use]
    pub fn tallies(&self, window: Window, now: Timestamp) -> [Tally; ALL.len()] {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        std::array::from_fn(|level| match window {
            Window::Hour | Window::Day => rings.0.sum(level, window.minutes(), now),
            Window::Month => rings.1.sum(level, window.minutes() / 60, now),
        })
    }
}

static PROCESS: OnceLock<(Windows, fn() -> Timestamp)> = OnceLock::new();

/// Begins to count in this process, by `clock`; whoever calls first. Returns the counts.
pub fn begin(clock: fn() -> Timestamp) -> &'static Windows {
    &PROCESS.get_or_init(|| (Windows::new(clock()), clock)).0
}

/// Counts an event, where counting has begun.
pub(crate) fn event(instrument: &Instrument, value: f64, labels: &[Pair]) {
    if let Some((windows, clock)) = PROCESS.get() {
        windows.add(instrument, value, labels, clock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{instruments::QUERY_DURATION, levels::ANSWER};

    #[test]
    fn events_are_counted_in_the_windows_they_fall_into() {
        let minute = |at: u64| Timestamp::from_millis(at * MINUTE_MILLIS + 1);
        let windows = Windows::new(minute(0));
        let answer = ALL.iter().position(|level| **level == ANSWER).unwrap();
        let labels = [("outcome", "answered"), ("cache", "off")];
        windows.add(&QUERY_DURATION, 1.0, &labels, minute(100_000));
        windows.add(&QUERY_DURATION, 7.0, &labels, minute(100_059));
        windows.add(&QUERY_DURATION, 1.0, &labels, minute(100_060));
        let tally = |window, at| {
            let Tally { total, good } = windows.tallies(window, minute(at))[answer];
            (total, good)
        };
        assert_eq!(tally(Window::Hour, 100_059), (2.0, 1.0));
        assert_eq!(tally(Window::Hour, 100_060), (2.0, 1.0), "the first is out");
        assert_eq!(tally(Window::Day, 100_060), (3.0, 2.0));
        assert_eq!(tally(Window::Hour, 100_200), (0.0, 0.0));
        assert_eq!(tally(Window::Month, 100_060 + 29 * 24 * 60), (3.0, 2.0));
        assert_eq!(tally(Window::Month, 100_060 + 31 * 24 * 60), (0.0, 0.0));
        assert_eq!(
            tally(Window::Day, 100_060 + MINUTES as u64),
            (0.0, 0.0),
            "a slot of a day before is empty"
        );
    }
}
