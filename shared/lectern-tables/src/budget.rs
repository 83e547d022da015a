//! What may be spent in a month: reserved before it is spent, settled when the price is known.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{KeyId, TenantId},
    pricing::MicroDollars,
    time::Timestamp,
};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    item::{number, number_in},
    layout::{self, Key},
    table::{Conditional, Table},
    transaction::Change,
    usage::spender,
};

/// Length of `2026-11`, the month of a day.
const MONTH_CHARS: usize = 7;

/// The budgets of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Budgets<'tables> {
    pub(crate) table: &'tables Table,
}

/// Money set aside for one request. Settle it; one that is never settled stays spent, which errs on
/// the safe side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    key: Key,
    amount: MicroDollars,
}

/// What became of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// The money is set aside.
    Reserved(Reservation),
    /// It would go over the limit.
    OverBudget {
        /// Spent and reserved this month.
        committed: MicroDollars,
    },
}

impl Budgets<'_> {
    /// Sets `amount` aside if what is spent and reserved this month stays within `limit`. Exact for
    /// any number of concurrent callers.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn reserve(
        &self,
        tenant: &TenantId,
        key: Option<&KeyId>,
        amount: MicroDollars,
        limit: MicroDollars,
        now: Timestamp,
    ) -> Result<Reserve, PortError> {
        let operation = "reserve budget";
        let key = month_of(tenant, key, now);
        let Some(room) = limit.0.checked_sub(amount.0) else {
            let committed = self.committed_in(operation, &key).await?;
            return Ok(Reserve::OverBudget { committed });
        };
        let change = Change::of(key.clone(), "ADD #committed_micro_usd :amount")
            .when("attribute_not_exists(#PK) OR #committed_micro_usd <= :room")
            .with(":amount", number(amount.0))
            .with(":room", number(room));
        Ok(match self.table.update(operation, change).await? {
            Conditional::Done(_) => Reserve::Reserved(Reservation { key, amount }),
            Conditional::Refused(item) => {
                let committed = item.map_or(0, |item| number_in(&item, "committed_micro_usd"));
                Reserve::OverBudget { committed: MicroDollars(committed) }
            }
        })
    }

    /// Replaces a reservation by what was really spent, 0 when the request failed before it cost.
    ///
    /// # Errors
    /// When the table cannot be written; the whole reservation then counts as spent.
    pub async fn settle(
        &self,
        reservation: &Reservation,
        spent: MicroDollars,
    ) -> Result<(), PortError> {
        let operation = "settle budget";
        let difference = i128::from(spent.0) - i128::from(reservation.amount.0);
        if difference == 0 {
            return Ok(());
        }
        let change = Change::of(reservation.key.clone(), "ADD #committed_micro_usd :difference")
            .when("attribute_exists(#PK)")
            .with(":difference", AttributeValue::N(difference.to_string()));
        match self.table.update(operation, change).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::NotFound, operation)),
        }
    }

    /// Returns what is spent and reserved in `now`'s month.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn committed(
        &self,
        tenant: &TenantId,
        key: Option<&KeyId>,
        now: Timestamp,
    ) -> Result<MicroDollars, PortError> {
        self.committed_in("read budget", &month_of(tenant, key, now)).await
    }

    async fn committed_in(
        &self,
        operation: &'static str,
        key: &Key,
    ) -> Result<MicroDollars, PortError> {
        let item = self.table.get(operation, key).await?;
        let committed = item.map_or(0, |item| number_in(&item, "committed_micro_usd"));
        Ok(MicroDollars(committed))
    }
}

fn month_of(tenant: &TenantId, key: Option<&KeyId>, now: Timestamp) -> Key {
    let day = now.day();
    layout::budget(tenant, day.get(..MONTH_CHARS).unwrap_or(&day), spender(key))
}
