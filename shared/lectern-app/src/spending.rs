//! What a request costs: set aside before a model is called, counted as it is spent, settled when it is over.
//!
//! A bill is settled whatever becomes of its request: one that fails has spent as well, and one whose client hangs up is
//! settled when it is dropped. Only a process that dies settles nothing; what it set aside is let go when its time is over.

mod bill;
mod meter;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use lectern_core::{
    auth::Caller,
    errors::chain,
    ids::{KeyId, TenantId},
    ports::TokenCount,
    pricing::{MicroDollars, PriceTable},
    spending::{SpendingLimits, Standing},
    time::Timestamp,
};
use lectern_tables::{MAX_PAGE, Tables, budget::Ledger, spending_rules::SpendingRules};
pub use lectern_tables::{spending_rules::RulesChange, usage::UsageDay};
use tracing::{info, warn};

pub use self::bill::Bill;
pub(crate) use self::meter::Meter;
use crate::{clock::Clock, errors::FlowError, keys::administers};

/// Time after a request's own for which its money is set aside: it takes a moment to settle.
const GRACE: Duration = Duration::from_secs(60);
/// Most days of a report.
pub const MAX_REPORTED_DAYS: u64 = 366;
/// Most rows of a report: days by keys.
pub const MAX_REPORTED_ROWS: usize = 10_000;

/// Counts what is spent, and refuses what would be too much.
#[derive(Clone, Debug)]
pub struct Spending {
    /// The table.
    pub tables: Tables,
    /// What tokens cost.
    pub prices: Arc<PriceTable>,
    /// The limits of an account that has none of its own.
    pub limits: SpendingLimits,
    /// The time.
    pub clock: Clock,
}

/// What a request used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens of chat models.
    pub tokens: TokenCount,
    /// Tokens of embedding models that bill them.
    pub embedding_tokens: u64,
    /// Money, for both.
    pub cost: MicroDollars,
}

/// What an account may spend, and how much of it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetReport {
    /// Its limits, or those of the deployment.
    pub limits: SpendingLimits,
    /// Since when nothing may be spent.
    pub stopped_at: Option<Timestamp>,
    /// What went.
    pub standing: Standing,
}

/// What was used on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageReport {
    /// By day, then key.
    pub days: Vec<UsageDay>,
    /// Whether there is more.
    pub is_truncated: bool,
}

/// Returns a changed limit as a log line has it; `None` where it stays.
fn told(limit: Option<Option<MicroDollars>>) -> Option<String> {
    let text = |limit: MicroDollars| limit.as_dollars().to_string();
    limit.map(|limit| limit.map_or_else(|| "none".to_owned(), text))
}

impl Spending {
    /// Returns a bill for a request of `caller` that ends after `time_budget` at the latest and costs at most `amount`.
    #[must_use]
    pub fn bill(&self, caller: &Caller, amount: MicroDollars, time_budget: Duration) -> Bill {
        Bill::new(self.clone(), caller, amount, time_budget + GRACE)
    }

    /// Books what was used for an account without a request of a caller: by a document that is ingested. It is spent
    /// already, so a failure to write it is logged and changes nothing.
    pub(crate) async fn book(&self, tenant: &TenantId, key: Option<&KeyId>, meter: Meter) {
        let spent = meter.read(&self.prices);
        if let Err(error) = bill::book(self, tenant, key, meter).await {
            let Spent { tokens, embedding_tokens, cost } = spent;
            warn!(
                tenant = %tenant.account(), key.id = key.map(KeyId::as_str), prompt_tokens = tokens.prompt,
                completion_tokens = tokens.completion, embedding_tokens, micro_usd = cost.0, error = %chain(&error),
                "failed to count what was spent"
            );
        }
    }

    /// Returns what the caller's account may spend, and how much of it is gone.
    ///
    /// # Errors
    /// When the caller is no administrator, or the table fails.
    pub async fn budget(&self, caller: &Caller) -> Result<BudgetReport, FlowError> {
        administers(caller)?;
        let rules = self.tables.spending_rules().get(&caller.tenant).await?;
        self.report(caller, None, rules).await
    }

    /// Changes the account's limits, and stops or resumes all spending; from the next question on.
    ///
    /// # Errors
    /// When the caller is no administrator, or the table fails.
    pub async fn set_budget(
        &self,
        caller: &Caller,
        change: RulesChange,
    ) -> Result<BudgetReport, FlowError> {
        administers(caller)?;
        let all = self.tables.spending_rules();
        let rules = all.change(&caller.tenant, change, self.clock.now()).await?;
        info!(
            tenant = %caller.tenant.account(), key.id = caller.key_id.as_ref().map(KeyId::as_str),
            usd_per_day = told(change.per_day), usd_per_month = told(change.per_month), stopped = change.stopped,
            "changed what may be spent"
        );
        self.report(caller, None, rules).await
    }

    /// Returns what one key may spend and has.
    ///
    /// # Errors
    /// When the caller is no administrator, or the table fails.
    pub async fn key_budget(
        &self,
        caller: &Caller,
        key: &KeyId,
        limits: SpendingLimits,
    ) -> Result<BudgetReport, FlowError> {
        administers(caller)?;
        self.report(caller, Some(key), SpendingRules { limits, stopped_at: None }).await
    }

    /// Returns what was used on the UTC days from `from` to `to`.
    ///
    /// # Errors
    /// When the caller is no administrator, the days are too many or in the wrong order, or the table fails.
    pub async fn usage(
        &self,
        caller: &Caller,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<UsageReport, FlowError> {
        administers(caller)?;
        if from > to {
            return Err(FlowError::field("/from", "must not be after `to`"));
        }
        if to.since(from) > Duration::from_secs(MAX_REPORTED_DAYS * 24 * 60 * 60) {
            let detail = format!("must be within {MAX_REPORTED_DAYS} days of `to`");
            return Err(FlowError::field("/from", detail));
        }
        let (mut days, mut cursor) = (Vec::new(), None);
        loop {
            let usage = self.tables.usage();
            let page = usage.range(&caller.tenant, from, to, MAX_PAGE, cursor.as_deref()).await?;
            days.extend(page.items);
            cursor = page.next;
            let is_truncated = cursor.is_some() && days.len() >= MAX_REPORTED_ROWS;
            if cursor.is_none() || is_truncated {
                return Ok(UsageReport { days, is_truncated });
            }
        }
    }

    async fn report(
        &self,
        caller: &Caller,
        key: Option<&KeyId>,
        rules: SpendingRules,
    ) -> Result<BudgetReport, FlowError> {
        let ledger = Ledger { tenant: &caller.tenant, key };
        let standing = self.tables.budgets().standing(ledger, self.clock.now()).await?;
        let limits = if key.is_some() { rules.limits } else { rules.limits.or(self.limits) };
        Ok(BudgetReport { limits, stopped_at: rules.stopped_at, standing })
    }
}
