//! Days and instants in filters and metadata.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339,
    macros::format_description,
};

/// Longest text of a moment in bytes.
const MAX_BYTES: usize = 64;

/// The text is neither a day nor an instant.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be a day like `2026-11-21` or an RFC 3339 instant like `2026-11-21T10:00:00Z`")]
pub struct NotAMoment;

/// A day, which is the whole of it in UTC, or an instant, as RFC 3339 writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    text: String,
    first: i64,
    /// The first microsecond after it; for an instant its own.
    end: i64,
}

impl Moment {
    /// Returns its first microsecond, counted from 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn first_micros(&self) -> i64 {
        self.first
    }

    /// Returns the first microsecond after it when it is a day, `None` when it is an instant.
    #[must_use]
    pub fn day_end_micros(&self) -> Option<i64> {
        (self.end > self.first).then_some(self.end)
    }
}

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(raw: &str) -> Result<Self, NotAMoment> {
        if raw.len() > MAX_BYTES {
            return Err(NotAMoment);
        }
        let text = raw.to_owned();
        if let Ok(instant) = OffsetDateTime::parse(raw, &Rfc3339) {
            let first = micros(instant);
            return Ok(Self { text, first, end: first });
        }
        let day = Date::parse(raw, format_description!("[year]-[month]-[day]"));
        let day = day.map_err(|_| NotAMoment)?;
        let next = day.next_day().ok_or(NotAMoment)?;
        Ok(Self { text, first: midnight(day), end: midnight(next) })
    }
}

/// Instants below a microsecond are cut off, as the index does.
fn micros(instant: OffsetDateTime) -> i64 {
    let micros = instant.to_offset(UtcOffset::UTC).unix_timestamp_nanos().div_euclid(1_000);
    i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })
}

fn midnight(day: Date) -> i64 {
    micros(PrimitiveDateTime::new(day, time::Time::MIDNIGHT).assume_utc())
}

impl TryFrom<String> for Moment {
    type Error = NotAMoment;

    fn try_from(text: String) -> Result<Self, NotAMoment> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.text
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_lasts_and_an_instant_does_not() {
        let day: Moment = "1970-01-02".parse().unwrap();
        assert_eq!(day.first_micros(), 86_400_000_000);
        assert_eq!(day.day_end_micros(), Some(2 * 86_400_000_000));
        let instant: Moment = "1970-01-02T05:00:00.0000019+05:00".parse().unwrap();
        assert_eq!((instant.first_micros(), instant.day_end_micros()), (86_400_000_001, None));
    }

    #[test]
    fn refuses_other_texts() {
        let long = format!("2026-11-21T10:00:00.{}Z", "1".repeat(MAX_BYTES));
        for bad in ["", "2026", "2026-13-01", "2026-11-21T25:00:00Z", "21.11.2026", &long] {
            assert_eq!(bad.parse::<Moment>(), Err(NotAMoment), "{bad}");
        }
    }
}
