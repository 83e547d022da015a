//! Records as a backup has them, written into an incarnation that nobody sees. All writes can be repeated.

use std::collections::HashMap;

use lectern_core::{
    auth::ApiKey,
    document::{Document, DocumentVersion},
    errors::PortError,
    ids::{CollectionId, TenantId},
};

use super::Restores;
use crate::{
    collections::Collection,
    documents::StoredDocument,
    item::to_item,
    keys::Keys,
    layout,
    registration::content_item,
    table::BatchWrite,
    tenants::enlist,
    versions::{pending_version_item, version_item},
};

const OPERATION: &str = "restore records";

impl Restores<'_> {
    /// Writes documents and versions. Versions that wait for a worker wait for [`Self::put_pending`].
    ///
    /// # Errors
    /// When the table cannot be written; some of them may be.
    pub async fn put_documents(
        &self,
        target: &TenantId,
        documents: Vec<Document>,
        versions: Vec<DocumentVersion>,
    ) -> Result<(), PortError> {
        let mut writes = Vec::with_capacity(2 * documents.len() + versions.len());
        for version in versions {
            let version = DocumentVersion { tenant: target.clone(), ..version };
            writes.push(BatchWrite::Put(version_item(&version)));
        }
        // Documents with equal bytes are told apart by their ACL; the pointer names one of them, and one batch takes
        // no key twice.
        let mut contents = HashMap::new();
        for document in documents {
            let document = Document { tenant: target.clone(), ..document };
            let content = (document.collection.clone(), document.sha256.clone());
            contents.insert(content, content_item(&document));
            writes.push(BatchWrite::Put(StoredDocument { document, revision: 0 }.item()));
        }
        writes.extend(contents.into_values().map(BatchWrite::Put));
        self.table.batch_write(OPERATION, writes).await
    }

    /// Makes versions pending work.
    ///
    /// # Errors
    /// When the table cannot be written; some of them may be.
    pub async fn put_pending(
        &self,
        target: &TenantId,
        versions: Vec<DocumentVersion>,
    ) -> Result<(), PortError> {
        let pending = |version| {
            let version = DocumentVersion { tenant: target.clone(), ..version };
            BatchWrite::Put(pending_version_item(&version))
        };
        self.table.batch_write(OPERATION, versions.into_iter().map(pending).collect()).await
    }

    /// Writes collections, each with the number of its documents.
    ///
    /// # Errors
    /// When the table cannot be written; some of them may be.
    pub async fn put_collections(
        &self,
        target: &TenantId,
        collections: Vec<Collection>,
        documents: &HashMap<CollectionId, u64>,
    ) -> Result<(), PortError> {
        enlist(self.table, target).await?;
        let item = |collection: Collection| {
            let document_count = documents.get(&collection.id).copied().unwrap_or(0);
            let collection = Collection { tenant: target.clone(), document_count, ..collection };
            let mut item = to_item(&collection);
            layout::collection(target, &collection.id).put_into(&mut item);
            BatchWrite::Put(item)
        };
        self.table.batch_write(OPERATION, collections.into_iter().map(item).collect()).await
    }

    /// Creates those of the account's API keys that are not there, and returns how many. One that is there stays as it is: a
    /// revoked key is not brought back by an old backup.
    ///
    /// # Errors
    /// When the table fails.
    pub async fn put_keys(&self, tenant: &TenantId, keys: &[ApiKey]) -> Result<u64, PortError> {
        let table = Keys { table: self.table };
        let mut created = 0;
        for key in keys {
            if table.get(tenant, &key.id).await?.is_none() {
                let key = ApiKey { tenant: tenant.account(), ..key.clone() };
                table.create(&key).await?;
                created += 1;
            }
        }
        Ok(created)
    }
}
