//! What one request costs.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lectern_core::{
    auth::Caller,
    errors::{ErrorKind, PortError, chain},
    ids::{KeyId, TenantId},
    ports::{ChatModel, ChatRequest, ChatStream},
    pricing::MicroDollars,
    spending::{Period, SpendingLimits, Standing},
    time::Timestamp,
};
use lectern_tables::{
    budget::{Ledger, Reservation, Reserve},
    usage::Usage,
};
use tokio::sync::OnceCell;
use tracing::warn;

use super::{Spending, Spent, meter::Meter};
use crate::errors::{FlowError, Spender};

/// What one request costs: set aside once, settled once.
#[derive(Debug)]
pub struct Bill {
    open: Open,
    /// Whether money was set aside, or why not.
    held: OnceCell<Result<(), Refusal>>,
}

/// What is to be settled.
#[derive(Clone, Debug)]
struct Open {
    spending: Spending,
    tenant: TenantId,
    key: Option<KeyId>,
    key_limits: SpendingLimits,
    amount: MicroDollars,
    begun_at: Timestamp,
    until: Timestamp,
    meter: Meter,
    reserved: Arc<Mutex<Reserved>>,
}

/// What was set aside, and what was known then.
#[derive(Debug, Default)]
struct Reserved {
    account: Option<Reservation>,
    key: Option<Reservation>,
    account_limits: SpendingLimits,
    is_settled: bool,
}

/// Why nothing was set aside.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Over { whose: Spender, period: Period },
    Held { whose: Spender },
    Stopped,
}

impl Bill {
    pub(super) fn new(
        spending: Spending,
        caller: &Caller,
        amount: MicroDollars,
        lasts: Duration,
    ) -> Self {
        let begun_at = spending.clock.now();
        let open = Open {
            spending,
            tenant: caller.tenant.clone(),
            key: caller.key_id.clone(),
            key_limits: caller.limits,
            amount,
            begun_at,
            until: begun_at + lasts,
            meter: Meter::default(),
            reserved: Arc::default(),
        };
        Self { open, held: OnceCell::new() }
    }

    /// Sets aside what the request may cost, once; where nothing is limited nothing is.
    ///
    /// # Errors
    /// `OverBudget`, `BudgetHeld` or `SpendingStopped`; or when the table fails.
    pub async fn reserve(&self) -> Result<(), FlowError> {
        let held = *self.held.get_or_try_init(|| Box::pin(self.open.reserve())).await?;
        held.map_err(|refusal| self.open.refused(refusal))
    }

    /// Sends a request to a model, if there is money for it, and counts what it uses.
    ///
    /// # Errors
    /// As [`Self::reserve`], and what the model refuses with.
    pub async fn stream(
        &self,
        chat: &dyn ChatModel,
        request: ChatRequest,
    ) -> Result<ChatStream, FlowError> {
        self.reserve().await?;
        Ok(self.open.meter.stream(chat, request).await?)
    }

    /// Counts embeddings at the cost of this bill. Nothing is set aside for them: a question's cost less than the
    /// round trip that would ask for the money.
    pub(crate) fn meter(&self) -> &Meter {
        &self.open.meter
    }

    /// Returns what was used so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.open.meter.read(&self.open.spending.prices)
    }

    /// Counts the request and what it used, and lets go of the rest; once, whoever calls again.
    ///
    /// # Errors
    /// When the table fails.
    pub async fn settle(&self) -> Result<(), PortError> {
        self.settle_as(1).await
    }

    /// Counts what was used and no question; writes nothing where nothing was used.
    ///
    /// # Errors
    /// When the table fails.
    pub(crate) async fn settle_without_question(&self) -> Result<(), PortError> {
        self.settle_as(0).await
    }

    async fn settle_as(&self, requests: u64) -> Result<(), PortError> {
        let open = self.open.clone();
        // By itself: a client that hangs up now must not cut it short.
        let settling =
            tokio::spawn(Box::pin(async move { open.settle(open.used(requests)).await }));
        settling.await.map_err(|panic| PortError::new(ErrorKind::Internal, "settle", panic))?
    }

    /// Settles a request that failed: it counts when it cost something. A failure to is logged; the request has one already.
    pub async fn give_up(&self) {
        if self.open.is_clear() {
            return;
        }
        let open = self.open.clone();
        let settling = tokio::spawn(Box::pin(async move { open.give_up().await }));
        settling.await.unwrap_or_else(|panic| warn!(%panic, "failed to settle a request"));
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        let open = self.open.clone();
        if open.is_clear() {
            return;
        }
        // Whoever asked has gone.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(Box::pin(async move { open.give_up().await }))),
            Err(_) => warn!("a request ended without being settled"),
        }
    }
}

/// Books what `meter` counted and nothing was set aside for, at the expense of the account, and of the key where one is
/// known; not as a question.
pub(super) async fn book(
    spending: &Spending,
    tenant: &TenantId,
    key: Option<&KeyId>,
    meter: Meter,
) -> Result<(), PortError> {
    let now = spending.clock.now();
    let open = Open {
        spending: spending.clone(),
        tenant: tenant.clone(),
        key: key.cloned(),
        // The key's own limits refuse its next question; only the account's are told of from here.
        key_limits: SpendingLimits::default(),
        amount: MicroDollars(0),
        begun_at: now,
        until: now,
        meter,
        reserved: Arc::default(),
    };
    let used = open.used(0);
    if used.cost_micro_usd.0 > 0 {
        let rules = spending.tables.spending_rules().get(tenant).await?;
        open.reserved().account_limits = rules.limits.or(spending.limits);
    }
    open.settle(used).await
}

impl Open {
    async fn reserve(&self) -> Result<Result<(), Refusal>, PortError> {
        let rules = self.spending.tables.spending_rules().get(&self.tenant).await?;
        if rules.stopped_at.is_some() {
            return Ok(Err(Refusal::Stopped));
        }
        let account_limits = rules.limits.or(self.spending.limits);
        self.reserved().account_limits = account_limits;
        let (account, key) = futures::join!(
            self.set_aside(Spender::Account, account_limits),
            self.set_aside(Spender::Key, self.key_limits)
        );
        Ok(account?.or(key?).map_or(Ok(()), Err))
    }

    /// Sets money aside where there is a limit; returns why it did not. What one of two set aside when the other did not is
    /// let go when the request is over, which is soon.
    async fn set_aside(
        &self,
        whose: Spender,
        limits: SpendingLimits,
    ) -> Result<Option<Refusal>, PortError> {
        let Some(ledger) = self.ledger(whose).filter(|_| !limits.is_empty()) else {
            return Ok(None);
        };
        let (budgets, now) = (self.spending.tables.budgets(), self.begun_at);
        match budgets.reserve(ledger, self.amount, limits, now, self.until).await? {
            Reserve::Reserved(reservation) => {
                *self.reserved().of(whose) = Some(reservation);
                Ok(None)
            }
            Reserve::Over(standing) => Ok(Some(match standing.exhausted(limits) {
                Some(period) => Refusal::Over { whose, period },
                None => Refusal::Held { whose },
            })),
        }
    }

    fn refused(&self, refusal: Refusal) -> FlowError {
        match refusal {
            Refusal::Stopped => FlowError::SpendingStopped,
            Refusal::Held { whose } => FlowError::BudgetHeld { whose },
            Refusal::Over { whose, period } => {
                let retry_after = period.ends(self.begun_at).since(self.begun_at);
                FlowError::OverBudget { whose, period, retry_after }
            }
        }
    }

    async fn settle(&self, used: Usage) -> Result<(), PortError> {
        let (account, key, account_limits) = {
            let mut reserved = self.reserved();
            if mem::replace(&mut reserved.is_settled, true) {
                return Ok(());
            }
            (reserved.account.take(), reserved.key.take(), reserved.account_limits)
        };
        let count = async {
            if used == Usage::default() {
                return Ok(());
            }
            let usage = self.spending.tables.usage();
            usage.add(&self.tenant, self.key.as_ref(), &used, self.begun_at).await
        };
        let cost = used.cost_micro_usd;
        let (counted, account, key) = futures::join!(
            count,
            self.book(Spender::Account, account, account_limits, cost),
            self.book(Spender::Key, key, self.key_limits, cost)
        );
        counted.and(account).and(key)
    }

    /// Writes what was spent into a ledger, and tells people when that is near its limit.
    async fn book(
        &self,
        whose: Spender,
        reservation: Option<Reservation>,
        limits: SpendingLimits,
        cost: MicroDollars,
    ) -> Result<(), PortError> {
        let (budgets, now) = (self.spending.tables.budgets(), self.spending.clock.now());
        let standing = match (reservation, self.ledger(whose)) {
            (Some(reservation), _) => budgets.settle(&reservation, cost, now).await?,
            (None, Some(ledger)) if cost.0 > 0 => budgets.spend(ledger, cost, now).await?,
            _ => return Ok(()),
        };
        self.alert(whose, standing, limits, cost);
        Ok(())
    }

    fn alert(
        &self,
        whose: Spender,
        standing: Standing,
        limits: SpendingLimits,
        cost: MicroDollars,
    ) {
        for (period, percent) in standing.alerts(limits, cost) {
            let spent_usd = standing.of(period).spent.as_dollars();
            let limit_usd = limits.of(period).unwrap_or_default().as_dollars();
            warn!(tenant = %self.tenant.account(), key.id = self.key.as_ref().map(KeyId::as_str), %whose, %period, percent, spent_usd, limit_usd, "a budget is nearly spent or spent");
        }
    }

    /// Returns what the request used.
    fn used(&self, requests: u64) -> Usage {
        let Spent { tokens, embedding_tokens, cost } = self.meter.read(&self.spending.prices);
        Usage {
            requests,
            prompt_tokens: u64::from(tokens.prompt),
            completion_tokens: u64::from(tokens.completion),
            embedding_tokens,
            cost_micro_usd: cost,
        }
    }

    async fn give_up(&self) {
        let used = self.used(0);
        let used = if used == Usage::default() { used } else { Usage { requests: 1, ..used } };
        if let Err(error) = self.settle(used).await {
            warn!(tenant = %self.tenant.account(), error = %chain(&error), "failed to settle a request that failed");
        }
    }

    /// Whether nothing is left to be settled.
    fn is_clear(&self) -> bool {
        let reserved = self.reserved();
        let holds = reserved.account.is_some() || reserved.key.is_some();
        reserved.is_settled || (!holds && self.used(0) == Usage::default())
    }

    fn ledger(&self, whose: Spender) -> Option<Ledger<'_>> {
        let tenant = &self.tenant;
        match whose {
            Spender::Account => Some(Ledger { tenant, key: None }),
            Spender::Key => self.key.as_ref().map(|key| Ledger { tenant, key: Some(key) }),
        }
    }

    fn reserved(&self) -> MutexGuard<'_, Reserved> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved {
    fn of(&mut self, whose: Spender) -> &mut Option<Reservation> {
        match whose {
            Spender::Account => &mut self.account,
            Spender::Key => &mut self.key,
        }
    }
}
