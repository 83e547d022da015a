//! Which tenants there are, and which incarnation of each one's data is live. A tenant is whoever has, or had, a key or a
//! collection.
//!
//! A restored tenant is complete in an incarnation of its own before anybody sees it. Every key says which incarnation it
//! opens, so that no request has to ask; [`Tenants::switch`] changes the tenant's item and its keys in one transaction.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{KeyId, TenantId},
};
use serde::{Deserialize, Serialize};

use crate::{
    MAX_PAGE, Page,
    item::{from_item, number, text, text_in},
    layout::{self, KEY},
    range::Range,
    table::{Conditional, Table},
    transaction::{Change, Transacted, Write},
};

const SWITCH: &str = "switch incarnation";
/// How often a switch is decided anew because keys were created.
const MAX_TRIES: u32 = 8;
/// Most writes of one transaction.
const MAX_TRANSACTION: usize = 100;
/// Most pages of keys that are switched: a hundred thousand keys.
const MAX_KEY_PAGES: usize = 1_000;

/// The tenants.
#[derive(Clone, Copy, Debug)]
pub struct Tenants<'tables> {
    pub(crate) table: &'tables Table,
}

/// A tenant, and where its data is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The account.
    pub tenant: TenantId,
    /// The incarnation of its data that is live.
    #[serde(default)]
    pub incarnation: u32,
    /// The highest incarnation that was ever begun. A number is used once.
    #[serde(default)]
    pub newest_incarnation: u32,
    /// How many keys were ever created: a switch must not miss one.
    #[serde(default)]
    pub keys_created: u64,
}

impl Tenant {
    /// Returns where its data is.
    #[must_use]
    pub fn live(&self) -> TenantId {
        self.tenant.in_incarnation(self.incarnation)
    }
}

impl Tenants<'_> {
    /// Returns up to [`MAX_PAGE`] tenants by name, after the one in `cursor`.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn list(&self, cursor: Option<&str>) -> Result<Page<Tenant>, PortError> {
        let operation = "list tenants";
        let mut range = Range::prefixed(layout::TENANTS.to_owned(), layout::TENANT, MAX_PAGE);
        if let Some(cursor) = cursor {
            let tenant = cursor.parse();
            let tenant =
                tenant.map_err(|error| PortError::new(ErrorKind::Invalid, operation, error))?;
            range.after = Some(layout::listed_tenant(&tenant).to_item());
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let found = found.iter().map(|item| from_item(operation, item));
        let items = found.collect::<Result<Vec<Tenant>, _>>()?;
        let next = last.and(items.last()).map(|tenant| tenant.tenant.to_string());
        Ok(Page { items, next })
    }

    /// Returns where the data of the tenant that `tenant` is an incarnation of is now: as it stands in credentials and
    /// settings where nothing was ever restored.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn live(&self, tenant: &TenantId) -> Result<TenantId, PortError> {
        Ok(self.get("find tenant", tenant).await?.live())
    }

    /// Returns an incarnation that nobody has used.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn new_incarnation(&self, tenant: &TenantId) -> Result<TenantId, PortError> {
        let operation = "begin incarnation";
        let expression = "SET #tenant = :tenant ADD #newest_incarnation :one";
        let change = Change::of(layout::listed_tenant(tenant), expression)
            .with(":tenant", text(tenant.account().as_str()))
            .with(":one", number(1_u64));
        match self.table.update(operation, change).await? {
            Conditional::Done(item) => {
                let found: Tenant = from_item(operation, &item)?;
                Ok(tenant.in_incarnation(found.newest_incarnation))
            }
            Conditional::Refused(_) => unreachable!("it has no condition"),
        }
    }

    /// Makes the incarnation `to` live in place of `from`, for the tenant and for all its keys. With up to 99 keys that is one
    /// transaction; the others follow a hundred at a time. Repeating it finishes what a crash left.
    ///
    /// # Errors
    /// `Conflict` when neither of the two is live, or keys kept being created.
    pub async fn switch(&self, from: &TenantId, to: &TenantId) -> Result<(), PortError> {
        let conflict = |reason: &'static str| PortError::new(ErrorKind::Conflict, SWITCH, reason);
        for _ in 0..MAX_TRIES {
            let tenant = self.get(SWITCH, to).await?;
            if ![from.incarnation(), to.incarnation()].contains(&tenant.incarnation) {
                return Err(conflict("another incarnation is live"));
            }
            let mut writes = vec![tenant_switched(&tenant, to)];
            writes.extend(self.keys(to).await?.iter().map(|key| key_switched(key, to)));
            let mut is_begun = false;
            while !writes.is_empty() {
                let rest = writes.split_off(writes.len().min(MAX_TRANSACTION));
                let batch = std::mem::replace(&mut writes, rest);
                match self.table.transact(SWITCH, batch).await? {
                    Transacted::Written => is_begun = true,
                    // A key was created, or another switch was faster.
                    Transacted::Refused(0) if !is_begun => break,
                    Transacted::Refused(_) => return Err(conflict("a key has vanished")),
                }
            }
            if is_begun {
                return Ok(());
            }
        }
        Err(conflict("keys kept being created"))
    }

    async fn get(&self, operation: &'static str, tenant: &TenantId) -> Result<Tenant, PortError> {
        let found = self.table.get(operation, &layout::listed_tenant(tenant)).await?;
        let found = found.map(|item| from_item(operation, &item)).transpose()?;
        let (incarnation, newest_incarnation, keys_created) = (0, 0, 0);
        let tenant = tenant.account();
        Ok(found.unwrap_or(Tenant { tenant, incarnation, newest_incarnation, keys_created }))
    }

    async fn keys(&self, tenant: &TenantId) -> Result<Vec<KeyId>, PortError> {
        let mut range = Range::prefixed(layout::account(tenant), KEY, MAX_PAGE);
        let mut keys = Vec::new();
        for _ in 0..MAX_KEY_PAGES {
            let (found, last) = self.table.range(SWITCH, &range).await?;
            let ids = found.iter().filter_map(|item| text_in(item, "SK")?.strip_prefix(KEY));
            keys.extend(ids.filter_map(|id| id.parse::<KeyId>().ok()));
            range.after = last;
            if range.after.is_none() {
                return Ok(keys);
            }
        }
        Err(PortError::new(ErrorKind::TooLarge, SWITCH, "there are too many keys"))
    }
}

/// The part of a transaction that switches a tenant as it was read: nobody switched it or created a key since.
fn tenant_switched(read: &Tenant, to: &TenantId) -> Write {
    let change = Change::of(layout::listed_tenant(to), "SET #tenant = :tenant, #incarnation = :to")
        .when(&format!(
            "{} AND {}",
            is_number("incarnation", u64::from(read.incarnation)),
            is_number("keys_created", read.keys_created)
        ))
        .with(":tenant", text(read.tenant.as_str()))
        .with(":incarnation", number(read.incarnation))
        .with(":keys_created", number(read.keys_created))
        .with(":to", number(to.incarnation()));
    Write::Change(change)
}

fn key_switched(key: &KeyId, to: &TenantId) -> Write {
    let change = Change::of(layout::api_key(key), "SET #incarnation = :to")
        .when("attribute_exists(#PK)")
        .with(":to", number(to.incarnation()));
    Write::Change(change)
}

/// Returns the condition that an attribute is the number in the placeholder of its name. Items from before the attribute
/// have none, which counts as 0.
fn is_number(attribute: &str, value: u64) -> String {
    let absent = format!("attribute_not_exists(#{attribute}) OR ");
    let absent = if value == 0 { &*absent } else { "" };
    format!("({absent}#{attribute} = :{attribute})")
}

/// Puts a tenant on the list; one that is there stays. Comes before whatever makes it a tenant, so that a crash in between
/// leaves a tenant too many and never one too few.
pub(crate) async fn enlist(table: &Table, tenant: &TenantId) -> Result<(), PortError> {
    let change = Change::of(layout::listed_tenant(tenant), "SET #tenant = :tenant")
        .with(":tenant", text(tenant.account().as_str()));
    table.update("list tenant", change).await.map(|_| ())
}

/// The part of a transaction that creates a key: it holds only while `incarnation` is live, and is seen by a switch.
pub(crate) fn one_key_more(tenant: &TenantId, incarnation: u32) -> Write {
    let change =
        Change::of(layout::listed_tenant(tenant), "SET #tenant = :tenant ADD #keys_created :one")
            .when(&is_number("incarnation", u64::from(incarnation)))
            .with(":tenant", text(tenant.account().as_str()))
            .with(":incarnation", number(incarnation))
            .with(":one", number(1_u64));
    Write::Change(change)
}
