//! Arithmetic of rates. The table stores the state; this decides.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Most requests per minute that a key or a token's subject may have.
pub const MAX_RATE_PER_MINUTE: u32 = 60_000;

/// A rate: `burst` at once, refilled evenly over `period`.
///
/// Generic cell rate algorithm (ITU-T I.371): the state is one number, the theoretical arrival time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Requests allowed per period, and at once; at least 1.
    pub burst: u32,
    /// The period.
    pub period: Duration,
}

/// What a request may do, with what `RateLimit-*` headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on, and store the new theoretical arrival time.
    Allowed {
        /// The state to store.
        tat: Timestamp,
        /// Requests left at once.
        remaining: u32,
    },
    /// Refuse.
    Refused {
        /// When the next request will pass.
        retry_after: Duration,
    },
}

impl Rate {
    /// Returns `requests` per minute.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self { burst: requests.max(1), period: Duration::from_secs(60) }
    }

    fn interval(self) -> u64 {
        let millis = u64::try_from(self.period.as_millis()).unwrap_or(u64::MAX);
        (millis / u64::from(self.burst.max(1))).max(1)
    }

    /// Decides on one request at `now`, given the stored theoretical arrival time.
    #[must_use]
    pub fn decide(self, stored: Option<Timestamp>, now: Timestamp) -> Verdict {
        let interval = self.interval();
        let tolerance = interval * u64::from(self.burst.max(1));
        let tat = stored.unwrap_or(now).max(now).as_millis() + interval;
        let ahead = tat - now.as_millis();
        if ahead > tolerance {
            return Verdict::Refused { retry_after: Duration::from_millis(ahead - tolerance) };
        }
        let remaining = u32::try_from((tolerance - ahead) / interval).unwrap_or(u32::MAX);
        Verdict::Allowed { tat: Timestamp::from_millis(tat), remaining }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(rate: Rate, arrivals: &[u64]) -> usize {
        let mut stored = None;
        let mut allowed = 0;
        for arrival in arrivals {
            if let Verdict::Allowed { tat, .. } =
                rate.decide(stored, Timestamp::from_millis(*arrival))
            {
                stored = Some(tat);
                allowed += 1;
            }
        }
        allowed
    }

    #[test]
    fn a_burst_passes_and_the_next_is_told_when_to_return() {
        let rate = Rate::per_minute(100);
        assert_eq!(run(rate, &[1_000; 150]), 100);
        let mut stored = None;
        for _ in 0..100 {
            let Verdict::Allowed { tat, .. } = rate.decide(stored, Timestamp::from_millis(1_000))
            else {
                panic!("refused within the burst")
            };
            stored = Some(tat);
        }
        let refused = rate.decide(stored, Timestamp::from_millis(1_000));
        assert_eq!(refused, Verdict::Refused { retry_after: Duration::from_millis(600) });
        assert!(matches!(
            rate.decide(stored, Timestamp::from_millis(1_600)),
            Verdict::Allowed { .. }
        ));
    }

    proptest! {
        #[test]
        fn never_more_than_twice_the_rate_in_a_period(mut arrivals in prop::collection::vec(0_u64..60_000, 0..400), burst in 1_u32..100) {
            arrivals.sort_unstable();
            let allowed = run(Rate::per_minute(burst), &arrivals);
            prop_assert!(allowed <= 2 * burst as usize);
        }
    }
}
