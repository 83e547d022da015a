//! Backups whose records were lost with the table: the store has everything that is needed to list and restore them.

use std::cmp::Reverse;

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
        let mut found = Vec::new();
        for (id, sha256) in store.manifests().await? {
            if self.tables.backups().get(tenant, &id).await?.is_some() {
                continue;
            }
            match store.trusted_manifest(&id, &sha256).await? {
                Ok(manifest) => found.push((id, sha256, manifest)),
                Err(fault) => {
                    warn!(backup.id = %id, ?fault, "a manifest in the store cannot be used");
                }
            }
        }
        // Where an erasure left two of one backup, the one of fewer documents.
        found.sort_by_key(|(_, _, manifest)| Reverse(manifest.erased.len()));
        let mut adopted = 0;
        for (id, sha256, manifest) in found {
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
                erased: manifest.erased,
                ..begun
            };
            self.tables.backups().adopt(&backup).await?;
            info!(backup.id = %backup.id, "found a backup in the store that the table did not know");
            adopted += 1;
        }
        Ok(adopted)
    }
}
