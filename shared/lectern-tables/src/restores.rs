//! Restorations: which backup became which incarnation of a tenant's data, and how far that came.

mod records;
mod removal;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{BackupId, RestoreId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    MAX_PAGE, Page,
    backups::BackupCounts,
    item::{from_item, number, text, to_item},
    layout::{self, RESTORE},
    range::Range,
    table::{Conditional, Table},
    transaction::{Change, Condition},
};

/// How a restoration stands.
///
/// ```text
/// running → ready → live → confirmed      (confirmed: the data it took the place of is removed)
///    │        │       └──► undone         (undone: the data it took the place of is live again)
///    ▼        ▼
/// failed   dropped
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreState {
    /// It is being written, or whoever wrote it died: starting it again finishes it.
    Running,
    /// Everything is there and was compared with the backup. Nobody sees it yet.
    Ready,
    /// It answers. What it took the place of is kept.
    Live,
    /// It answers, and what it took the place of is removed.
    Confirmed,
    /// It answered, and does no more.
    Undone,
    /// It was removed before it answered: a drill, or somebody who changed their mind.
    Dropped,
    /// It was given up, and what it had written is removed or will be.
    Failed,
}

impl RestoreState {
    /// Returns the name used in JSON, logs and the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Live => "live",
            Self::Confirmed => "confirmed",
            Self::Undone => "undone",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// The record of one restoration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restoration {
    /// Whose: the account.
    pub tenant: TenantId,
    /// Its id.
    pub id: RestoreId,
    /// From which backup.
    pub backup_id: BackupId,
    /// Whether it is only to see that it can be done.
    pub is_drill: bool,
    /// How it stands.
    pub state: RestoreState,
    /// The incarnation it takes the place of.
    pub replaces: u32,
    /// The incarnation it is.
    pub incarnation: u32,
    /// Until when whoever writes it is taken to be alive.
    #[serde(default)]
    pub lease_until: Option<Timestamp>,
    /// Partitions of the backup that are written.
    pub partitions_done: Vec<usize>,
    /// What is written.
    pub counts: BackupCounts,
    /// Passages whose vectors were made anew, because the backup has those of another model.
    pub embedded: u64,
    /// When it began.
    pub begun_at: Timestamp,
    /// When everything was written and compared.
    pub ready_at: Option<Timestamp>,
    /// When it became live.
    pub live_at: Option<Timestamp>,
    /// When it was confirmed, undone, dropped or given up.
    pub ended_at: Option<Timestamp>,
    /// Why it was given up.
    pub failure: Option<String>,
}

impl Restoration {
    /// Returns where it writes.
    #[must_use]
    pub fn target(&self) -> TenantId {
        self.tenant.in_incarnation(self.incarnation)
    }

    /// Returns what it takes the place of.
    #[must_use]
    pub fn replaced(&self) -> TenantId {
        self.tenant.in_incarnation(self.replaces)
    }
}

/// The restorations of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Restores<'tables> {
    pub(crate) table: &'tables Table,
}

impl Restores<'_> {
    /// Stores a restoration that begins.
    ///
    /// # Errors
    /// `Conflict` when its id is taken.
    pub async fn begin(&self, restoration: &Restoration) -> Result<(), PortError> {
        let absent = Condition::new("attribute_not_exists(#PK)");
        self.put("begin restoration", restoration, absent).await
    }

    /// Stores how a restoration stands now.
    ///
    /// # Errors
    /// `Conflict` when it is no more in the state `from`.
    pub async fn advance(
        &self,
        restoration: &Restoration,
        from: RestoreState,
    ) -> Result<(), PortError> {
        let condition = Condition::new("#state = :from").with(":from", text(from.as_str()));
        self.put("advance restoration", restoration, condition).await
    }

    /// Takes a running restoration over whose writer is gone, or gives one's own back, until `until`.
    ///
    /// # Errors
    /// `Conflict` when it is not running, or somebody else took it since it was read.
    pub async fn lease(
        &self,
        restoration: &Restoration,
        until: Timestamp,
    ) -> Result<Restoration, PortError> {
        let operation = "lease restoration";
        let read = restoration.lease_until.map_or(0, Timestamp::as_millis);
        let key = layout::restoration(&restoration.tenant, &restoration.id);
        // One without a lease is no longer than any.
        let change = Change::of(key, "SET #lease_until = :until")
            .when("#state = :running AND NOT #lease_until > :read")
            .with(":running", text("running"))
            .with(":read", number(read))
            .with(":until", number(until.as_millis()));
        match self.table.update(operation, change).await? {
            Conditional::Done(item) => from_item(operation, &item),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::Conflict, operation)),
        }
    }

    async fn put(
        &self,
        operation: &'static str,
        restoration: &Restoration,
        condition: Condition,
    ) -> Result<(), PortError> {
        let mut item = to_item(restoration);
        layout::restoration(&restoration.tenant, &restoration.id).put_into(&mut item);
        match self.table.put(operation, item, condition).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(_) => {
                let reason = "somebody else changed the restoration";
                Err(PortError::new(ErrorKind::Conflict, operation, reason))
            }
        }
    }

    /// Returns a restoration.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(
        &self,
        tenant: &TenantId,
        id: &RestoreId,
    ) -> Result<Option<Restoration>, PortError> {
        let operation = "get restoration";
        let item = self.table.get(operation, &layout::restoration(tenant, id)).await?;
        item.map(|item| from_item(operation, &item)).transpose()
    }

    /// Returns up to `limit` (at most [`MAX_PAGE`]) restorations, newest first, before the one in `cursor`.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Restoration>, PortError> {
        let operation = "list restorations";
        let limit = limit.clamp(1, MAX_PAGE);
        let mut range = Range::prefixed(layout::account(tenant), RESTORE, limit);
        range.backwards = true;
        if let Some(cursor) = cursor {
            let id = cursor.parse();
            let id = id.map_err(|error| PortError::new(ErrorKind::Invalid, operation, error))?;
            range.after = Some(layout::restoration(tenant, &id).to_item());
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let found = found.iter().map(|item| from_item(operation, item));
        let items = found.collect::<Result<Vec<Restoration>, _>>()?;
        let next = last.and(items.last()).map(|restoration| restoration.id.to_string());
        Ok(Page { items, next })
    }
}
