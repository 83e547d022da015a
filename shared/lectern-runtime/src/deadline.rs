//! When a request's time is over.

use std::time::{Duration, Instant};

use axum::http::Extensions;

/// Time kept back for what comes after the answer: the last bytes, the log, the records.
pub const MARGIN: Duration = Duration::from_millis(750);

/// When whoever runs this process ends the request. Absent where nobody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// Returns how long a request may still take, [`MARGIN`] kept back: `longest`, or less when its deadline comes sooner.
    #[must_use]
    pub fn bound(request: &Extensions, longest: Duration, now: Instant) -> Duration {
        let Some(Self(end)) = request.get::<Self>() else { return longest };
        longest.min(end.saturating_duration_since(now).saturating_sub(MARGIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_sooner_ends_a_request() {
        let (now, longest) = (Instant::now(), Duration::from_secs(30));
        let mut request = Extensions::new();
        assert_eq!(Deadline::bound(&request, longest, now), longest);
        request.insert(Deadline(now + Duration::from_secs(60)));
        assert_eq!(Deadline::bound(&request, longest, now), longest);
        request.insert(Deadline(now + Duration::from_secs(10)));
        assert_eq!(Deadline::bound(&request, longest, now), Duration::from_millis(9_250));
        request.insert(Deadline(now));
        assert_eq!(Deadline::bound(&request, longest, now), Duration::ZERO);
    }
}
