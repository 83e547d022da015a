//! One document arrives: validate → store → register → enqueue.
//!
//! In that order: a crash leaves something a retry can finish, never a promise without bytes.

use std::sync::Arc;

use bytes::Bytes;
use lectern_core::{
    auth::{Caller, MAX_PRINCIPAL_BYTES, Permission},
    document::{
        Document, DocumentState, MAX_METADATA_BYTES, MAX_METADATA_FIELDS, MAX_NAME_BYTES, Metadata,
        Version,
    },
    errors::ErrorKind,
    filter,
    ids::{CollectionId, DocumentId},
    passage::EVERYBODY,
    ports::JobQueue,
    settings::SettingError,
};
use lectern_parse::{MediaType, ParseError};
use lectern_tables::{
    Tables,
    registration::{Registered, Registration},
};
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use crate::{
    backlog::Backlog,
    blobs::{BlobName, Blobs},
    clock::{Clock, entropy},
    collections::settings_of,
    errors::{FieldError, FlowError},
};

/// Most principals of a document's ACL.
pub const MAX_ACL: usize = 100;

/// What a writer sends.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// Where it belongs.
    pub collection: CollectionId,
    /// The document to update, `None` for a new one.
    pub document_id: Option<DocumentId>,
    /// Id of the document if a new one is made; chosen when `None`.
    pub new_id: Option<DocumentId>,
    /// File name or title.
    pub name: String,
    /// The bytes.
    pub bytes: Bytes,
    /// Who may see it; empty for everybody of the tenant.
    pub acl: Vec<String>,
    /// Flat metadata.
    pub metadata: Metadata,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq)]
pub struct Uploaded {
    /// The document's record.
    pub document: Document,
    /// The version that holds these bytes.
    pub version: Version,
    /// Whether anything new was accepted; `false` when the same bytes were there already.
    pub created: bool,
}

/// Accepts documents.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The table.
    pub tables: Tables,
    /// The files.
    pub blobs: Blobs,
    /// The doorbell of the ingestion worker.
    pub jobs: Arc<dyn JobQueue>,
    /// The time.
    pub clock: Clock,
    /// Largest document in bytes.
    pub max_bytes: usize,
    /// Refuses when too much waits.
    pub backlog: Backlog,
}

impl Upload {
    /// Accepts a document. The same bytes sent twice give the same document.
    ///
    /// # Errors
    /// When the caller may not write there, a field is wrong, the type is not read, too much waits already, or a port fails.
    pub async fn upload(&self, caller: &Caller, new: NewDocument) -> Result<Uploaded, FlowError> {
        authorize(caller, &new.collection)?;
        let media_type = self.validate(&new)?;
        let registration = self.registration(caller, &new, media_type);

        tokio::try_join!(
            self.backlog.admit(),
            self.refuse_named(caller, new.document_id.as_ref(), &new.collection),
            self.refuse_undeclared(caller, &new.collection, &new.metadata)
        )?;

        // Store, then register: whoever reads the record finds the bytes.
        let id = registration.document_id.as_ref().unwrap_or(&registration.new_id);
        let name = BlobName::raw(&caller.tenant, id, &registration.sha256);
        self.blobs.put(&name, new.bytes).await?;
        let registered = self.register(&registration).await?;
        if registered.document.id != *id {
            // These bytes belong to a document that has them already.
            self.blobs.delete(&name).await?;
        }

        // Ring even when nothing is new: an earlier ring may have been lost.
        self.ring(caller, &registered.document.id, registered.version).await;
        info!(document.id = %registered.document.id, version = registered.version, size_bytes = registration.size_bytes, created = registered.created, "accepted a document");
        let (document, version, created) =
            (registered.document, registered.version, registered.created);
        Ok(Uploaded { document, version, created })
    }

    /// Refuses what a caller who may write says of a document, before its bytes are there.
    pub(crate) async fn check_ahead(
        &self,
        caller: &Caller,
        new: &NewDocument,
    ) -> Result<(), FlowError> {
        let errors = invalid_fields(new);
        if !errors.is_empty() {
            return Err(FlowError::Invalid(errors));
        }
        let is_there = async {
            let found = self.tables.collections().get(&caller.tenant, &new.collection).await?;
            found.map(|_| ()).ok_or(FlowError::NotFound("collection"))
        };
        tokio::try_join!(
            self.backlog.admit(),
            is_there,
            self.refuse_named(caller, new.document_id.as_ref(), &new.collection),
            self.refuse_undeclared(caller, &new.collection, &new.metadata)
        )?;
        Ok(())
    }

    /// Puts a failed document back in the queue.
    ///
    /// # Errors
    /// `Conflict` when it has not failed; `NotFound` when it does not exist or is not the caller's.
    pub async fn retry(&self, caller: &Caller, id: &DocumentId) -> Result<Document, FlowError> {
        let found = self.tables.documents().get(&caller.tenant, id).await?;
        let document = found.ok_or(FlowError::NotFound("document"))?;
        authorize(caller, &document.collection).map_err(|error| match error {
            FlowError::NotFound(_) => FlowError::NotFound("document"),
            other => other,
        })?;
        if document.failure.is_none() {
            return Err(FlowError::Conflict("only a failed document can be retried".into()));
        }
        let now = self.clock.now();
        let version = document.latest_version;
        let requeued = self.tables.versions().requeue(&caller.tenant, id, now).await?;
        self.ring(caller, id, version).await;
        Ok(requeued)
    }

    /// Refuses a version of a document that takes none, before its bytes are stored.
    async fn refuse_named(
        &self,
        caller: &Caller,
        named: Option<&DocumentId>,
        collection: &CollectionId,
    ) -> Result<(), FlowError> {
        let Some(id) = named else { return Ok(()) };
        match self.tables.documents().get(&caller.tenant, id).await? {
            Some(document) if document.collection != *collection => {
                Err(FlowError::Conflict("the document belongs to another collection".into()))
            }
            Some(document) if document.state == DocumentState::Deleting => {
                Err(FlowError::Conflict("the document is being deleted".into()))
            }
            Some(_) => Ok(()),
            None => Err(FlowError::NotFound("document")),
        }
    }

    /// Refuses metadata that the collection's schema has no place for. A collection that does not exist is refused
    /// when the document is registered.
    async fn refuse_undeclared(
        &self,
        caller: &Caller,
        collection: &CollectionId,
        metadata: &Metadata,
    ) -> Result<(), FlowError> {
        if metadata.is_empty() {
            return Ok(());
        }
        let found = self.tables.collections().get(&caller.tenant, collection).await?;
        let Some(schema) = found.and_then(|found| settings_of(&found).schema) else {
            return Ok(());
        };
        let field = |wrong: SettingError| FieldError {
            pointer: format!("/metadata{}", wrong.pointer),
            detail: wrong.message,
        };
        let wrong: Vec<FieldError> =
            schema.check_metadata(metadata).into_iter().map(field).collect();
        if wrong.is_empty() { Ok(()) } else { Err(FlowError::Invalid(wrong)) }
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, FlowError> {
        let now = self.clock.now();
        let named = registration.document_id.is_some();
        match self.tables.documents().register(registration, now).await {
            Ok(registered) => Ok(registered),
            Err(error) if error.kind == ErrorKind::NotFound => {
                // The record is gone: what was just stored must not stay.
                self.blobs.forget(&registration.tenant, &registration.new_id).await?;
                Err(FlowError::NotFound(if named {
                    "document or collection"
                } else {
                    "collection"
                }))
            }
            Err(error) if error.kind == ErrorKind::Conflict => Err(FlowError::Conflict(
                "the document is deleted, in another collection, or changed at the same time"
                    .into(),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// Rings for a version. A lost ring is found by the sweep, so it fails nothing.
    async fn ring(&self, caller: &Caller, id: &DocumentId, version: Version) {
        let job = crate::ingest::job(&caller.tenant, id, version);
        if let Err(error) = self.jobs.enqueue(&job).await {
            warn!(document.id = %id, error = %error, "failed to ring for a version; the sweep will find it");
        }
    }

    fn validate(&self, new: &NewDocument) -> Result<MediaType, FlowError> {
        if new.bytes.len() > self.max_bytes {
            return Err(FlowError::TooLarge { limit_bytes: self.max_bytes });
        }
        let errors = invalid_fields(new);
        if !errors.is_empty() {
            return Err(FlowError::Invalid(errors));
        }
        lectern_parse::sniff(&new.bytes, &new.name).map_err(|error| match error {
            ParseError::Empty => FlowError::field("/file", error),
            _ => FlowError::UnsupportedMedia(error.to_string()),
        })
    }

    fn registration(
        &self,
        caller: &Caller,
        new: &NewDocument,
        media_type: MediaType,
    ) -> Registration {
        let now = self.clock.now();
        let acl = if new.acl.is_empty() { vec![EVERYBODY.to_owned()] } else { new.acl.clone() };
        Registration {
            tenant: caller.tenant.clone(),
            collection: new.collection.clone(),
            document_id: new.document_id.clone(),
            new_id: new.new_id.clone().unwrap_or_else(|| DocumentId::new(now, entropy())),
            by_content: new.new_id.is_none(),
            name: new.name.clone(),
            media_type: media_type.as_str().to_owned(),
            size_bytes: new.bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&new.bytes)),
            acl,
            metadata: new.metadata.clone(),
            uploaded_by: caller.key_id.clone(),
        }
    }
}

pub(crate) fn authorize(caller: &Caller, collection: &CollectionId) -> Result<(), FlowError> {
    if !caller.may(Permission::Upload) {
        return Err(FlowError::Forbidden("it lacks the permission `upload`"));
    }
    if caller.may_touch(collection) { Ok(()) } else { Err(FlowError::NotFound("collection")) }
}

/// Whether a document may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= MAX_NAME_BYTES
}

fn invalid_fields(new: &NewDocument) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut check = |holds: bool, pointer: String, detail: String| {
        if !holds {
            errors.push(FieldError { pointer, detail });
        }
    };
    check(is_name(&new.name), "/name".into(), format!("must have 1 to {MAX_NAME_BYTES} bytes"));
    let acl_fits = new.acl.len() <= MAX_ACL
        && new.acl.iter().all(|principal| (1..=MAX_PRINCIPAL_BYTES).contains(&principal.len()));
    check(
        acl_fits,
        "/acl".into(),
        format!("must have at most {MAX_ACL} principals of 1 to {MAX_PRINCIPAL_BYTES} bytes"),
    );
    let fields_fit = new.metadata.len() <= MAX_METADATA_FIELDS;
    check(
        fields_fit,
        "/metadata".into(),
        format!("must have at most {MAX_METADATA_FIELDS} fields"),
    );
    let size = serde_json::to_string(&new.metadata).map_or(usize::MAX, |json| json.len());
    check(
        size <= MAX_METADATA_BYTES,
        "/metadata".into(),
        format!("must have at most {MAX_METADATA_BYTES} bytes as JSON"),
    );
    for (field, value) in &new.metadata {
        let pointer = format!("/metadata/{field}");
        check(
            filter::is_field_name(field),
            pointer.clone(),
            "the name must be 1 to 64 letters, digits, `_` or `-`".into(),
        );
        let flat = match value {
            serde_json::Value::Array(items) => items.iter().all(is_scalar),
            other => is_scalar(other),
        };
        check(flat, pointer, "must be a string, a number, a boolean or a list of these".into());
    }
    errors
}

fn is_scalar(value: &serde_json::Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}
