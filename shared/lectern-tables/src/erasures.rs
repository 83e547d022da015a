//! The right to rewrite a tenant's backups. One has it at a time, and no backup begins meanwhile.

use lectern_core::{errors::PortError, ids::TenantId, time::Timestamp};

use crate::{
    item::{number, number_in},
    layout,
    table::{Conditional, Table},
    transaction::Condition,
};

/// Erasures from backups.
#[derive(Clone, Copy, Debug)]
pub struct Erasures<'tables> {
    pub(crate) table: &'tables Table,
}

impl Erasures<'_> {
    /// Takes the right until `until`; returns whether nobody had it.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn lock(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, PortError> {
        let mut item = layout::erasure(tenant).to_item();
        item.insert("until".into(), number(until.as_millis()));
        let free = Condition::new("attribute_not_exists(#PK) OR #until <= :now")
            .with(":now", number(now.as_millis()));
        let taken = self.table.put("lock backups", item, free).await?;
        Ok(matches!(taken, Conditional::Done(_)))
    }

    /// Gives the right back that was taken until `until`; where somebody else has it by now, that is fine.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn unlock(&self, tenant: &TenantId, until: Timestamp) -> Result<(), PortError> {
        let own = Condition::new("#until = :until").with(":until", number(until.as_millis()));
        self.table.delete("unlock backups", &layout::erasure(tenant), own).await.map(|_| ())
    }

    /// Returns whether somebody has it.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn is_locked(&self, tenant: &TenantId, now: Timestamp) -> Result<bool, PortError> {
        let item = self.table.get("look for erasure", &layout::erasure(tenant)).await?;
        Ok(item.is_some_and(|item| number_in(&item, "until") > now.as_millis()))
    }
}
