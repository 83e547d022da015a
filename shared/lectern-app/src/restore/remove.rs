//! An incarnation that is not live is removed.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::TenantId,
    passage::Scope,
};

use super::Restore;

impl Restore {
    /// Removes an incarnation that is not live: passages, files, records, in this order, so that what is left of it can be
    /// found as long as anything is.
    pub(super) async fn remove(&self, incarnation: &TenantId) -> Result<(), PortError> {
        let live = self.back_up.tables.tenants().live(incarnation).await?;
        if live == *incarnation {
            let reason = "the incarnation is live";
            return Err(PortError::new(ErrorKind::Conflict, "remove incarnation", reason));
        }
        self.writer.delete(&Scope::tenant(incarnation)).await?;
        self.back_up.blobs.forget_tenant(incarnation).await?;
        self.back_up.tables.restores().remove(incarnation).await
    }
}
