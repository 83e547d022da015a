//! How often subjects of tokens call. Unlike a key, a subject has no record of its own: who it is and what it may do is in its
//! token. Only its rate is remembered, for a while.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::KeyId,
    limits::{Rate, Verdict},
    time::Timestamp,
};

use crate::{
    item::{Item, number, number_in},
    keys::{MAX_LOOKS, interval_ms, tat},
    layout,
    table::{Conditional, Table, expiry},
    transaction::Change,
};

const TAKE: &str = "take from a subject's rate";

/// The subjects of tokens.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'tables> {
    pub(crate) table: &'tables Table,
}

impl Subjects<'_> {
    /// Takes one request from a subject's rate: one write for a caller below its rate or over it, two for one within a burst.
    /// Exact for any number of concurrent callers.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn take(
        &self,
        id: &KeyId,
        rate_per_minute: u32,
        now: Timestamp,
    ) -> Result<Verdict, PortError> {
        let rate = Rate::per_minute(rate_per_minute);
        let mut change = at_rest(id, rate_per_minute, now);
        for _ in 0..MAX_LOOKS {
            match self.table.update(TAKE, change).await? {
                Conditional::Done(item) => return Ok(counted(&item, rate_per_minute, now)),
                Conditional::Refused(item) => {
                    let ahead = item.as_ref().and_then(tat);
                    let verdict = rate.decide(ahead, now);
                    if matches!(verdict, Verdict::Refused { .. }) {
                        return Ok(verdict);
                    }
                    change = match ahead {
                        Some(ahead) if ahead > now => within_burst(id, rate_per_minute, now),
                        _ => at_rest(id, rate_per_minute, now),
                    };
                }
            }
        }
        Err(PortError::new(ErrorKind::Conflict, TAKE, "the subject's rate kept changing"))
    }
}

/// The request of a subject that was quiet.
fn at_rest(id: &KeyId, rate_per_minute: u32, now: Timestamp) -> Change {
    let until = now.as_millis() + interval_ms(rate_per_minute);
    Change::of(layout::subject(id), "SET #tat = :until, #expires_at = :expires_at")
        .when("attribute_not_exists(#tat) OR #tat <= :now")
        .with(":now", number(now.as_millis()))
        .with(":until", number(until))
        .with(":expires_at", forgotten(now))
}

/// The request of a subject that is within its burst.
fn within_burst(id: &KeyId, rate_per_minute: u32, now: Timestamp) -> Change {
    let interval = interval_ms(rate_per_minute);
    let latest = now.as_millis() + interval * u64::from(rate_per_minute.max(1) - 1);
    Change::of(layout::subject(id), "SET #tat = #tat + :interval, #expires_at = :expires_at")
        .when("#tat > :now AND #tat <= :latest")
        .with(":now", number(now.as_millis()))
        .with(":latest", number(latest))
        .with(":interval", number(interval))
        .with(":expires_at", forgotten(now))
}

/// When a rate that is not used is full again, and needs not be remembered.
fn forgotten(now: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    expiry(now + 2 * Rate::per_minute(1).period)
}

fn counted(item: &Item, rate_per_minute: u32, now: Timestamp) -> Verdict {
    let before = number_in(item, "tat").saturating_sub(interval_ms(rate_per_minute));
    Rate::per_minute(rate_per_minute).decide(Some(Timestamp::from_millis(before)), now)
}
