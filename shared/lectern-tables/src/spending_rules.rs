//! What an account lets itself spend.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::TenantId,
    pricing::MicroDollars,
    spending::SpendingLimits,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    item::{from_item, number},
    layout,
    table::{Conditional, Table},
    transaction::Change,
};

/// What an account lets itself spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendingRules {
    /// Its own limits.
    #[serde(flatten)]
    pub limits: SpendingLimits,
    /// Since when nothing may be spent at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
}

/// What is to be changed of the rules. What is `None` stays; `Some(None)` takes a limit away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RulesChange {
    /// Most that may be spent in a day.
    pub per_day: Option<Option<MicroDollars>>,
    /// Most that may be spent in a month.
    pub per_month: Option<Option<MicroDollars>>,
    /// Whether nothing may be spent at all.
    pub stopped: Option<bool>,
}

/// The rules of every account.
#[derive(Clone, Copy, Debug)]
pub struct AllSpendingRules<'tables> {
    pub(crate) table: &'tables Table,
}

impl AllSpendingRules<'_> {
    /// Returns an account's rules; none where nobody set any.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, tenant: &TenantId) -> Result<SpendingRules, PortError> {
        let operation = "read spending rules";
        let item = self.table.get(operation, &layout::spending_rules(tenant)).await?;
        item.map_or(Ok(SpendingRules::default()), |item| from_item(operation, &item))
    }

    /// Changes the rules; returns them. Of two stops the first one's time stays.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn change(
        &self,
        tenant: &TenantId,
        changed: RulesChange,
        now: Timestamp,
    ) -> Result<SpendingRules, PortError> {
        let operation = "change spending rules";
        let (mut set, mut removed, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (name, placeholder, limit) in [
            ("micro_usd_per_day", ":per_day", changed.per_day),
            ("micro_usd_per_month", ":per_month", changed.per_month),
        ] {
            match limit {
                Some(Some(MicroDollars(limit))) => {
                    set.push(format!("#{name} = {placeholder}"));
                    values.push((placeholder, number(limit)));
                }
                Some(None) => removed.push(format!("#{name}")),
                None => {}
            }
        }
        match changed.stopped {
            Some(true) => {
                set.push("#stopped_at = if_not_exists(#stopped_at, :now)".to_owned());
                values.push((":now", number(now.as_millis())));
            }
            Some(false) => removed.push("#stopped_at".to_owned()),
            None => {}
        }
        let clauses = [("SET", set), ("REMOVE", removed)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let expression: Vec<String> =
            clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect();
        if expression.is_empty() {
            return self.get(tenant).await;
        }
        let change = Change::of(layout::spending_rules(tenant), &expression.join(" "));
        let change =
            values.into_iter().fold(change, |change, (name, value)| change.with(name, value));
        match self.table.update(operation, change).await? {
            Conditional::Done(item) => from_item(operation, &item),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::Internal, operation)),
        }
    }
}
