//! Time as a value. Nothing in this crate reads a clock.

use std::{fmt, ops::Add, time::Duration};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

const MILLIS_PER_DAY: u64 = 24 * 60 * 60 * 1_000;

impl Timestamp {
    /// Returns the moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns whole seconds since the epoch, DynamoDB's unit for TTL.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// Returns how long ago `earlier` was, zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Returns RFC 3339 text in UTC, `2026-11-21T03:00:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.calendar().format(&Rfc3339).unwrap_or_default()
    }

    /// Returns the moment of an RFC 3339 text in any zone, `None` for another text and for one before 1970.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// Returns the moment so much earlier, the epoch at the earliest.
    #[must_use]
    pub fn before(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(earlier.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns the UTC day, `2026-11-21`, the key of a usage record.
    #[must_use]
    pub fn day(self) -> String {
        self.calendar().format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
    }

    /// Returns when the next UTC day begins.
    #[must_use]
    pub fn next_day(self) -> Self {
        Self((self.0 / MILLIS_PER_DAY + 1) * MILLIS_PER_DAY)
    }

    /// Returns when the next UTC month begins.
    #[must_use]
    pub fn next_month(self) -> Self {
        let today = self.calendar().date();
        let left = today.month().length(today.year()) - today.day();
        Self(self.next_day().0 + u64::from(left) * MILLIS_PER_DAY)
    }

    fn calendar(self) -> OffsetDateTime {
        let seconds = i64::try_from(self.0 / 1_000).unwrap_or(i64::MAX);
        let moment = OffsetDateTime::from_unix_timestamp(seconds);
        moment.unwrap_or(OffsetDateTime::UNIX_EPOCH) + Duration::from_millis(self.0 % 1_000)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_in_utc() {
        let moment = Timestamp::from_millis(1_795_230_000_250);
        assert_eq!(moment.to_rfc3339(), "2026-11-21T03:00:00.25Z");
        assert_eq!(moment.day(), "2026-11-21");
    }

    #[test]
    fn parses_what_it_formats_and_other_zones() {
        for text in ["2026-11-21T03:00:00.25Z", "2026-11-21T05:00:00.25+02:00"] {
            let parsed = Timestamp::parse_rfc3339(text).unwrap();
            assert_eq!(parsed.as_millis(), 1_795_230_000_250, "{text}");
        }
        for text in ["", "2026-11-21", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_months_end_in_utc() {
        let moment = Timestamp::from_millis(1_795_230_000_250);
        assert_eq!(moment.next_day().to_rfc3339(), "2026-11-22T00:00:00Z");
        assert_eq!(moment.next_month().to_rfc3339(), "2026-12-01T00:00:00Z");
        assert_eq!(moment.next_month().next_month().to_rfc3339(), "2027-01-01T00:00:00Z");
        let leap_day = Timestamp::from_millis(1_835_395_200_000);
        assert_eq!(leap_day.to_rfc3339(), "2028-02-29T00:00:00Z");
        assert_eq!(leap_day.next_day(), leap_day.next_month());
    }
}
