//! What was used, what may be spent, and how much of it is gone.

use lectern_app::{
    errors::FlowError,
    spending::{BudgetReport, RulesChange, UsageDay, UsageReport},
};
use lectern_core::{
    pricing::MicroDollars,
    spending::{Balance, Period, SpendingLimits},
};
use lectern_runtime::extract::present;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which days.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageParams {
    /// The first UTC day, `2026-11-01`; 30 days before `to` without.
    pub from: Option<String>,
    /// The last; today without.
    pub to: Option<String>,
}

/// What one key used on one day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageRowBody {
    /// The UTC day, `2026-11-21`.
    pub day: String,
    /// The key's id; `operator` for requests without one.
    pub key_id: String,
    /// Questions.
    pub requests: u64,
    /// Tokens sent to models.
    pub prompt_tokens: u64,
    /// Tokens received from models.
    pub completion_tokens: u64,
    /// Tokens sent to embedding models that bill them, for questions and for documents.
    pub embedding_tokens: u64,
    /// What the tokens cost, by the price table.
    pub cost_usd: f64,
}

/// What was used.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageReportBody {
    /// By day, then key. Days without a request are not there.
    pub usage: Vec<UsageRowBody>,
    /// Whether there was more than is listed: ask for fewer days.
    pub truncated: bool,
}

impl From<UsageReport> for UsageReportBody {
    fn from(report: UsageReport) -> Self {
        let row = |row: UsageDay| UsageRowBody {
            day: row.day,
            key_id: row.spender,
            requests: row.usage.requests,
            prompt_tokens: row.usage.prompt_tokens,
            completion_tokens: row.usage.completion_tokens,
            embedding_tokens: row.usage.embedding_tokens,
            cost_usd: row.usage.cost_micro_usd.as_dollars(),
        };
        Self { usage: report.days.into_iter().map(row).collect(), truncated: report.is_truncated }
    }
}

/// Most that may be spent. Nothing is begun once it is reached, so that it is passed by less than one request costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsBody {
    /// Dollars in a UTC day; `null` without limit.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000000000)]
    pub usd_per_day: Option<f64>,
    /// Dollars in a UTC month; `null` without limit.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000000000)]
    pub usd_per_month: Option<f64>,
}

impl LimitsBody {
    /// Returns the limits.
    ///
    /// # Errors
    /// When one is no amount of dollars; `pointer` is where they stand.
    pub(crate) fn parse(self, pointer: &str) -> Result<SpendingLimits, FlowError> {
        Ok(SpendingLimits {
            per_day: dollars(self.usd_per_day, &format!("{pointer}/usd_per_day"))?,
            per_month: dollars(self.usd_per_month, &format!("{pointer}/usd_per_month"))?,
        })
    }
}

impl From<SpendingLimits> for LimitsBody {
    fn from(limits: SpendingLimits) -> Self {
        let usd = |limit: Option<MicroDollars>| limit.map(MicroDollars::as_dollars);
        Self { usd_per_day: usd(limits.per_day), usd_per_month: usd(limits.per_month) }
    }
}

/// Returns an amount of dollars.
fn dollars(usd: Option<f64>, pointer: &str) -> Result<Option<MicroDollars>, FlowError> {
    let parsed = usd.map(MicroDollars::try_from).transpose();
    parsed.map_err(|error| FlowError::field(pointer, error))
}

/// Returns an amount of dollars that is to be changed: `None` when it stays, `Some(None)` when it goes.
pub(crate) fn changed_dollars(
    usd: Option<Option<f64>>,
    pointer: &str,
) -> Result<Option<Option<MicroDollars>>, FlowError> {
    usd.map(|usd| dollars(usd, pointer)).transpose()
}

/// What to change of a budget; what is absent stays.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeBudgetBody {
    /// Dollars in a UTC day; `null` takes the account's limit away, and the deployment's is in force.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1000000000)]
    pub usd_per_day: Option<Option<f64>>,
    /// Dollars in a UTC month; `null` takes the account's limit away, and the deployment's is in force.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1000000000)]
    pub usd_per_month: Option<Option<f64>>,
    /// `true` stops all spending at once, `false` lets it go on.
    #[serde(default)]
    pub stopped: Option<bool>,
}

impl ChangeBudgetBody {
    pub(crate) fn parse(self) -> Result<RulesChange, FlowError> {
        Ok(RulesChange {
            per_day: changed_dollars(self.usd_per_day, "/usd_per_day")?,
            per_month: changed_dollars(self.usd_per_month, "/usd_per_month")?,
            stopped: self.stopped,
        })
    }
}

/// What went in a day or month.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct BalanceBody {
    /// Dollars spent.
    pub spent_usd: f64,
    /// Dollars set aside for requests that are under way.
    pub held_usd: f64,
    /// The limit in force; `null` without.
    pub limit_usd: Option<f64>,
}

impl BalanceBody {
    fn of(balance: Balance, limit: Option<MicroDollars>) -> Self {
        Self {
            spent_usd: balance.spent.as_dollars(),
            held_usd: balance.held.as_dollars(),
            limit_usd: limit.map(MicroDollars::as_dollars),
        }
    }
}

/// What may be spent, and how much of it is gone.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BudgetBody {
    /// The running UTC day.
    pub day: BalanceBody,
    /// The running UTC month.
    pub month: BalanceBody,
    /// Since when all spending is stopped, RFC 3339; `null` when it is not.
    pub stopped_at: Option<String>,
}

impl From<BudgetReport> for BudgetBody {
    fn from(report: BudgetReport) -> Self {
        let of = |period| BalanceBody::of(report.standing.of(period), report.limits.of(period));
        Self {
            day: of(Period::Day),
            month: of(Period::Month),
            stopped_at: report.stopped_at.map(lectern_core::time::Timestamp::to_rfc3339),
        }
    }
}
