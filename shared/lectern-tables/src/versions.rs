//! Versions as work: who holds the lease, and what waits.

use std::time::Duration;

use lectern_core::{
    document::{Document, DocumentState, DocumentVersion, Job, Progress, Task, Version},
    errors::{ErrorKind, PortError},
    ids::{DocumentId, TenantId},
    time::Timestamp,
};

use crate::{
    MAX_PAGE, Page,
    documents::{StoredDocument, load},
    item::{Item, from_item, native, number, number_in, text, text_in, to_item},
    layout::{self, PENDING},
    range::Range,
    table::{Conditional, MAX_BATCH_GET, Table},
    transaction::Change,
};

const CLAIM: &str = "claim version";
const PROGRESS: &str = "report progress";
/// A refused claim is decided anew this often: the version moved between two looks.
const MAX_LOOKS: u32 = 3;

/// The versions of every document.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'tables> {
    pub(crate) table: &'tables Table,
}

/// The right to write about a version until it ends or another worker claims it. Every claim has a
/// higher `fence`, so a worker that was given up can change nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who owns the document.
    pub tenant: TenantId,
    /// The document.
    pub document_id: DocumentId,
    /// The version.
    pub version: Version,
    /// When others may claim it.
    pub until: Timestamp,
    pub(crate) fence: u64,
}

impl Lease {
    pub(crate) fn key(&self) -> layout::Key {
        layout::version(&self.tenant, &self.document_id, self.version)
    }
}

/// A version that is this worker's to bring on.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The right to do so.
    pub lease: Lease,
    /// The version. `Retiring`: it was switched to already, only the old passages remain to be removed.
    pub version: DocumentVersion,
    /// Its document. A `live_version` above this version means that it was superseded.
    pub document: Document,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Go on.
    Won(Box<Claimed>),
    /// It was tried too often: mark it failed and stop.
    Exhausted(Box<Claimed>),
    /// Another worker has it until then.
    Held(Timestamp),
    /// Nothing is left to do.
    Finished,
    /// The document is deleted or being deleted, or never existed.
    Gone,
}

impl Versions<'_> {
    /// Returns a version.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(
        &self,
        tenant: &TenantId,
        document: &DocumentId,
        version: Version,
    ) -> Result<Option<DocumentVersion>, PortError> {
        let operation = "get version";
        let item = self.table.get(operation, &layout::version(tenant, document, version)).await?;
        item.map(|item| from_item(operation, &item)).transpose()
    }

    /// Returns those of these versions that exist, in no order.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get_many(
        &self,
        tenant: &TenantId,
        versions: &[(&DocumentId, Version)],
    ) -> Result<Vec<DocumentVersion>, PortError> {
        let operation = "get versions";
        let mut found = Vec::with_capacity(versions.len());
        for batch in versions.chunks(MAX_BATCH_GET) {
            let keys = batch.iter().map(|(id, version)| layout::version(tenant, id, *version));
            for item in self.table.batch_get(operation, keys.collect()).await? {
                found.push(from_item(operation, &item)?);
            }
        }
        Ok(found)
    }

    /// Takes the version for `lease`: one that is queued, or whose last worker let its lease end.
    /// Exactly one of many callers wins. More than `max_attempts` claims give `Exhausted`, except for
    /// a retiring version, which is live and must be finished.
    ///
    /// # Errors
    /// `Conflict` when the version kept moving, and whatever the table answers.
    pub async fn claim(
        &self,
        tenant: &TenantId,
        document: &DocumentId,
        version: Version,
        now: Timestamp,
        lease: Duration,
        max_attempts: u32,
    ) -> Result<Claim, PortError> {
        let key = layout::version(tenant, document, version);
        let mut retiring = false;
        for _ in 0..MAX_LOOKS {
            let change = claiming(key.clone(), retiring, now, now + lease);
            match self.table.update(CLAIM, change).await? {
                Conditional::Done(item) => return self.won(&item, max_attempts, now).await,
                Conditional::Refused(None) => return Ok(Claim::Gone),
                Conditional::Refused(Some(item)) => {
                    let seen: DocumentVersion = from_item(CLAIM, &item)?;
                    let held = seen.lease_until.filter(|until| *until > now);
                    match (seen.state, held) {
                        (DocumentState::Ready | DocumentState::Failed, _) => {
                            return Ok(Claim::Finished);
                        }
                        (_, Some(until)) => return Ok(Claim::Held(until)),
                        (state, None) => retiring = state == DocumentState::Retiring,
                    }
                }
            }
        }
        Err(PortError::new(ErrorKind::Conflict, CLAIM, "the version kept moving"))
    }

    async fn won(
        &self,
        item: &Item,
        max_attempts: u32,
        now: Timestamp,
    ) -> Result<Claim, PortError> {
        let version: DocumentVersion = from_item(CLAIM, item)?;
        let Some(stored) = self.mark_processing(&version, now).await? else {
            return Ok(Claim::Gone);
        };
        if stored.is_leaving() {
            return Ok(Claim::Gone);
        }
        let lease = Lease {
            tenant: version.tenant.clone(),
            document_id: version.document_id.clone(),
            version: version.version,
            until: version.lease_until.unwrap_or(now),
            fence: number_in(item, "fence"),
        };
        let tired = version.attempts > max_attempts && version.state != DocumentState::Retiring;
        let claimed = Box::new(Claimed { lease, version, document: stored.document });
        Ok(if tired { Claim::Exhausted(claimed) } else { Claim::Won(claimed) })
    }

    /// Shows the document as in work if the version is its newest; returns the document either way.
    async fn mark_processing(
        &self,
        version: &DocumentVersion,
        now: Timestamp,
    ) -> Result<Option<StoredDocument>, PortError> {
        let DocumentVersion { tenant, document_id, .. } = version;
        if version.state == DocumentState::Retiring {
            return load(self.table, CLAIM, tenant, document_id).await;
        }
        let change = Change::of(
            layout::document(tenant, document_id),
            "SET #state = :processing, #updated_at = :now ADD #revision :one",
        )
        .when("#latest_version = :version AND #state IN (:queued, :processing)")
        .with(":version", number(version.version))
        .with(":queued", text(DocumentState::Queued.as_str()))
        .with(":processing", text(DocumentState::Processing.as_str()))
        .with(":now", number(now.as_millis()))
        .with(":one", number(1_u64));
        let item = match self.table.update(CLAIM, change).await? {
            Conditional::Done(item) => Some(item),
            Conditional::Refused(item) => item,
        };
        item.map(|item| StoredDocument::read(CLAIM, &item)).transpose()
    }

    /// Makes the lease end `lease` after `now`.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost: stop at once.
    pub async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        duration: Duration,
    ) -> Result<Lease, PortError> {
        let operation = "renew lease";
        let until = now + duration;
        let change = Change::of(lease.key(), "SET #lease_until = :until")
            .when("#fence = :fence AND #state IN (:processing, :retiring)")
            .with(":fence", number(lease.fence))
            .with(":processing", text(DocumentState::Processing.as_str()))
            .with(":retiring", text(DocumentState::Retiring.as_str()))
            .with(":until", number(until.as_millis()));
        match self.table.update(operation, change).await? {
            Conditional::Done(_) => Ok(Lease { until, ..lease.clone() }),
            Conditional::Refused(_) => Err(lost(operation)),
        }
    }

    /// Shows how far the version has come, if it is its document's newest and still in work.
    /// Otherwise nothing happens: progress is a courtesy.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn progress(
        &self,
        lease: &Lease,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let value = serde_json::to_value(progress).expect("two numbers");
        let change = Change::of(
            layout::document(&lease.tenant, &lease.document_id),
            "SET #progress = :progress, #updated_at = :now",
        )
        .when("#latest_version = :version AND #state = :processing")
        .with(":version", number(lease.version))
        .with(":processing", text(DocumentState::Processing.as_str()))
        .with(":progress", native(value))
        .with(":now", number(now.as_millis()));
        self.table.update(PROGRESS, change).await.map(|_| ())
    }

    /// Returns up to `limit` (at most [`MAX_PAGE`]) pieces of work, oldest first, that no worker holds
    /// at `now`: queued versions, versions and retirements whose worker died, and deletions under
    /// way. Lags behind writes by a moment, so a piece may be done already.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn pending(
        &self,
        now: Timestamp,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Job>, PortError> {
        let operation = "list pending work";
        let mut range = Range::indexed(PENDING, limit.clamp(1, MAX_PAGE));
        if let Some(cursor) = cursor {
            let start = start_after(cursor);
            range.after = Some(start.ok_or(PortError::bare(ErrorKind::Invalid, operation))?);
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let free = found.iter().filter(|item| number_in(item, "lease_until") <= now.as_millis());
        let jobs = free.map(|item| text_in(item, "GSI1SK").and_then(job));
        let items: Option<Vec<Job>> = jobs.collect();
        let items = items.ok_or(PortError::bare(ErrorKind::Internal, operation))?;
        let next = last.and_then(|last| text_in(&last, "GSI1SK").map(str::to_owned));
        Ok(Page { items, next })
    }
}

impl Versions<'_> {
    /// Returns since when the oldest piece of work is pending that is not done, held by a worker or not; `None` when there is
    /// none. Lags behind writes by a moment.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn oldest_pending(&self) -> Result<Option<Timestamp>, PortError> {
        let operation = "find oldest work";
        let (found, _) = self.table.range(operation, &Range::indexed(PENDING, 1)).await?;
        let since = found.first().and_then(|item| text_in(item, "GSI1SK")?.split('#').next());
        let Some(since) = since else { return Ok(None) };
        let millis =
            since.parse().map_err(|error| PortError::new(ErrorKind::Internal, operation, error));
        millis.map(|millis| Some(Timestamp::from_millis(millis)))
    }
}

/// Returns the claim of a queued or abandoned version, or of an abandoned retirement.
fn claiming(key: layout::Key, retiring: bool, now: Timestamp, until: Timestamp) -> Change {
    let change = if retiring {
        Change::of(key, "SET #lease_until = :until ADD #attempts :one, #fence :one")
            .when("#state = :retiring AND #lease_until <= :now")
            .with(":retiring", text(DocumentState::Retiring.as_str()))
    } else {
        Change::of(
            key,
            "SET #state = :processing, #lease_until = :until ADD #attempts :one, #fence :one",
        )
        .when("#state = :queued OR (#state = :processing AND #lease_until <= :now)")
        .with(":queued", text(DocumentState::Queued.as_str()))
        .with(":processing", text(DocumentState::Processing.as_str()))
    };
    change
        .with(":now", number(now.as_millis()))
        .with(":until", number(until.as_millis()))
        .with(":one", number(1_u64))
}

/// Returns the item of a version on which nobody works.
pub(crate) fn version_item(version: &DocumentVersion) -> Item {
    let DocumentVersion { tenant, document_id, version: number, created_at, .. } = version;
    let mut item = to_item(version);
    layout::version(tenant, document_id, *number).put_into(&mut item);
    // Higher than every claim of an earlier document of this id: a worker that outlived it is fenced off.
    item.insert("fence".to_owned(), self::number(created_at.as_millis()));
    item
}

/// Returns the item of a version that waits for a worker.
pub(crate) fn pending_version_item(version: &DocumentVersion) -> Item {
    let DocumentVersion { tenant, document_id, version: number, created_at, .. } = version;
    let mut item = version_item(version);
    item.extend(layout::pending(*created_at, tenant, document_id, &layout::padded(*number)));
    item
}

/// The lease is another's now.
pub(crate) fn lost(operation: &'static str) -> PortError {
    PortError::new(ErrorKind::Conflict, operation, "the lease was lost")
}

/// Reads `{since}#{tenant}#{document}#{number or DELETION}`.
fn job(sort: &str) -> Option<Job> {
    let [_, tenant, document, part] = *sort.split('#').collect::<Vec<_>>() else { return None };
    let task =
        if part == layout::DELETION { Task::Forget } else { Task::Ingest(part.parse().ok()?) };
    Some(Job { tenant: tenant.parse().ok()?, document_id: document.parse().ok()?, task })
}

fn start_after(cursor: &str) -> Option<Item> {
    let Job { tenant, document_id, task } = job(cursor)?;
    let key = match task {
        Task::Ingest(version) => layout::version(&tenant, &document_id, version),
        Task::Forget => layout::deletion(&tenant, &document_id),
    };
    let mut start = key.to_item();
    start.insert("GSI1PK".to_owned(), text(PENDING));
    start.insert("GSI1SK".to_owned(), text(cursor));
    Some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_pending_work_names_its_job() {
        let tenant: TenantId = "acme".parse().unwrap();
        let document = DocumentId::new(Timestamp::from_millis(5), 7);
        for (part, task) in [("0000000012", Task::Ingest(12)), ("DELETION", Task::Forget)] {
            let keys = layout::pending(Timestamp::from_millis(9), &tenant, &document, part);
            let sort = keys[1].1.as_s().unwrap();
            let (tenant, document_id) = (tenant.clone(), document.clone());
            assert_eq!(job(sort), Some(Job { tenant, document_id, task }));
            assert_eq!(start_after(sort).unwrap()["GSI1SK"], text(&**sort));
        }
        assert_eq!(job("1#acme#nothing"), None);
    }
}
