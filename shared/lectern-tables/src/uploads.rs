//! Files on their way into the store: what their writer said of them before they arrived.

use std::time::Duration;

use lectern_core::{
    document::Metadata,
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId, TenantId, UploadId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    item::{from_item, text, to_item},
    layout,
    table::{Conditional, Table, alive, expiry},
    transaction::{Change, Condition},
};

/// How long an upload is known, from its beginning.
pub const KNOWN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// Its bytes have not been seen.
    Waiting,
    /// Its bytes are a document.
    Accepted,
    /// Its bytes were refused.
    Refused,
}

/// One upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingUpload {
    /// Whose.
    pub tenant: TenantId,
    /// Its id.
    pub id: UploadId,
    /// The document it becomes, or a version of which it becomes.
    pub document_id: DocumentId,
    /// Whether the document was there before.
    pub is_update: bool,
    /// Where the document belongs.
    pub collection: CollectionId,
    /// File name or title.
    pub name: String,
    /// Who may see it.
    pub acl: Vec<String>,
    /// Flat metadata.
    pub metadata: Metadata,
    /// How it stands.
    pub state: UploadState,
    /// Why it was refused.
    pub reason: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
}

/// The uploads of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Uploads<'tables> {
    pub(crate) table: &'tables Table,
}

impl Uploads<'_> {
    /// Stores a new upload.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn begin(&self, upload: &PendingUpload) -> Result<(), PortError> {
        let mut item = to_item(upload);
        layout::upload(&upload.tenant, &upload.id).put_into(&mut item);
        item.insert("expires_at".to_owned(), expiry(upload.created_at + KNOWN_FOR));
        self.table.put("begin upload", item, Condition::default()).await.map(|_| ())
    }

    /// Returns an upload, `None` when there is none or it was forgotten.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(
        &self,
        tenant: &TenantId,
        id: &UploadId,
        now: Timestamp,
    ) -> Result<Option<PendingUpload>, PortError> {
        let operation = "get upload";
        let item = self.table.get(operation, &layout::upload(tenant, id)).await?;
        let item = item.and_then(|item| alive(item, now));
        item.map(|item| from_item(operation, &item)).transpose()
    }

    /// Notes how an upload ended. One that has ended already stays as it is.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn end(
        &self,
        tenant: &TenantId,
        id: &UploadId,
        reason: Option<&str>,
    ) -> Result<(), PortError> {
        let operation = "end upload";
        let state = if reason.is_some() { "refused" } else { "accepted" };
        let change =
            Change::of(layout::upload(tenant, id), "SET #state = :state, #reason = :reason")
                .when("#state = :waiting")
                .with(":state", text(state))
                .with(":waiting", text("waiting"))
                .with(":reason", reason.map_or_else(|| crate::item::native(().into()), text));
        match self.table.update(operation, change).await? {
            Conditional::Done(_) => Ok(()),
            Conditional::Refused(Some(_)) => Ok(()),
            Conditional::Refused(None) => Err(PortError::bare(ErrorKind::NotFound, operation)),
        }
    }
}
