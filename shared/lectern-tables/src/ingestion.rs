//! How a claimed version ends: it goes live and is finished, or it fails and may be tried again.

use lectern_core::{
    document::{Document, DocumentState, DocumentVersion, IngestFailure, Progress, Version},
    errors::{ErrorKind, PortError},
    ids::{DocumentId, TenantId},
    time::Timestamp,
};

use crate::{
    MAX_PAGE,
    documents::{StoredDocument, load},
    generation::{next_generation, wait_until_free},
    item::{from_item, number, text},
    layout,
    range::Range,
    table::Conditional,
    transaction::{Change, Transacted, Write},
    versions::{Lease, Versions, lost},
};

const SWITCH: &str = "switch version";
const FAIL: &str = "fail version";
const REQUEUE: &str = "requeue version";
/// How often a change is decided anew because somebody else changed the document.
const MAX_TRIES: u32 = 8;

/// What became of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The version answers questions and nothing is left to do: it is the first one.
    Finished,
    /// The version answers questions. Remove the passages of all versions below it, then finish.
    RetireOlder,
    /// A newer version answers questions. Remove the passages of this version, then finish.
    RetireThis,
    /// The document is deleted or being deleted. Remove the passages of this version: they may have
    /// been written after the deletion removed the others.
    Gone,
}

impl Versions<'_> {
    /// Makes the version answer questions, in one transaction with its state and the collection's
    /// generation, unless a newer one does. Can be repeated after a crash.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost or the document kept changing.
    pub async fn switch_live(
        &self,
        lease: &Lease,
        chunk_count: u32,
        now: Timestamp,
    ) -> Result<Switch, PortError> {
        let Lease { tenant, document_id, version, .. } = lease;
        let mut free = now;
        for _ in 0..MAX_TRIES {
            let stored = load(self.table, SWITCH, tenant, document_id).await?;
            let Some(stored) = stored.filter(|stored| !stored.is_leaving()) else {
                return Ok(Switch::Gone);
            };
            let live = stored.document.live_version;
            let (end, goes_live) = match live {
                Some(live) if live > *version => (Switch::RetireThis, false),
                _ if *version == 1 => (Switch::Finished, live.is_none()),
                _ => (Switch::RetireOlder, live != Some(*version)),
            };
            let mut writes = vec![Write::Change(switched(lease, end, chunk_count))];
            let collection = stored.document.collection.clone();
            if goes_live {
                writes.push(next_generation(tenant, &collection, free));
                let StoredDocument { document, revision } = stored;
                let document = with_live(document, *version, chunk_count, now);
                writes.push(StoredDocument { document, revision }.write());
            }
            match self.table.transact(SWITCH, writes).await? {
                Transacted::Written => return Ok(end),
                Transacted::Refused(0) if end == Switch::Finished && !goes_live => return Ok(end),
                Transacted::Refused(0) => return Err(lost(SWITCH)),
                Transacted::Refused(1) => {
                    free = wait_until_free(self.table, SWITCH, tenant, &collection, free).await?;
                }
                Transacted::Refused(_) => {}
            }
        }
        Err(kept_changing(SWITCH))
    }

    /// Ends the work on a version that was switched: nothing is pending any more. Ending it twice is
    /// the same as once.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost before it was finished.
    pub async fn finish(&self, lease: &Lease) -> Result<(), PortError> {
        let operation = "finish version";
        let change =
            Change::of(lease.key(), "SET #state = :ready REMOVE #lease_until, #GSI1PK, #GSI1SK")
                .when("#fence = :fence AND #state IN (:retiring, :ready)")
                .with(":fence", number(lease.fence))
                .with(":retiring", text(DocumentState::Retiring.as_str()))
                .with(":ready", text(DocumentState::Ready.as_str()));
        match self.table.update(operation, change).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(_) => Err(lost(operation)),
        }
    }

    /// Gives the version up. Its document shows the failure if no newer version exists; it goes on
    /// answering from an older live version if there is one.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost, the version is live already, or the document kept changing.
    pub async fn fail(
        &self,
        lease: &Lease,
        failure: &IngestFailure,
        now: Timestamp,
    ) -> Result<(), PortError> {
        for _ in 0..MAX_TRIES {
            let stored = load(self.table, FAIL, &lease.tenant, &lease.document_id).await?;
            let change = Change::of(
                lease.key(),
                "SET #state = :failed REMOVE #lease_until, #GSI1PK, #GSI1SK",
            )
            .when("#fence = :fence AND #state = :processing")
            .with(":fence", number(lease.fence))
            .with(":failed", text(DocumentState::Failed.as_str()))
            .with(":processing", text(DocumentState::Processing.as_str()));
            let mut writes = vec![Write::Change(change)];
            if let Some(StoredDocument { document, revision }) = stored
                && document.latest_version == lease.version
            {
                let document = with_failure(document, failure, now);
                writes.push(StoredDocument { document, revision }.write());
            }
            match self.table.transact(FAIL, writes).await? {
                Transacted::Written => return Ok(()),
                Transacted::Refused(0) => return Err(lost(FAIL)),
                Transacted::Refused(_) => {}
            }
        }
        Err(kept_changing(FAIL))
    }

    /// Queues a document's newest version again after it failed, with all its attempts; for a person
    /// who asks for a retry.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the newest version has not failed.
    pub async fn requeue(
        &self,
        tenant: &TenantId,
        document: &DocumentId,
        now: Timestamp,
    ) -> Result<Document, PortError> {
        for _ in 0..MAX_TRIES {
            let stored = load(self.table, REQUEUE, tenant, document).await?;
            let stored = stored.filter(|stored| !stored.is_leaving());
            let StoredDocument { document, revision } =
                stored.ok_or(PortError::bare(ErrorKind::NotFound, REQUEUE))?;
            let document = with_retry(document, now);
            let queued = Write::Change(queued(&document, now));
            let next = StoredDocument { document, revision };
            match self.table.transact(REQUEUE, vec![queued, next.write()]).await? {
                Transacted::Written => return Ok(next.document),
                Transacted::Refused(0) => {
                    let reason = "the newest version has not failed";
                    return Err(PortError::new(ErrorKind::Conflict, REQUEUE, reason));
                }
                Transacted::Refused(_) => {}
            }
        }
        Err(kept_changing(REQUEUE))
    }

    /// Returns the first `limit` (at most [`MAX_PAGE`]) versions of a document, oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        tenant: &TenantId,
        document: &DocumentId,
        limit: usize,
    ) -> Result<Vec<DocumentVersion>, PortError> {
        let operation = "list versions";
        let partition = layout::document_parts(tenant, document);
        let range = Range::prefixed(partition, layout::VERSION, limit.clamp(1, MAX_PAGE));
        let (found, _) = self.table.range(operation, &range).await?;
        found.iter().map(|item| from_item(operation, item)).collect()
    }
}

/// Returns the change of a version that was switched, or found a newer one in its place.
fn switched(lease: &Lease, end: Switch, chunk_count: u32) -> Change {
    let (expression, state) = match end {
        Switch::Finished => (
            "SET #state = :state, #chunk_count = :chunks REMOVE #lease_until, #GSI1PK, #GSI1SK",
            DocumentState::Ready,
        ),
        _ => ("SET #state = :state, #chunk_count = :chunks", DocumentState::Retiring),
    };
    Change::of(lease.key(), expression)
        .when("#fence = :fence AND #state IN (:processing, :retiring)")
        .with(":fence", number(lease.fence))
        .with(":processing", text(DocumentState::Processing.as_str()))
        .with(":retiring", text(DocumentState::Retiring.as_str()))
        .with(":state", text(state.as_str()))
        .with(":chunks", number(chunk_count))
}

fn with_live(
    mut document: Document,
    version: Version,
    chunk_count: u32,
    now: Timestamp,
) -> Document {
    document.live_version = Some(version);
    document.updated_at = now;
    if document.latest_version == version {
        document.state = DocumentState::Ready;
        document.failure = None;
        document.progress = Progress { chunks_done: chunk_count, chunks_total: chunk_count };
    }
    document
}

fn with_failure(mut document: Document, failure: &IngestFailure, now: Timestamp) -> Document {
    document.failure = Some(failure.clone());
    document.updated_at = now;
    document.state = match document.state {
        DocumentState::Deleting | DocumentState::Deleted => document.state,
        _ if document.live_version.is_some() => DocumentState::Ready,
        _ => DocumentState::Failed,
    };
    document
}

fn with_retry(mut document: Document, now: Timestamp) -> Document {
    document.state = DocumentState::Queued;
    document.failure = None;
    document.progress = Progress::default();
    document.updated_at = now;
    document
}

/// Returns the change of a failed version that waits again. The fence stays: it only ever grows.
fn queued(document: &Document, now: Timestamp) -> Change {
    let Document { tenant, id, latest_version, .. } = document;
    let [(_, partition), (_, sort)] =
        layout::pending(now, tenant, id, &layout::padded(*latest_version));
    Change::of(
        layout::version(tenant, id, *latest_version),
        "SET #state = :queued, #attempts = :none, #GSI1PK = :partition, #GSI1SK = :sort",
    )
    .when("#state = :failed")
    .with(":queued", text(DocumentState::Queued.as_str()))
    .with(":failed", text(DocumentState::Failed.as_str()))
    .with(":none", number(0_u64))
    .with(":partition", partition)
    .with(":sort", sort)
}

fn kept_changing(operation: &'static str) -> PortError {
    PortError::new(ErrorKind::Conflict, operation, "the document kept changing")
}
