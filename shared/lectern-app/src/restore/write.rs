//! Partitions of a backup become documents of an incarnation again. Everything here can be repeated.

use std::{collections::HashMap, time::Instant};

use futures::future::{BoxFuture, try_join_all};
use lectern_core::{
    auth::ApiKey,
    document::{Document, DocumentState, DocumentVersion, Version},
    errors::{ErrorKind, PortError, chain},
    ids::{CollectionId, DocumentId, TenantId},
};
use lectern_tables::{backups::BackupCounts, collections::Collection, restores::Restoration};
use serde::de::DeserializeOwned;

use super::{Restore, RestoreError, RestoreState};
use crate::back_up::{
    PARTITIONS,
    manifest::Manifest,
    records::{CollectionLine, Kind},
    store::Store,
};

const OPERATION: &str = "read part";

/// Partitions written at the same time: while one waits for the index, the other is unpacked.
const AT_ONCE: usize = 2;

/// What was written of a partition, and how many of its passages got new vectors.
type Wrote = (BackupCounts, u64);

/// The documents of a partition by which version of them is live: what else is in its parts counts for nothing.
pub(super) type Live = HashMap<DocumentId, Version>;

impl Restore {
    /// Writes the partitions that are left, then collections and keys.
    pub(super) async fn write(
        &self,
        store: &Store,
        manifest: &Manifest,
        restoration: &mut Restoration,
        until: Instant,
    ) -> Result<(), RestoreError> {
        let done = &restoration.partitions_done;
        let left: Vec<usize> = (0..PARTITIONS).filter(|one| !done.contains(one)).collect();
        for partitions in left.chunks(AT_ONCE) {
            let target = restoration.target();
            let mut work: Vec<BoxFuture<'_, Result<Wrote, RestoreError>>> = Vec::new();
            for partition in partitions {
                let source = Source { store, manifest, partition: *partition };
                work.push(Box::pin(self.write_partition(source, target.clone(), until)));
            }
            let wrote = tokio::time::timeout_at(until.into(), try_join_all(work)).await;
            for (counts, embedded) in wrote.map_err(|_| RestoreError::OutOfTime)?? {
                restoration.counts += counts;
                restoration.embedded += embedded;
            }
            restoration.partitions_done.extend(partitions);
            restoration.lease_until = Some(self.back_up.clock.now() + self.back_up.lease);
            self.advance(restoration, RestoreState::Running).await?;
        }
        self.write_account(store, manifest, restoration).await?;
        Ok(())
    }

    /// Writes one partition; returns what it has, and how many passages got new vectors.
    async fn write_partition(
        &self,
        source: Source<'_>,
        target: TenantId,
        until: Instant,
    ) -> Result<Wrote, RestoreError> {
        let source = &source;
        let mut counts = BackupCounts::default();
        let mut live = Live::new();
        let mut newest = Live::new();
        for part in source.parts(Kind::Document) {
            let documents: Vec<Document> = source.lines(part).await?;
            for document in &documents {
                let id = document.id.clone();
                live.extend(document.live_version.map(|version| (id.clone(), version)));
                newest.insert(id, document.latest_version);
            }
            counts.documents += documents.len() as u64;
            self.records().put_documents(&target, documents, Vec::new()).await?;
        }
        for part in source.parts(Kind::Version) {
            let versions: Vec<DocumentVersion> = source.lines(part).await?;
            let is_wanted = |version: &DocumentVersion| {
                let number = Some(&version.version);
                live.get(&version.document_id) == number
                    || newest.get(&version.document_id) == number
            };
            let versions: Vec<_> = versions.into_iter().filter(is_wanted).collect();
            counts.versions += versions.len() as u64;
            self.records().put_documents(&target, Vec::new(), versions).await?;
        }
        counts.texts = self.write_texts(source, &target, &live).await?;
        counts.originals = self.write_originals(source, &target, &live, &newest).await?;
        let (passages, embedded) = self.write_passages(source, &target, &live, until).await?;
        counts.passages = passages;
        Ok((counts, embedded))
    }

    /// Writes collections and those of the account's keys that are not there.
    async fn write_account(
        &self,
        store: &Store,
        manifest: &Manifest,
        restoration: &mut Restoration,
    ) -> Result<(), RestoreError> {
        let target = restoration.target();
        let mut documents: HashMap<CollectionId, u64> = HashMap::new();
        for partition in 0..PARTITIONS {
            let source = Source { store, manifest, partition };
            for part in source.parts(Kind::Document) {
                for document in source.lines::<Document>(part).await? {
                    *documents.entry(document.collection).or_default() += 1;
                }
            }
        }
        let source = Source { store, manifest, partition: 0 };
        let mut collections = Vec::new();
        for part in source.parts(Kind::Collection) {
            let lines: Vec<CollectionLine> = source.lines(part).await?;
            collections.extend(lines.into_iter().map(|line| collection(&target, line)));
        }
        restoration.counts.collections = collections.len() as u64;
        self.records().put_collections(&target, collections, &documents).await?;
        for part in source.parts(Kind::Key) {
            let keys: Vec<ApiKey> = source.lines(part).await?;
            restoration.counts.keys += self.records().put_keys(&target, &keys).await?;
        }
        Ok(())
    }

    /// Makes versions that waited for a worker wait again. Not before the comparison: one that is ingested meanwhile is
    /// not what was backed up any more.
    pub(super) async fn let_wait(&self, restoration: &Restoration) -> Result<(), RestoreError> {
        let backups = self.back_up.tables.backups();
        let backup = backups.get(&restoration.tenant, &restoration.backup_id).await?;
        let backup = backup.ok_or_else(|| {
            RestoreError::Unusable("the backup it is restored from is gone; restore another".into())
        })?;
        let (store, manifest) = self.usable(&backup).await?;
        for partition in 0..PARTITIONS {
            let source = Source { store: &store, manifest: &manifest, partition };
            for part in source.parts(Kind::Version) {
                let mut versions: Vec<DocumentVersion> = source.lines(part).await?;
                versions.retain(|version| version.state == DocumentState::Queued);
                self.records().put_pending(&restoration.target(), versions).await?;
            }
        }
        Ok(())
    }

    fn records(&self) -> lectern_tables::restores::Restores<'_> {
        self.back_up.tables.restores()
    }
}

/// One partition of a backup.
pub(super) struct Source<'backup> {
    pub(super) store: &'backup Store,
    pub(super) manifest: &'backup Manifest,
    pub(super) partition: usize,
}

impl Source<'_> {
    /// Returns the hashes of its parts of one kind, in the order of their lines.
    pub(super) fn parts(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let parts = self.manifest.parts.iter();
        let is_it = move |partition: usize, part: &crate::back_up::Part| {
            part.kind == kind && part.partition == partition
        };
        parts.filter(move |part| is_it(self.partition, part)).map(|part| part.sha256.as_str())
    }

    /// Reads a part whose bytes are those that were written.
    pub(super) async fn lines<T: DeserializeOwned + Send + 'static>(
        &self,
        sha256: &str,
    ) -> Result<Vec<T>, RestoreError> {
        let unusable = |error: PortError| match error.kind {
            ErrorKind::NotFound | ErrorKind::Invalid => RestoreError::Unusable(chain(&error)),
            _ => error.into(),
        };
        let text = self.store.lines(sha256).await.map_err(unusable)?;
        let parsed = tokio::task::spawn_blocking(move || {
            text.lines().map(serde_json::from_str).collect::<Result<Vec<T>, _>>()
        });
        let parsed = parsed.await;
        let parsed =
            parsed.map_err(|panic| PortError::new(ErrorKind::Internal, OPERATION, panic))?;
        parsed.map_err(|error| unusable(PortError::new(ErrorKind::Invalid, OPERATION, error)))
    }
}

fn collection(target: &TenantId, line: CollectionLine) -> Collection {
    let CollectionLine { id, name, settings, revision, created_at, updated_at } = line;
    let tenant = target.clone();
    let (generation, document_count) = (1, 0);
    Collection {
        tenant,
        id,
        name,
        settings,
        generation,
        document_count,
        revision,
        created_at,
        updated_at,
    }
}
