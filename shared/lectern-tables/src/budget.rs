//! What is spent in a month and on each of its days: held before it is spent, settled when the price is known.
//!
//! A month of an account is one item, and so is that of each key. What requests under way may cost is held in it by the
//! minute at which it is let go: a request that never ends holds nothing for ever, and the item has few attributes whatever
//! the number of callers.

use aws_sdk_dynamodb::types::AttributeValue;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{KeyId, TenantId},
    pricing::MicroDollars,
    spending::{Balance, SpendingLimits, Standing},
    time::Timestamp,
};

use crate::{
    item::{Item, number, number_in, text_in},
    layout::{self, Key},
    table::{Conditional, Table},
    transaction::Change,
};

/// Spent and held in the month.
const COMMITTED: &str = "committed_micro_usd";
/// Begin of the attribute of what is held, by day of the month and minute.
const HELD: &str = "held_";
/// Length of `2026-11`, the month of a day.
const MONTH_CHARS: usize = 7;
const MILLIS_PER_MINUTE: u64 = 60_000;
/// How often holding is tried while others let go of what is over.
const MAX_LOOKS: u32 = 4;
/// Attributes of what is over that are left to the next one to pass by.
const MAX_OVER: usize = 8;

/// Whose ledger: an account's, or that of one of its keys.
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    /// The account.
    pub tenant: &'a TenantId,
    /// The key; `None` for the account as a whole.
    pub key: Option<&'a KeyId>,
}

/// The ledgers of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Budgets<'tables> {
    pub(crate) table: &'tables Table,
}

/// What went in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthSpent {
    /// The UTC month, `2026-11`.
    pub month: String,
    /// What is spent, and held for requests under way.
    pub balance: Balance,
}

/// Money set aside for one request. Settle it; one that is never settled is let go when its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    key: Key,
    day: String,
    held: String,
    amount: MicroDollars,
}

/// What became of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// The money is set aside.
    Reserved(Reservation),
    /// What is spent and held has reached a limit.
    Over(Standing),
}

impl Budgets<'_> {
    /// Sets `amount` aside until `until`, unless what is spent and held has reached a limit. Exact for any number of
    /// concurrent callers: what is spent passes a limit by less than the last amount.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn reserve(
        &self,
        ledger: Ledger<'_>,
        amount: MicroDollars,
        limits: SpendingLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Reserve, PortError> {
        let operation = "reserve budget";
        if [limits.per_day, limits.per_month].contains(&Some(MicroDollars(0))) {
            return Ok(Reserve::Over(self.standing(ledger, now).await?));
        }
        let (key, day) = place(ledger, now);
        let held = format!("{HELD}{}_{}", day_of(now), until.as_millis() / MILLIS_PER_MINUTE + 1);
        for _ in 0..MAX_LOOKS {
            let expression = format!("ADD #{COMMITTED} :amount, #{day} :amount, #{held} :amount");
            let mut change = Change::of(key.clone(), &expression).with(":amount", number(amount.0));
            let mut rooms = Vec::new();
            for (name, placeholder, limit) in [
                (day.as_str(), ":per_day", limits.per_day),
                (COMMITTED, ":per_month", limits.per_month),
            ] {
                let Some(limit) = limit else { continue };
                rooms.push(format!("(attribute_not_exists(#{name}) OR #{name} < {placeholder})"));
                change = change.with(placeholder, number(limit.0));
            }
            if !rooms.is_empty() {
                change = change.when(&rooms.join(" AND "));
            }
            let item = match self.table.update(operation, change).await? {
                Conditional::Done(item) => {
                    let over = over(&item, now);
                    if over.len() > MAX_OVER {
                        self.let_go(&key, over).await?;
                    }
                    return Ok(Reserve::Reserved(Reservation { key, day, held, amount }));
                }
                Conditional::Refused(item) => item.unwrap_or_default(),
            };
            let over = over(&item, now);
            if over.is_empty() {
                return Ok(Reserve::Over(standing(&item, now)));
            }
            self.let_go(&key, over).await?;
        }
        Err(PortError::new(ErrorKind::Conflict, operation, "the ledger kept changing"))
    }

    /// Replaces what was set aside by what was really spent, 0 when the request failed before it cost; returns what went
    /// in the day and month of `now`.
    ///
    /// # Errors
    /// When the table cannot be written; what was set aside is then let go in its time.
    pub async fn settle(
        &self,
        reservation: &Reservation,
        spent: MicroDollars,
        now: Timestamp,
    ) -> Result<Standing, PortError> {
        let operation = "settle budget";
        let Reservation { key, day, held, amount } = reservation;
        let difference = i128::from(spent.0) - i128::from(amount.0);
        let expression =
            format!("ADD #{COMMITTED} :difference, #{day} :difference, #{held} :amount");
        let change = Change::of(key.clone(), &expression)
            .when(&format!("attribute_exists(#{held})"))
            .with(":difference", AttributeValue::N(difference.to_string()))
            .with(":amount", AttributeValue::N((-i128::from(amount.0)).to_string()));
        match self.table.update(operation, change).await? {
            Conditional::Done(item) => Ok(standing(&item, now)),
            // It took longer than it said, and was let go.
            Conditional::Refused(_) => self.add(operation, key, day, spent, now).await,
        }
    }

    /// Adds what was spent without being set aside; returns what went in the day and month.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn spend(
        &self,
        ledger: Ledger<'_>,
        spent: MicroDollars,
        now: Timestamp,
    ) -> Result<Standing, PortError> {
        let (key, day) = place(ledger, now);
        self.add("spend", &key, &day, spent, now).await
    }

    /// Returns what went in the day and month of `now`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn standing(
        &self,
        ledger: Ledger<'_>,
        now: Timestamp,
    ) -> Result<Standing, PortError> {
        let (key, _) = place(ledger, now);
        let item = self.table.get("read budget", &key).await?;
        Ok(standing(&item.unwrap_or_default(), now))
    }

    /// Returns what went in the `months` UTC months (at most a hundred) that end with `now`'s, newest first; months without a
    /// request are left out.
    ///
    /// # Errors
    /// `TooLarge` for more months.
    pub async fn months(
        &self,
        ledger: Ledger<'_>,
        now: Timestamp,
        months: u32,
    ) -> Result<Vec<MonthSpent>, PortError> {
        let operation = "read a key's months";
        let names = (0..months).map(|back| month_before(now, back));
        let keys = names.map(|month| layout::budget(ledger.tenant, &month, ledger.key));
        let found = self.table.batch_get(operation, keys.collect()).await?;
        let mut spent: Vec<MonthSpent> = found
            .iter()
            .filter_map(|item| {
                let month = text_in(item, "SK")?.split('#').nth(1)?.to_owned();
                Some(MonthSpent { month, balance: standing(item, now).month })
            })
            .collect();
        spent.sort_by(|one, other| other.month.cmp(&one.month));
        Ok(spent)
    }

    async fn add(
        &self,
        operation: &'static str,
        key: &Key,
        day: &str,
        spent: MicroDollars,
        now: Timestamp,
    ) -> Result<Standing, PortError> {
        let expression = format!("ADD #{COMMITTED} :spent, #{day} :spent");
        let change = Change::of(key.clone(), &expression).with(":spent", number(spent.0));
        match self.table.update(operation, change).await? {
            Conditional::Done(item) => Ok(standing(&item, now)),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::Internal, operation)),
        }
    }

    /// Lets go of what was held too long; whoever comes second changes nothing.
    async fn let_go(&self, key: &Key, over: Vec<Held>) -> Result<(), PortError> {
        for held in over {
            let (day, name) = (day_attribute(held.day), &held.name);
            let expression = format!("REMOVE #{name} ADD #{COMMITTED} :less, #{day} :less");
            let change = Change::of(key.clone(), &expression)
                .when(&format!("#{name} = :held"))
                .with(":held", AttributeValue::N(held.amount.to_string()))
                .with(":less", AttributeValue::N((-held.amount).to_string()));
            self.table.update("let go of a budget", change).await?;
        }
        Ok(())
    }
}

/// Returns the ledger's item and the attribute of the day.
fn place(ledger: Ledger<'_>, now: Timestamp) -> (Key, String) {
    let day = now.day();
    let month = day.get(..MONTH_CHARS).unwrap_or(&day);
    (layout::budget(ledger.tenant, month, ledger.key), day_attribute(day_of(now)))
}

/// Returns the UTC month so many before that of `now`.
fn month_before(now: Timestamp, back: u32) -> String {
    let day = now.day();
    let mut parts = day.split('-').map(|part| part.parse::<u32>().unwrap_or(0));
    let (year, month) = (parts.next().unwrap_or(0), parts.next().unwrap_or(1));
    let months = (year * 12 + month.saturating_sub(1)).saturating_sub(back);
    format!("{:04}-{:02}", months / 12, months % 12 + 1)
}

/// Returns the number of the day in its month.
fn day_of(now: Timestamp) -> u8 {
    let day = now.day();
    day.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Returns the attribute of what is spent and held on a day.
fn day_attribute(day: u8) -> String {
    format!("day_{day}_micro_usd")
}

/// What is held until some minute.
struct Held {
    name: String,
    day: u8,
    until: Timestamp,
    amount: i128,
}

impl Held {
    fn of(name: &str, value: &AttributeValue) -> Option<Self> {
        let (day, minute) = name.strip_prefix(HELD)?.split_once('_')?;
        let minute: u64 = minute.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            day: day.parse().ok()?,
            until: Timestamp::from_millis(minute * MILLIS_PER_MINUTE),
            amount: value.as_n().ok()?.parse().ok()?,
        })
    }
}

fn all_held(item: &Item) -> impl Iterator<Item = Held> {
    item.iter().filter_map(|(name, value)| Held::of(name, value))
}

/// Returns what is held too long.
fn over(item: &Item, now: Timestamp) -> Vec<Held> {
    all_held(item).filter(|held| held.until <= now).collect()
}

fn standing(item: &Item, now: Timestamp) -> Standing {
    let today = day_of(now);
    let balance = |name: &str, of_it: &dyn Fn(&Held) -> bool| {
        let (mut held, mut under_way) = (0, 0);
        for one in all_held(item).filter(of_it) {
            held += one.amount;
            under_way += if one.until > now { one.amount } else { 0 };
        }
        let micro = |amount: i128| MicroDollars(u64::try_from(amount).unwrap_or(0));
        let spent = micro(i128::from(number_in(item, name)) - held);
        Balance { spent, held: micro(under_way) }
    };
    Standing {
        day: balance(&day_attribute(today), &|held| held.day == today),
        month: balance(COMMITTED, &|_| true),
    }
}
