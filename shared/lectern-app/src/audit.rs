//! Where the audit log ends: what an auditor compares the records with.

use lectern_core::{audit::Head, auth::Caller};
use lectern_tables::Tables;

use crate::{errors::FlowError, keys::administers};

/// Reads where the streams of the audit log end.
#[derive(Clone, Debug)]
pub struct AuditHeads {
    /// The table.
    pub tables: Tables,
}

impl AuditHeads {
    /// Returns where each stream ended when its process last said so. Streams are of processes, not of accounts.
    ///
    /// # Errors
    /// `Forbidden` when the caller is no administrator.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Head>, FlowError> {
        administers(caller)?;
        Ok(self.tables.audit_heads().list().await?)
    }
}
