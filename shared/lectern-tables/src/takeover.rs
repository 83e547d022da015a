//! Giving a claimed version back before its lease ends.

use lectern_core::{
    document::{DocumentState, Version},
    errors::PortError,
    ids::{DocumentId, TenantId},
};
use serde_json::json;

use crate::{
    item::{native, number, text},
    layout,
    table::Conditional,
    transaction::Change,
    versions::{Lease, Versions},
};

impl Versions<'_> {
    /// Gives a claimed version back, so that the next try need not wait for the lease to end; with
    /// its attempt when the failure was `not_its_fault`. A lease that was lost is no error.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn release(&self, lease: &Lease, not_its_fault: bool) -> Result<(), PortError> {
        let attempt = if not_its_fault { -1 } else { 0 };
        let change = free(lease.key(), "SET #lease_until = :none ADD #attempts :attempt")
            .when("#fence = :fence AND #state IN (:processing, :retiring)")
            .with(":fence", number(lease.fence))
            .with(":attempt", native(json!(attempt)));
        self.table.update("release lease", change).await.map(|_| ())
    }

    /// Frees a version from a worker that is known to be dead, and gives it the attempt back: the
    /// death of a process is not the document's fault. Returns whether anybody had it.
    ///
    /// Only for a process that is the sole owner of the table, at its start. Should the worker live after
    /// all, its fence is passed by the next claim and it can change nothing.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn take_over(
        &self,
        tenant: &TenantId,
        document: &DocumentId,
        version: Version,
    ) -> Result<bool, PortError> {
        let key = layout::version(tenant, document, version);
        let change = free(key, "SET #lease_until = :none ADD #attempts :less")
            .when("#state IN (:processing, :retiring) AND #lease_until > :none")
            .with(":less", native(json!(-1)));
        let freed = self.table.update("take over version", change).await?;
        Ok(matches!(freed, Conditional::Done(_)))
    }
}

fn free(key: layout::Key, expression: &str) -> Change {
    Change::of(key, expression)
        .with(":none", number(0_u64))
        .with(":processing", text(DocumentState::Processing.as_str()))
        .with(":retiring", text(DocumentState::Retiring.as_str()))
}
