//! Where the next page of what is held on a subject begins: a cursor.

use std::{fmt, str::FromStr};

use lectern_core::{
    ids::{QueryId, SessionId},
    time::Timestamp,
};

use super::USAGE_DAYS;

/// Where to go on reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// With the conversations after this one.
    Sessions(Option<SessionId>),
    /// In a conversation, after this message.
    Messages(SessionId, String),
    /// With the feedback after this question's.
    Feedback(Option<QueryId>),
    /// With the usage of so many days before this moment's day.
    Usage(Timestamp, u32),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sessions(None) => formatter.write_str("s"),
            Self::Sessions(Some(session)) => write!(formatter, "s_{session}"),
            Self::Messages(session, after) => write!(formatter, "m_{session}_{after}"),
            Self::Feedback(None) => formatter.write_str("f"),
            Self::Feedback(Some(query)) => write!(formatter, "f_{query}"),
            Self::Usage(last, days) => write!(formatter, "u_{}_{days}", last.as_millis()),
        }
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(raw: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = raw.split('_').collect();
        match *parts {
            ["s"] => Ok(Self::Sessions(None)),
            ["s", session] => Ok(Self::Sessions(Some(session.parse().map_err(|_| ())?))),
            ["m", session, after] => {
                Ok(Self::Messages(session.parse().map_err(|_| ())?, after.to_owned()))
            }
            ["f"] => Ok(Self::Feedback(None)),
            ["f", query] => Ok(Self::Feedback(Some(query.parse().map_err(|_| ())?))),
            ["u", last, days] => {
                let days = days.parse().ok().filter(|days| *days <= USAGE_DAYS).ok_or(())?;
                let last = last.parse().ok().ok_or(())?;
                Ok(Self::Usage(Timestamp::from_millis(last), days))
            }
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_where_it_was_made() {
        let at = Timestamp::from_millis(5);
        for place in [
            Place::Sessions(None),
            Place::Sessions(Some(SessionId::new(at, 1))),
            Place::Messages(SessionId::new(at, 1), "000000000000005-X-0".to_owned()),
            Place::Feedback(None),
            Place::Feedback(Some(QueryId::new(at, 1))),
            Place::Usage(at, USAGE_DAYS),
        ] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
    }

    #[test]
    fn another_text_is_no_cursor() {
        let past = format!("u_5_{}", USAGE_DAYS + 1);
        for text in ["", "s_", "x", "s_nonsense", "m_1", "u_5", "u_-1_3", &past] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
