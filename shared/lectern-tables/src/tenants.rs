//! Which tenants there are, for what is done for all of them. A tenant is whoever has, or had, a collection.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::TenantId,
};
use serde::{Deserialize, Serialize};

use crate::{
    MAX_PAGE, Page,
    item::{from_item, to_item},
    layout,
    range::Range,
    table::Table,
    transaction::Condition,
};

/// The tenants.
#[derive(Clone, Copy, Debug)]
pub struct Tenants<'tables> {
    pub(crate) table: &'tables Table,
}

#[derive(Serialize, Deserialize)]
struct Listed {
    tenant: TenantId,
}

impl Tenants<'_> {
    /// Returns up to [`MAX_PAGE`] tenants by name, after the one in `cursor`.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn list(&self, cursor: Option<&str>) -> Result<Page<TenantId>, PortError> {
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
        let items = found
            .map(|listed: Result<Listed, _>| listed.map(|listed| listed.tenant))
            .collect::<Result<Vec<_>, _>>()?;
        let next = last.and(items.last()).map(ToString::to_string);
        Ok(Page { items, next })
    }
}

/// Puts a tenant on the list; one that is there stays. Comes before whatever makes it a tenant, so that a crash in between
/// leaves a tenant too many and never one too few.
pub(crate) async fn enlist(table: &Table, tenant: &TenantId) -> Result<(), PortError> {
    let mut item = to_item(&Listed { tenant: tenant.clone() });
    layout::listed_tenant(tenant).put_into(&mut item);
    table.put("list tenant", item, Condition::default()).await.map(|_| ())
}
