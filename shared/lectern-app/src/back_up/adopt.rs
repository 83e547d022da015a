//! Backups whose records were lost with the table: the store has everything that is needed to list and restore them.

use lectern_core::{errors::PortError, ids::TenantId};
use tracing::{info, warn};

use super::{BackUp, Backup, BackupState, store::Store};

impl BackUp {
    /// Makes records of the complete backups in the store that have none; returns how many. One whose manifest is damaged gets
    /// none.
    ///
    /// # Errors
    /// When the store or the table fails.
    pub async fn adopt(&self, tenant: &TenantId) -> Result<u64, PortError> {
        let store = Store::new(&self.backups, tenant);
        let mut adopted = 0;
        for (id, sha256) in store.manifests().await? {
            if self.tables.backups().get(tenant, &id).await?.is_some() {
                continue;
            }
            let manifest = match store.trusted_manifest(&id, &sha256).await? {
                Ok(manifest) => manifest,
                Err(fault) => {
                    warn!(backup.id = %id, ?fault, "a manifest in the store cannot be used");
                    continue;
                }
            };
            let begun = Backup::begun(tenant, id, manifest.cut.begun_at);
            let backup = Backup {
                state: BackupState::Complete,
                lease_until: None,
                counts: manifest.counts,
                parts: manifest.parts.len() as u64,
                size_bytes: manifest.parts.iter().map(|part| part.size_bytes).sum(),
                digest: Some(manifest.digest),
                state_digest: manifest.state_digest,
                is_exact: manifest.cut.is_exact,
                manifest_sha256: Some(sha256),
                ended_at: Some(manifest.cut.ended_at),
                ..begun
            };
            self.tables.backups().adopt(&backup).await?;
            info!(backup.id = %backup.id, "found a backup in the store that the table did not know");
            adopted += 1;
        }
        Ok(adopted)
    }
}
