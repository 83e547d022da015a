//! A tenant is read, document by document, and becomes parts and a manifest.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{TryStreamExt as _, stream};
use lectern_core::{
    errors::PortError,
    ids::{CollectionId, TenantId},
    ports::EmbeddingModel,
};
use lectern_tables::{MAX_PAGE, backups::Backup, collections::Collection};
use sha2::{Digest as _, Sha256};

use super::{
    BackUp,
    manifest::{CollectionCut, Cut, Manifest, SCHEMA, VectorsOf, digest},
    parts::{Partition, partition_of, partitions},
    records::{CollectionLine, Kind},
    store::Store,
};

/// Partitions read at the same time, each with one page of points or one piece of text in memory.
const READERS: usize = 4;

type Collections = BTreeMap<CollectionId, Collection>;

impl BackUp {
    /// Stores every part, then the manifest, and notes in the record what they are.
    pub(super) async fn write(&self, backup: &mut Backup) -> Result<(), PortError> {
        let tenant = &backup.tenant;
        let store = Store::new(&self.backups, tenant);
        let before = self.collections(tenant).await?;

        let mut partitions = partitions(&store, self.limits);
        self.read_documents(tenant, &mut partitions).await?;

        // Once more, and last: the collections of documents that came meanwhile must not be missing.
        let after = self.collections(tenant).await?;
        let cut = self.cut(backup, &before, &after);
        let collections: Collections = before.into_iter().chain(after).collect();
        for collection in collections.into_values() {
            partitions[0].push(Kind::Collection, &CollectionLine::from(collection)).await?;
            partitions[0].counts.collections += 1;
        }
        for partition in &mut partitions {
            partition.close_all().await?;
        }

        // Every part is stored: now the manifest may say so.
        let manifest = manifest(backup, cut, partitions, self.model.as_ref());
        let bytes = serde_json::to_vec_pretty(&manifest).expect("a manifest has string keys");
        backup.manifest_sha256 = Some(hex::encode(Sha256::digest(&bytes)));
        store.put_manifest(&backup.id, Bytes::from(bytes)).await
    }

    async fn read_documents(
        &self,
        tenant: &TenantId,
        partitions: &mut [Partition],
    ) -> Result<(), PortError> {
        let mut cursor = None;
        loop {
            let documents = self.tables.documents();
            let (page, next) = documents.every(tenant, MAX_PAGE, cursor.as_ref()).await?;
            let mut of_partitions = vec![Vec::new(); partitions.len()];
            for document in page {
                of_partitions[partition_of(&document.id)].push(document);
            }
            // Within a partition one after the other: the order of its lines is the order of ids.
            let work = partitions.iter_mut().zip(of_partitions).map(Ok);
            let read = stream::iter(work).try_for_each_concurrent(READERS, |(partition, of_it)| {
                self.read_in_order(partition, of_it)
            });
            read.await?;
            cursor = next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    async fn collections(&self, tenant: &TenantId) -> Result<Collections, PortError> {
        let mut collections = Collections::new();
        let mut cursor = None;
        loop {
            let tables = self.tables.collections();
            let page = tables.list(tenant, MAX_PAGE, cursor.as_deref()).await?;
            let found = page.items.into_iter();
            collections.extend(found.map(|collection| (collection.id.clone(), collection)));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(collections);
            }
        }
    }

    fn cut(&self, backup: &Backup, before: &Collections, after: &Collections) -> Cut {
        let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let of_one = |id: &CollectionId| CollectionCut {
            id: id.clone(),
            generation_before: before.get(id).map(|collection| collection.generation),
            generation_after: after.get(id).map(|collection| collection.generation),
        };
        let collections: Vec<CollectionCut> = ids.into_iter().map(of_one).collect();
        let is_still = |cut: &CollectionCut| cut.generation_before == cut.generation_after;
        Cut {
            begun_at: backup.begun_at,
            ended_at: self.clock.now(),
            is_exact: collections.iter().all(is_still),
            collections,
        }
    }
}

/// Returns the manifest of what was stored; the record says the same from here on.
fn manifest(
    backup: &mut Backup,
    cut: Cut,
    partitions: Vec<Partition>,
    model: Option<&EmbeddingModel>,
) -> Manifest {
    let mut parts = Vec::new();
    for partition in partitions {
        backup.counts += partition.counts;
        backup.new_parts += partition.new_parts;
        backup.new_bytes += partition.new_bytes;
        parts.extend(partition.parts);
    }
    parts.sort_by_key(|part| (part.kind, part.partition));
    let digest = digest(&parts);
    backup.parts = parts.len() as u64;
    backup.size_bytes = parts.iter().map(|part| part.size_bytes).sum();
    backup.digest = Some(digest.clone());
    Manifest {
        schema: SCHEMA,
        backup_id: backup.id.clone(),
        tenant: backup.tenant.clone(),
        embedding_model: model.map(VectorsOf::from),
        cut,
        counts: backup.counts,
        digest,
        parts,
    }
}
