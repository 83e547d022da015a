//! A tenant is read as it is at one moment, while writers go on.
//!
//! First the content of every document is copied, one after the other: text, passages, file. What is live does not change, so
//! this can take as long as it takes. Then all records are read, in one go; content that went live meanwhile is copied too.
//! If no collection's generation changed from before the first record to after the last, they are of one moment, and with
//! them all that answers. If one did, records are read again, which by then means little copying. After
//! [`FREE_ROUNDS`] of that, writers are asked to wait until it is done (`lectern_tables::generation`).
//!
//! Content that was copied and is live no more stays in the parts and counts for nothing: whoever reads a backup takes those
//! passages and texts of a document whose version is its record's `live_version`, as a search does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use lectern_core::{
    auth::ApiKey,
    document::{Document, DocumentState, DocumentVersion},
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId, TenantId},
    time::Timestamp,
};
use lectern_tables::{
    MAX_PAGE,
    backups::{Backup, BackupCounts},
    collections::Collection,
    generation::MAX_HOLD,
};
use tracing::{info, warn};

use super::{
    BackUp, BackUpError, Time,
    checkpoint::Reading,
    copied::{Content, Copied},
    digest::LineDigest,
    manifest::{CollectionCut, Cut},
    parts::{Partition, partition_of, partitions},
    passages::{Live, Passages, by_pages},
    records::{CollectionLine, Kind, document_line, key_line},
    store::Store,
};

/// Partitions read at the same time, each with one page of points or one piece of text in memory.
const READERS: usize = 6;
/// How often records are read before writers are asked to wait.
const FREE_ROUNDS: usize = 2;
/// How often records are read at most. Then the backup is of more than one moment, and says so.
const MAX_ROUNDS: usize = 6;

pub(super) type Collections = BTreeMap<CollectionId, Collection>;

/// All records of a tenant.
#[derive(Debug)]
pub(super) struct Records {
    /// Their lines.
    pub(super) partitions: Vec<Partition>,
    /// What they are records of.
    pub(super) counts: BackupCounts,
    /// The digest of the state.
    pub(super) digest: LineDigest,
    /// Of which moment they are.
    pub(super) cut: Cut,
}

impl BackUp {
    /// Copies the content of every document that is left. Where time runs out it keeps how far it is.
    pub(super) async fn copy_contents(
        &self,
        tenant: &TenantId,
        reading: &mut Reading,
        mut keeper: Option<(&Store, &mut Backup)>,
        time: Time,
    ) -> Result<(), BackUpError> {
        while !reading.is_over {
            let documents = self.tables.documents();
            let (page, next) = documents.every(tenant, MAX_PAGE, reading.cursor.as_ref()).await?;
            let live = self.with_live_versions(tenant, page).await?;
            let of_partitions = by_partition(live, |(document, _)| &document.id);
            // Within a partition one after the other: the order of its lines is the order of ids.
            let mut work = Vec::new();
            for (partition, of_it) in reading.partitions.iter_mut().zip(of_partitions) {
                work.push(self.copy_in_order(partition, of_it));
            }
            let copied = stream::iter(work).buffer_unordered(READERS);
            let copied: Vec<Vec<_>> = copied.try_collect().await?;
            for (id, content) in copied.into_iter().flatten() {
                reading.copied.insert(id, content);
            }
            reading.is_over = next.is_none();
            reading.cursor = next;

            let Some((store, backup)) = &mut keeper else { continue };
            let is_late = time.is_up();
            let is_due = reading.line_bytes() - reading.kept_at >= self.limits.checkpoint_bytes;
            if is_late || is_due {
                self.keep(reading, store, backup).await?;
            }
            if is_late {
                return Err(BackUpError::OutOfTime);
            }
        }
        Ok(())
    }

    /// Keeps how far a backup is, and says that it is alive.
    async fn keep(
        &self,
        reading: &mut Reading,
        store: &Store,
        backup: &mut Backup,
    ) -> Result<(), PortError> {
        reading.keep(store, backup).await?;
        let until = self.clock.now() + self.lease;
        *backup = self.tables.backups().lease(backup, until).await?;
        Ok(())
    }

    // Boxed, as is its sister below, and called in a loop: of a stream that a closure over borrows makes, the compiler cannot
    // tell whether it can be sent (rust-lang/rust#110338).
    fn copy_in_order<'now>(
        &'now self,
        partition: &'now mut Partition,
        documents: Vec<Live>,
    ) -> BoxFuture<'now, Result<Vec<(DocumentId, Content)>, PortError>> {
        Box::pin(async move {
            let mut copied = Vec::new();
            for run in by_pages(documents) {
                let is_alone = run.len() == 1;
                let mut read = self.read_passages(&run).await?;
                for (document, version) in run {
                    let passages = if is_alone {
                        Passages::Unread
                    } else {
                        Passages::Read(read.remove(&document.id).unwrap_or_default())
                    };
                    let content = self.copy_content(partition, &document, version, passages);
                    copied.push((document.id.clone(), content.await?));
                    partition.end(&document.id).await?;
                }
            }
            Ok(copied)
        })
    }

    /// Returns the documents that have a live version, with its record. One whose record has gone is changing, and whoever
    /// reads its record after this will see that.
    async fn with_live_versions(
        &self,
        tenant: &TenantId,
        documents: Vec<Document>,
    ) -> Result<Vec<Live>, PortError> {
        let present = documents.into_iter().filter(|document| !is_leaving(document));
        let present: Vec<Document> = present.collect();
        let live: Vec<_> = present
            .iter()
            .filter_map(|document| Some((&document.id, document.live_version?)))
            .collect();
        let found = self.tables.versions().get_many(tenant, &live).await?;
        let mut found: HashMap<DocumentId, DocumentVersion> =
            found.into_iter().map(|version| (version.document_id.clone(), version)).collect();
        let with = |document: Document| {
            let version = found.remove(&document.id)?;
            Some((document, version))
        };
        Ok(present.into_iter().filter_map(with).collect())
    }

    /// Reads all records, as often as it takes for them to be of one moment.
    pub(super) async fn read_records(
        &self,
        tenant: &TenantId,
        reading: &mut Reading,
        sink: Option<&Store>,
    ) -> Result<Records, PortError> {
        let begun_at = self.clock.now();
        for round in 1.. {
            let before = self.collections(tenant).await?;
            if round > FREE_ROUNDS {
                self.hold(tenant, &before).await?;
            }
            // Under a hold, what is from before it counts no more.
            let before = if round > FREE_ROUNDS { self.collections(tenant).await? } else { before };
            let read = self.read_once(tenant, reading, sink, &before).await;
            let after = self.collections(tenant).await;
            if round > FREE_ROUNDS {
                self.release(tenant, &before).await;
            }
            let (partitions, counts, digest) = read?;
            let cut = self.cut(begun_at, &before, &after?);
            if cut.is_exact || round >= MAX_ROUNDS {
                if !cut.is_exact {
                    warn!(%tenant, rounds = round, "a backup is of more than one moment: writers did not wait");
                }
                return Ok(Records { partitions, counts, digest, cut });
            }
            info!(%tenant, round, "something went live while records were read; reading them again");
        }
        unreachable!("rounds are counted")
    }

    async fn read_once(
        &self,
        tenant: &TenantId,
        reading: &mut Reading,
        sink: Option<&Store>,
        collections: &Collections,
    ) -> Result<(Vec<Partition>, BackupCounts, LineDigest), PortError> {
        let mut records = partitions(sink, self.limits);
        let (mut counts, mut digest) = (BackupCounts::default(), LineDigest::default());
        let mut cursor = None;
        loop {
            let documents = self.tables.documents();
            let (page, next) = documents.every(tenant, MAX_PAGE, cursor.as_ref()).await?;
            let of_partitions = by_partition(page, |document| &document.id);
            let (copied, mut work) = (&reading.copied, Vec::new());
            let partitions = records.iter_mut().zip(&mut reading.partitions);
            for ((records, contents), of_it) in partitions.zip(of_partitions) {
                work.push(self.read_in_order(records, contents, copied, of_it));
            }
            let read = stream::iter(work).buffer_unordered(READERS);
            let read: Vec<Read> = read.try_collect().await?;
            for read in read {
                counts += read.counts;
                digest += read.digest;
                for (id, content) in read.late {
                    reading.copied.insert(id, content);
                }
            }
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        for collection in collections.values().cloned() {
            digest += records[0].push(Kind::Collection, &CollectionLine::from(collection)).await?;
            counts.collections += 1;
        }
        for key in self.account_keys(tenant).await? {
            // Not of the digest: keys are the account's, and stay what they are when its data is restored.
            records[0].push(Kind::Key, &key_line(key)).await?;
            counts.keys += 1;
        }
        Ok((records, counts, digest))
    }

    fn read_in_order<'now>(
        &'now self,
        records: &'now mut Partition,
        contents: &'now mut Partition,
        copied: &'now Copied,
        documents: Vec<Document>,
    ) -> BoxFuture<'now, Result<Read, PortError>> {
        Box::pin(async move {
            let mut read = Read::default();
            for document in documents.into_iter().filter(|document| !is_leaving(document)) {
                let id = document.id.clone();
                self.read_record(records, contents, copied, document, &mut read).await?;
                records.end(&id).await?;
            }
            Ok(read)
        })
    }

    /// Writes a document's record, and that of a version on its way; copies what went live since contents were copied.
    async fn read_record(
        &self,
        records: &mut Partition,
        contents: &mut Partition,
        copied: &Copied,
        document: Document,
        read: &mut Read,
    ) -> Result<(), PortError> {
        let Document { tenant, id, live_version, latest_version, .. } = document.clone();
        if let Some(live) = live_version {
            let content = match copied.get(&id, live) {
                Some(content) if content.created_at != document.created_at => {
                    // Passages of both would be told apart by nothing.
                    let reason = "a document was deleted and made anew meanwhile; back up again";
                    return Err(PortError::new(ErrorKind::Conflict, "back up", reason));
                }
                Some(content) => content,
                None => {
                    let version = self.tables.versions().get(&tenant, &id, live).await?;
                    // Its record has gone since the document's was read, with another generation.
                    let Some(version) = version else { return Ok(()) };
                    let late = self.copy_content(contents, &document, version, Passages::Unread);
                    let late = late.await?;
                    read.late.push((id.clone(), late));
                    late
                }
            };
            read.counts += content.counts;
            read.digest += content.digest;
        }
        if live_version != Some(latest_version) {
            let latest = self.tables.versions().get(&tenant, &id, latest_version).await?;
            let Some(latest) = latest else { return Ok(()) };
            read.counts.versions += 1;
            read.counts += self.copy_version(records, latest, &mut read.digest).await?;
        }
        read.counts.documents += 1;
        read.digest += records.push(Kind::Document, &document_line(document)).await?;
        Ok(())
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

    async fn account_keys(&self, tenant: &TenantId) -> Result<Vec<ApiKey>, PortError> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.tables.keys().list(tenant, MAX_PAGE, cursor.as_deref()).await?;
            keys.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Asks writers of these collections to wait; one that was deleted meanwhile has none.
    async fn hold(&self, tenant: &TenantId, collections: &Collections) -> Result<(), PortError> {
        let now = self.clock.now();
        for id in collections.keys() {
            match self.tables.collections().hold(tenant, id, now, now + MAX_HOLD).await {
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets writers go on. Where that fails they do when the hold ends.
    async fn release(&self, tenant: &TenantId, collections: &Collections) {
        for id in collections.keys() {
            if let Err(error) = self.tables.collections().release(tenant, id).await {
                warn!(%tenant, collection = %id, %error, "writers wait until a backup's hold ends");
            }
        }
    }

    fn cut(&self, begun_at: Timestamp, before: &Collections, after: &Collections) -> Cut {
        let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let of_one = |id: &CollectionId| CollectionCut {
            id: id.clone(),
            generation_before: before.get(id).map(|collection| collection.generation),
            generation_after: after.get(id).map(|collection| collection.generation),
        };
        let collections: Vec<CollectionCut> = ids.into_iter().map(of_one).collect();
        let epochs = |collections: &Collections| {
            let epoch = |one: &Collection| (one.id.clone(), one.created_at, one.generation);
            collections.values().map(epoch).collect::<Vec<_>>()
        };
        let is_exact = epochs(before) == epochs(after);
        Cut { begun_at, ended_at: self.clock.now(), is_exact, collections }
    }
}

/// What was read of some documents.
#[derive(Debug, Default)]
struct Read {
    counts: BackupCounts,
    digest: LineDigest,
    /// Content that went live since contents were copied.
    late: Vec<(DocumentId, Content)>,
}

fn by_partition<T>(page: Vec<T>, id: impl Fn(&T) -> &DocumentId) -> Vec<Vec<T>> {
    let mut of_partitions: Vec<Vec<T>> = (0..super::PARTITIONS).map(|_| Vec::new()).collect();
    for one in page {
        let partition = partition_of(id(&one));
        of_partitions[partition].push(one);
    }
    of_partitions
}

fn is_leaving(document: &Document) -> bool {
    matches!(document.state, DocumentState::Deleting | DocumentState::Deleted)
}
