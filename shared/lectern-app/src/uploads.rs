//! A file arrives by itself: announce → the client stores it → complete.
//!
//! What is too large for a request goes straight into the store, to an address made for it. Everything the writer has to say
//! is said, and checked, before; what arrives becomes a document by the same flow as any other.

use std::time::Duration;

use lectern_core::{
    auth::Caller,
    document::Metadata,
    errors::ErrorKind,
    ids::{CollectionId, DocumentId, TenantId, UploadId},
    time::Timestamp,
};
pub use lectern_tables::uploads::{PendingUpload, UploadState};
use tracing::{info, warn};

use crate::{
    blobs::BlobName,
    clock::entropy,
    errors::FlowError,
    upload::{NewDocument, Upload, authorize},
};

/// How long a file may be stored at the address made for it.
pub const ADDRESS_VALID_FOR: Duration = Duration::from_secs(15 * 60);

/// What a writer says of a file before it arrives.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Where it belongs.
    pub collection: CollectionId,
    /// The document to update, `None` for a new one.
    pub document_id: Option<DocumentId>,
    /// File name or title.
    pub name: String,
    /// Who may see it; empty for everybody of the tenant.
    pub acl: Vec<String>,
    /// Flat metadata.
    pub metadata: Metadata,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// An upload that may begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Announced {
    /// The upload.
    pub upload: PendingUpload,
    /// Where to `PUT` the bytes; `None` where the store gives no address out and the bytes come through the API.
    pub address: Option<String>,
    /// Until when.
    pub valid_until: Timestamp,
}

/// Takes files that arrive by themselves.
#[derive(Clone, Debug)]
pub struct Uploads {
    /// Accepts documents.
    pub upload: Upload,
}

impl Uploads {
    /// Announces a file.
    ///
    /// # Errors
    /// When the caller may not write there, a field is wrong, it is too large, or a port fails.
    pub async fn announce(&self, caller: &Caller, new: NewUpload) -> Result<Announced, FlowError> {
        authorize(caller, &new.collection)?;
        self.check_size(new.size_bytes)?;
        let as_document = NewDocument {
            collection: new.collection.clone(),
            document_id: new.document_id.clone(),
            new_id: None,
            name: new.name.clone(),
            bytes: bytes::Bytes::new(),
            acl: new.acl.clone(),
            metadata: new.metadata.clone(),
        };
        self.upload.check_ahead(caller, &as_document).await?;

        let now = self.upload.clock.now();
        let upload = PendingUpload {
            tenant: caller.tenant.clone(),
            id: UploadId::new(now, entropy()),
            is_update: new.document_id.is_some(),
            document_id: new.document_id.unwrap_or_else(|| DocumentId::new(now, entropy())),
            collection: new.collection,
            name: new.name,
            acl: new.acl,
            metadata: new.metadata,
            state: UploadState::Waiting,
            reason: None,
            created_at: now,
        };
        self.upload.tables.uploads().begin(&upload).await?;
        let name = BlobName::upload(&upload.tenant, &upload.id);
        let address = self.upload.blobs.address_for_put(&name, ADDRESS_VALID_FOR).await?;
        Ok(Announced { upload, address, valid_until: now + ADDRESS_VALID_FOR })
    }

    /// Returns how an upload stands.
    ///
    /// # Errors
    /// `NotFound` when it does not exist, was forgotten, or is not the caller's.
    pub async fn get(&self, caller: &Caller, id: &UploadId) -> Result<PendingUpload, FlowError> {
        let now = self.upload.clock.now();
        let found = self.upload.tables.uploads().get(&caller.tenant, id, now).await?;
        let upload = found.ok_or(FlowError::NotFound("upload"))?;
        authorize(caller, &upload.collection).map_err(|error| match error {
            FlowError::NotFound(_) => FlowError::NotFound("upload"),
            other => other,
        })?;
        Ok(upload)
    }

    /// Takes an announced file's bytes through the API and makes them a document.
    ///
    /// # Errors
    /// As [`Self::get`]; `Conflict` when they came before; `TooLarge`; or when a port fails.
    pub async fn receive(
        &self,
        caller: &Caller,
        id: &UploadId,
        bytes: bytes::Bytes,
    ) -> Result<PendingUpload, FlowError> {
        let upload = self.get(caller, id).await?;
        if upload.state != UploadState::Waiting {
            return Err(FlowError::Conflict("the upload has ended".into()));
        }
        if bytes.len() > self.upload.max_bytes {
            return Err(FlowError::TooLarge { limit_bytes: self.upload.max_bytes });
        }
        let name = BlobName::upload(&upload.tenant, id);
        self.upload.blobs.put(&name, bytes).await?;
        self.complete(&upload.tenant, id).await?;
        self.get(caller, id).await
    }

    /// Makes what arrived a document. Doing so again, or for a file nobody announced, changes nothing.
    ///
    /// # Errors
    /// When a port fails; the file stays and can be completed later.
    pub async fn complete(&self, tenant: &TenantId, id: &UploadId) -> Result<(), FlowError> {
        let now = self.upload.clock.now();
        let name = BlobName::upload(tenant, id);
        let tables = &self.upload.tables;
        let announced = tables.uploads().get(tenant, id, now).await?;
        let waiting = announced.filter(|upload| upload.state == UploadState::Waiting);
        let Some(upload) = waiting else {
            warn!(upload.id = %id, "a file arrived that nobody waits for");
            return Ok(self.upload.blobs.delete(&name).await?);
        };
        let reason = match self.accept(&upload, &name).await {
            Ok(()) => None,
            Err(FlowError::Port(error)) if error.kind == ErrorKind::NotFound => return Ok(()),
            Err(error @ FlowError::Port(_)) => return Err(error),
            Err(refused) => Some(reason(&refused)),
        };
        tables.uploads().end(tenant, id, reason.as_deref()).await?;
        info!(upload.id = %id, document.id = %upload.document_id, accepted = reason.is_none(), "an upload ended");
        Ok(self.upload.blobs.delete(&name).await?)
    }

    async fn accept(&self, upload: &PendingUpload, name: &BlobName) -> Result<(), FlowError> {
        // The address binds nobody to a size.
        let limit_bytes = self.upload.max_bytes;
        if self.upload.blobs.size(name).await? > limit_bytes as u64 {
            return Err(FlowError::TooLarge { limit_bytes });
        }
        let bytes = self.upload.blobs.get(name).await?;
        let id = upload.document_id.clone();
        let (document_id, new_id) =
            if upload.is_update { (Some(id), None) } else { (None, Some(id)) };
        let new = NewDocument {
            collection: upload.collection.clone(),
            document_id,
            new_id,
            name: upload.name.clone(),
            bytes,
            acl: upload.acl.clone(),
            metadata: upload.metadata.clone(),
        };
        // Who announced it was allowed to.
        let announcer = Caller::operator(upload.tenant.clone());
        self.upload.upload(&announcer, new).await.map(|_| ())
    }

    fn check_size(&self, size_bytes: u64) -> Result<(), FlowError> {
        let limit_bytes = self.upload.max_bytes;
        if size_bytes > limit_bytes as u64 {
            return Err(FlowError::TooLarge { limit_bytes });
        }
        if size_bytes == 0 {
            return Err(FlowError::field("/size_bytes", "must be at least 1"));
        }
        Ok(())
    }
}

/// Returns what the writer is told.
fn reason(refused: &FlowError) -> String {
    match refused {
        FlowError::Invalid(fields) => {
            let said = fields.iter().map(|field| format!("`{}` {}", field.pointer, field.detail));
            said.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
