//! When calls of a dependency are not worth making: a circuit breaker (M. Nygard, "Release It!", 2nd edition, chapter 5).
//!
//! After [`FAILURES`] failures in a row nothing is sent for a while, so that whoever asks hears at once what they would hear after
//! a time-out, and the dependency has time to get well. Then one call is let through: if it is answered all are, if not the while
//! is twice as long. Time and chance are arguments (docs/adr/013-circuit-breakers.md says why this is no crate of others).

use std::time::Duration;

use crate::errors::ErrorKind;

/// Failures in a row after which nothing is sent.
pub const FAILURES: u32 = 5;
/// How long nothing is sent at first, and at most. A dependency that asks for longer than the first gets it, up to the most.
pub const FIRST_PAUSE: Duration = Duration::from_secs(4);
/// See [`FIRST_PAUSE`].
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How a call ended, as far as the dependency's health goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It answered, be it to refuse.
    Answered,
    /// It did not answer, says that it is unwell, or asks to be left alone for so long.
    Failed(Duration),
    /// Nobody waited for the answer: nothing is known.
    Unknown,
}

impl Ending {
    /// Returns what an error says. What comes without a time to wait (a hot partition, a conflict) is an answer: others get through.
    #[must_use]
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Timeout | ErrorKind::Unavailable => Self::Failed(Duration::ZERO),
            ErrorKind::RateLimited { retry_after: Some(asked) } => Self::Failed(asked),
            _ => Self::Answered,
        }
    }
}

/// What became of a breaker by a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is sent for so long.
    Opened(Duration),
    /// Everything is sent again.
    Closed,
}

/// Counts failures in a row. `at` is a time since whatever the caller counts from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    until: Duration,
    pause: Duration,
    /// Whether a call is under way that tells how it is.
    is_probed: bool,
}

impl Breaker {
    /// Lets a call through, or returns how long to wait before the next try.
    ///
    /// # Errors
    /// When nothing is sent now.
    pub fn admit(&mut self, at: Duration) -> Result<(), Duration> {
        match &mut self.open {
            None => Ok(()),
            Some(open) if at < open.until => Err(open.until.saturating_sub(at)),
            // One tries for all. How long it takes is not known.
            Some(open) if open.is_probed => Err(FIRST_PAUSE),
            Some(open) => {
                open.is_probed = true;
                Ok(())
            }
        }
    }

    /// Notes how a call ended that was let through. `chance` is from 0 to 1: processes that lost the same dependency do not all
    /// come back at once.
    pub fn ended(&mut self, ending: Ending, at: Duration, chance: f64) -> Option<Turn> {
        match ending {
            // Also of a call that began before: it is well.
            Ending::Answered => {
                self.failures = 0;
                self.open.take().map(|_| Turn::Closed)
            }
            Ending::Unknown => {
                if let Some(open) = &mut self.open {
                    open.is_probed = false;
                }
                None
            }
            Ending::Failed(asked) => {
                self.failures = self.failures.saturating_add(1);
                let pause = match self.open {
                    None if self.failures < FAILURES => return None,
                    None => FIRST_PAUSE,
                    // Calls that began before tell nothing new.
                    Some(open) if at < open.until => return None,
                    Some(open) => open.pause.saturating_mul(2),
                };
                let pause = pause.max(asked).min(LONGEST_PAUSE);
                let jittered = pause.mul_f64(0.75 + chance.clamp(0.0, 1.0) / 4.0);
                self.open = Some(Open { until: at + jittered, pause, is_probed: false });
                Some(Turn::Opened(jittered))
            }
        }
    }

    /// Whether nothing at all is sent now.
    #[must_use]
    pub fn refuses(&self, at: Duration) -> bool {
        self.open.is_some_and(|open| at < open.until)
    }

    /// Whether nothing is sent, besides a call that tries.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Ending = Ending::Failed(Duration::ZERO);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A breaker that opened at second 0, without jitter.
    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES {
            assert_eq!(breaker.admit(seconds(0)), Ok(()));
            assert_eq!(breaker.ended(FAILED, seconds(0), 1.0), None);
        }
        assert_eq!(breaker.ended(FAILED, seconds(0), 1.0), Some(Turn::Opened(FIRST_PAUSE)));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_starts_anew() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            for _ in 1..FAILURES {
                assert_eq!(breaker.ended(FAILED, seconds(0), 1.0), None);
            }
            assert_eq!(breaker.ended(Ending::Answered, seconds(0), 1.0), None);
        }
        assert!(!breaker.is_open());
        assert_eq!(opened().admit(seconds(1)), Err(seconds(3)));
        assert!(opened().refuses(seconds(3)) && !opened().refuses(seconds(4)));
    }

    #[test]
    fn one_call_tries_for_all() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(seconds(4)), Ok(()));
        assert_eq!(breaker.admit(seconds(4)), Err(FIRST_PAUSE), "somebody tries already");
        let mut left = breaker;
        assert_eq!(left.ended(Ending::Unknown, seconds(5), 1.0), None);
        assert_eq!(left.admit(seconds(5)), Ok(()), "whoever tried has gone");
        assert_eq!(breaker.ended(Ending::Answered, seconds(5), 1.0), Some(Turn::Closed));
        assert_eq!((breaker.admit(seconds(5)), breaker.admit(seconds(5))), (Ok(()), Ok(())));
    }

    #[test]
    fn each_try_that_fails_makes_the_next_later_up_to_the_longest() {
        let mut breaker = opened();
        let (mut at, mut pauses) = (FIRST_PAUSE, Vec::new());
        for _ in 0..6 {
            assert_eq!(breaker.admit(at), Ok(()));
            let Some(Turn::Opened(pause)) = breaker.ended(FAILED, at, 1.0) else {
                panic!("it opens again")
            };
            at += pause;
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses, [8, 16, 32, 60, 60, 60]);
        let mut breaker = opened();
        assert_eq!(breaker.ended(FAILED, seconds(1), 1.0), None, "began before it opened");
        assert_eq!(breaker.admit(seconds(4)), Ok(()));
        let hour = Ending::Failed(seconds(3_600));
        assert_eq!(breaker.ended(hour, seconds(4), 1.0), Some(Turn::Opened(LONGEST_PAUSE)));
    }

    #[test]
    fn processes_do_not_come_back_together() {
        let mut pauses = [0.0, 0.5, 1.0].map(|chance| {
            let mut breaker = Breaker { failures: FAILURES - 1, open: None };
            match breaker.ended(FAILED, seconds(0), chance) {
                Some(Turn::Opened(pause)) => pause.as_millis(),
                other => panic!("{other:?}"),
            }
        });
        pauses.sort_unstable();
        assert_eq!(pauses, [3_000, 3_500, 4_000]);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        for kind in [
            ErrorKind::Invalid,
            ErrorKind::TooLarge,
            ErrorKind::Unauthenticated,
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::RateLimited { retry_after: None },
            ErrorKind::Internal,
        ] {
            assert_eq!(Ending::of(kind), Ending::Answered, "{kind:?}");
        }
        let asked = Some(seconds(9));
        assert_eq!(
            Ending::of(ErrorKind::RateLimited { retry_after: asked }),
            Ending::Failed(seconds(9))
        );
        assert_eq!(Ending::of(ErrorKind::Timeout), FAILED);
    }
}
