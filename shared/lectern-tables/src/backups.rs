//! Backups: what each of them holds and how it ended, and the listing a backup is made from.

mod record;

use lectern_core::{
    document::Document,
    errors::{ErrorKind, PortError},
    ids::{BackupId, DocumentId, TenantId},
    time::Timestamp,
};

pub use self::record::{Backup, BackupCounts, BackupState, Drill};
use crate::{
    MAX_PAGE, Page,
    documents::Documents,
    item::{from_item, native, number, text, to_item},
    layout::{self, BACKUP, DOCUMENT},
    range::Range,
    table::{Conditional, Table},
    transaction::{Change, Condition},
};

const COMPLETE: &str = "complete";
/// Most pages that are read in search of a complete backup.
const MAX_PAGES: usize = 10;

/// The backups of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Backups<'tables> {
    pub(crate) table: &'tables Table,
}

impl Backups<'_> {
    /// Stores the record of a backup that begins.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn begin(&self, backup: &Backup) -> Result<(), PortError> {
        let absent = Condition::new("attribute_not_exists(#PK)");
        self.put("begin backup", backup, absent).await
    }

    /// Stores how a backup ended.
    ///
    /// # Errors
    /// `Conflict` when it was not running.
    pub async fn end(&self, backup: &Backup) -> Result<(), PortError> {
        let running = Condition::new("#state = :running").with(":running", text("running"));
        self.put("end backup", backup, running).await
    }

    /// Stores what a complete backup is from here on: of fewer documents, or none any more.
    ///
    /// # Errors
    /// `Conflict` when it is not complete, or has another manifest than the one that was `read`.
    pub async fn amend(&self, read: &Backup, amended: &Backup) -> Result<(), PortError> {
        let sha256 = read.manifest_sha256.as_deref().unwrap_or_default();
        let unchanged = Condition::new("#state = :complete AND #manifest_sha256 = :sha256")
            .with(":complete", text(COMPLETE))
            .with(":sha256", text(sha256));
        self.put("amend backup", amended, unchanged).await
    }

    async fn put(
        &self,
        operation: &'static str,
        backup: &Backup,
        condition: Condition,
    ) -> Result<(), PortError> {
        let mut item = to_item(backup);
        layout::backup(&backup.tenant, &backup.id).put_into(&mut item);
        match self.table.put(operation, item, condition).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::Conflict, operation)),
        }
    }

    /// Takes over a running backup whose writer is gone, or goes on with one's own, until `until`.
    ///
    /// # Errors
    /// `Conflict` when it is not running, or somebody else took it since it was read.
    pub async fn lease(&self, backup: &Backup, until: Timestamp) -> Result<Backup, PortError> {
        let operation = "lease backup";
        let read = backup.lease_until.map_or(0, Timestamp::as_millis);
        let change =
            Change::of(layout::backup(&backup.tenant, &backup.id), "SET #lease_until = :until")
                .when("#state = :running AND #lease_until = :read")
                .with(":running", text("running"))
                .with(":read", number(read))
                .with(":until", number(until.as_millis()));
        match self.table.update(operation, change).await? {
            Conditional::Done(item) => from_item(operation, &item),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::Conflict, operation)),
        }
    }

    /// Forgets a backup; one that is not there is fine.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn remove(&self, tenant: &TenantId, id: &BackupId) -> Result<(), PortError> {
        let key = layout::backup(tenant, id);
        self.table.delete("remove backup", &key, Condition::default()).await.map(|_| ())
    }

    /// Notes what came of restoring a backup for a drill.
    ///
    /// # Errors
    /// `NotFound`, or when the table cannot be written.
    pub async fn note_drill(
        &self,
        tenant: &TenantId,
        id: &BackupId,
        drill: &Drill,
    ) -> Result<(), PortError> {
        let operation = "note drill";
        let found = serde_json::to_value(drill).expect("a drill has string keys and numbers");
        let change = Change::of(layout::backup(tenant, id), "SET #drill = :drill")
            .when("attribute_exists(#PK)")
            .with(":drill", native(found));
        match self.table.update(operation, change).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::NotFound, operation)),
        }
    }

    /// Returns a backup's record.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, tenant: &TenantId, id: &BackupId) -> Result<Option<Backup>, PortError> {
        let operation = "get backup";
        let item = self.table.get(operation, &layout::backup(tenant, id)).await?;
        item.map(|item| from_item(operation, &item)).transpose()
    }

    /// Returns up to `limit` (at most [`MAX_PAGE`]) backups, newest first, before the one in `cursor`.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Backup>, PortError> {
        let operation = "list backups";
        let mut range = newest_first(tenant, limit.clamp(1, MAX_PAGE));
        if let Some(cursor) = cursor {
            let id = cursor.parse();
            let id = id.map_err(|error| PortError::new(ErrorKind::Invalid, operation, error))?;
            range.after = Some(layout::backup(tenant, &id).to_item());
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let found = found.iter().map(|item| from_item(operation, item));
        let items = found.collect::<Result<Vec<Backup>, _>>()?;
        let next = last.and(items.last()).map(|backup| backup.id.to_string());
        Ok(Page { items, next })
    }

    /// Returns the newest complete backup, `None` when there is none among the last thousand.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn newest_complete(&self, tenant: &TenantId) -> Result<Option<Backup>, PortError> {
        let operation = "find backup";
        let mut range = newest_first(tenant, MAX_PAGE);
        range.state = Some(COMPLETE);
        let (found, _) = self.table.ranges(operation, range, 1, MAX_PAGES).await?;
        found.first().map(|item| from_item(operation, item)).transpose()
    }
}

impl Backups<'_> {
    /// Returns the running backups among the last thousand, newest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn running(&self, tenant: &TenantId) -> Result<Vec<Backup>, PortError> {
        let operation = "find backup";
        let mut range = newest_first(tenant, MAX_PAGE);
        range.state = Some("running");
        let (found, _) = self.table.ranges(operation, range, MAX_PAGE, MAX_PAGES).await?;
        found.iter().map(|item| from_item(operation, item)).collect()
    }

    /// Stores the record of a complete backup that was found in the store, unless there is one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn adopt(&self, backup: &Backup) -> Result<(), PortError> {
        let adopted = self.begin(backup).await;
        if adopted.as_ref().is_err_and(|error| error.kind == ErrorKind::Conflict) {
            return Ok(());
        }
        adopted
    }
}

fn newest_first(tenant: &TenantId, limit: usize) -> Range {
    let mut range = Range::prefixed(layout::account(tenant), BACKUP, limit);
    range.backwards = true;
    range
}

impl Documents<'_> {
    /// Returns up to `limit` (at most [`MAX_PAGE`]) documents of all collections by id, after the one in `cursor`. Unlike
    /// [`Documents::list`] it sees what was written before it was called.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn every(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&DocumentId>,
    ) -> Result<(Vec<Document>, Option<DocumentId>), PortError> {
        let operation = "list all documents";
        let mut range = Range::prefixed(layout::tenant(tenant), DOCUMENT, limit.clamp(1, MAX_PAGE));
        range.after = cursor.map(|id| layout::document(tenant, id).to_item());
        let (found, last) = self.table.range(operation, &range).await?;
        let found = found.iter().map(|item| from_item(operation, item));
        let documents = found.collect::<Result<Vec<Document>, _>>()?;
        let next = last.and(documents.last()).map(|document| document.id.clone());
        Ok((documents, next))
    }
}
