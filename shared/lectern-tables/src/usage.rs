//! What was used, counted by day and key.

use std::time::Duration;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{KeyId, TenantId},
    pricing::MicroDollars,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    MAX_PAGE, Page,
    item::{from_item, number, text},
    layout,
    range::{Range, Sort},
    table::Table,
    transaction::Change,
};

/// Who spends when there is no key: the operator of a data directory.
pub(crate) const OPERATOR: &str = "operator";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counters of a day, or what one request adds to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Requests.
    pub requests: u64,
    /// Tokens sent to models.
    pub prompt_tokens: u64,
    /// Tokens received from models.
    pub completion_tokens: u64,
    /// Tokens sent to embedding models that bill them; no counter of before they were counted.
    #[serde(default)]
    pub embedding_tokens: u64,
    /// What the tokens cost.
    pub cost_micro_usd: MicroDollars,
}

/// What a key used on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageDay {
    /// The UTC day, `2026-11-21`.
    pub day: String,
    /// The key, `operator` when there was none.
    pub spender: String,
    /// The counters.
    #[serde(flatten)]
    pub usage: Usage,
}

/// The usage of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct UsageDays<'tables> {
    pub(crate) table: &'tables Table,
}

impl UsageDays<'_> {
    /// Adds to the counters of `now`'s day. Never loses a count; a reply lost on the network can make
    /// the client's retry count one request twice.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn add(
        &self,
        tenant: &TenantId,
        key: Option<&KeyId>,
        usage: &Usage,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let (day, spender) = (now.day(), spender(key));
        let change = Change::of(
            layout::usage_day(tenant, &day, spender),
            "SET #day = :day, #spender = :spender ADD #requests :requests, \
             #prompt_tokens :prompt, #completion_tokens :completion, \
             #embedding_tokens :embedding, #cost_micro_usd :cost",
        )
        .with(":day", text(&*day))
        .with(":spender", text(spender))
        .with(":requests", number(usage.requests))
        .with(":prompt", number(usage.prompt_tokens))
        .with(":completion", number(usage.completion_tokens))
        .with(":embedding", number(usage.embedding_tokens))
        .with(":cost", number(usage.cost_micro_usd.0));
        self.table.update("add usage", change).await.map(|_| ())
    }

    /// Returns up to `limit` (at most [`MAX_PAGE`]) rows of the UTC days `from..=to`, by day, then key.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn range(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<UsageDay>, PortError> {
        let operation = "read usage";
        let mut range = Range::prefixed(layout::spending(tenant), "DAY#", limit.clamp(1, MAX_PAGE));
        // `~` follows every character of a key.
        let last = layout::usage_day(tenant, &to.day(), "~").sk;
        range.sort = Some(Sort::Between(layout::usage_day(tenant, &from.day(), "").sk, last));
        if let Some(cursor) = cursor {
            let (day, spender) =
                cursor.split_once('/').ok_or(PortError::bare(ErrorKind::Invalid, operation))?;
            range.after = Some(layout::usage_day(tenant, day, spender).to_item());
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let found = found.iter().map(|item| from_item(operation, item));
        let items = found.collect::<Result<Vec<UsageDay>, _>>()?;
        let next = last.and(items.last()).map(|row| format!("{}/{}", row.day, row.spender));
        Ok(Page { items, next })
    }

    /// Returns what a key or subject used on the `days` UTC days (at most [`MAX_PAGE`]) that end with `last`'s, newest first;
    /// days without a request are left out.
    ///
    /// # Errors
    /// `TooLarge` for more days.
    pub async fn of(
        &self,
        tenant: &TenantId,
        key: &KeyId,
        last: Timestamp,
        days: u32,
    ) -> Result<Vec<UsageDay>, PortError> {
        let operation = "read a key's usage";
        let day = |back: u32| last.before(DAY * back).day();
        let keys = (0..days).map(|back| layout::usage_day(tenant, &day(back), key.as_str()));
        let found = self.table.batch_get(operation, keys.collect()).await?;
        let rows = found.iter().map(|item| from_item(operation, item));
        let mut rows = rows.collect::<Result<Vec<UsageDay>, _>>()?;
        rows.sort_by(|one, other| other.day.cmp(&one.day));
        Ok(rows)
    }
}

/// Returns the name of who spends.
pub(crate) fn spender(key: Option<&KeyId>) -> &str {
    key.map_or(OPERATOR, KeyId::as_str)
}
