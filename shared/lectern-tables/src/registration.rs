//! Accepting a document's bytes: a new document, its next version, or what is already there.

use lectern_core::{
    document::{Document, DocumentState, DocumentVersion, Metadata, Progress, Version},
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId, KeyId, TenantId},
    time::Timestamp,
};

use crate::{
    documents::{Documents, StoredDocument, load},
    generation::{next_generation, one_document_more, wait_until_free},
    item::{Item, text, text_in, to_item},
    layout,
    table::{Table, alive},
    transaction::{Condition, Transacted, Write},
    versions::pending_version_item,
};

const REGISTER: &str = "register document";
/// How often a registration is decided anew because somebody else changed the document.
const MAX_TRIES: u32 = 8;

/// What a writer handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Who owns it.
    pub tenant: TenantId,
    /// Where it belongs; the collection must exist.
    pub collection: CollectionId,
    /// The document that gets a new version; `None` when the writer named none.
    pub document_id: Option<DocumentId>,
    /// Id of the document if a new one is made.
    pub new_id: DocumentId,
    /// Whether equal bytes with an equal ACL are the same document. Not for files, which are told apart
    /// by where they lie: `new_id` names that place, and what is there already gets the next version.
    pub by_content: bool,
    /// File name or title.
    pub name: String,
    /// Sniffed media type.
    pub media_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Principals that may see it.
    pub acl: Vec<String>,
    /// The writer's metadata.
    pub metadata: Metadata,
    /// The key that hands it in, where there is one: it pays for the version's vectors.
    pub uploaded_by: Option<KeyId>,
}

/// What became of a registration.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// The document as it stands.
    pub document: Document,
    /// Its newest version: the one made, or the one that already held these bytes.
    pub version: Version,
    /// Whether a version was made, which now waits for a worker.
    pub created: bool,
}

impl Documents<'_> {
    /// Accepts a version, in one transaction with its place in the pending work.
    ///
    /// Without a `document_id`, bytes that are the newest content of a document of the collection
    /// belong to that document, or, where they are not told apart by content, to the document `new_id` if there is one. A version is made unless the newest one has the same bytes, metadata
    /// and ACL and did not fail; so the same call sent twice makes one version.
    ///
    /// # Errors
    /// `NotFound` when the named document or the collection does not exist, `Conflict` when the
    /// document is deleted, in another collection, or kept changing.
    pub async fn register(
        &self,
        registration: &Registration,
        now: Timestamp,
    ) -> Result<Registered, PortError> {
        let mut free = now;
        for _ in 0..MAX_TRIES {
            let (found, stale_owner) = self.find(registration, now).await?;
            if let Some(stored) = &found
                && is_unchanged(&stored.document, registration)
            {
                let document = stored.document.clone();
                let version = document.latest_version;
                return Ok(Registered { document, version, created: false });
            }
            let previous = found.as_ref().map(|stored| stored.document.sha256.clone());
            let is_new = found.is_none();
            let opens_or_closes = found.as_ref().is_some_and(|stored| {
                stored.document.live_version.is_some() && stored.document.acl != registration.acl
            });
            let next = next_document(found, registration, now);
            let mut writes = vec![
                next.write(),
                Write::Put(
                    pending_version_item(&next_version(&next.document, registration, now)),
                    Condition::new("attribute_not_exists(#PK)"),
                ),
                claim_content(&next.document, registration, stale_owner),
            ];
            if is_new {
                writes.push(one_document_more(&registration.tenant, &registration.collection));
            } else if opens_or_closes {
                // The record's ACL counts at once, for passages that are still the old version's.
                writes.push(next_generation(&registration.tenant, &registration.collection, free));
            }
            match self.table.transact(REGISTER, writes).await? {
                Transacted::Written => {
                    if let Some(sha256) = previous.filter(|sha256| *sha256 != registration.sha256) {
                        release_content(self.table, REGISTER, &next.document, &sha256).await?;
                    }
                    let version = next.document.latest_version;
                    return Ok(Registered { document: next.document, version, created: true });
                }
                Transacted::Refused(3) => {
                    let Registration { tenant, collection, .. } = registration;
                    free = wait_until_free(self.table, REGISTER, tenant, collection, free).await?;
                }
                Transacted::Refused(_) => {}
            }
        }
        Err(PortError::new(ErrorKind::Conflict, REGISTER, "the document kept changing"))
    }

    /// Returns the document the registration is about, and the id under which its content is known
    /// although it is that document's no more.
    async fn find(
        &self,
        registration: &Registration,
        now: Timestamp,
    ) -> Result<(Option<StoredDocument>, Option<String>), PortError> {
        let Registration { tenant, collection, sha256, .. } = registration;
        if let Some(id) = &registration.document_id {
            return Ok((Some(self.named(registration, id, now).await?), None));
        }
        if !registration.by_content
            && load(self.table, REGISTER, tenant, &registration.new_id).await?.is_some()
        {
            // The id says where the bytes come from: this is that document's next version, or what it has.
            return Ok((Some(self.named(registration, &registration.new_id, now).await?), None));
        }
        let key = layout::content(tenant, collection, sha256);
        let Some(pointer) = self.table.get(REGISTER, &key).await? else {
            return Ok((None, None));
        };
        let owner = text_in(&pointer, "document_id").unwrap_or_default().to_owned();
        let id = owner.parse();
        let id = id.map_err(|error| PortError::new(ErrorKind::Internal, REGISTER, error))?;
        let stored = load(self.table, REGISTER, tenant, &id).await?;
        let stored = stored
            .filter(|stored| !stored.is_leaving())
            .filter(|stored| stored.document.sha256 == *sha256)
            // Who may see a document must not change because somebody else has the same bytes.
            .filter(|stored| registration.by_content && stored.document.acl == registration.acl);
        Ok((stored, Some(owner)))
    }

    async fn named(
        &self,
        registration: &Registration,
        id: &DocumentId,
        now: Timestamp,
    ) -> Result<StoredDocument, PortError> {
        let tenant = &registration.tenant;
        let conflict = |reason: &'static str| PortError::new(ErrorKind::Conflict, REGISTER, reason);
        let Some(stored) = load(self.table, REGISTER, tenant, id).await? else {
            let tombstone = self.table.get(REGISTER, &layout::deletion(tenant, id)).await?;
            return Err(match tombstone.and_then(|item| alive(item, now)) {
                Some(_) => conflict("the document is deleted"),
                None => PortError::bare(ErrorKind::NotFound, REGISTER),
            });
        };
        if stored.is_leaving() {
            return Err(conflict("the document is being deleted"));
        }
        if stored.document.collection != registration.collection {
            return Err(conflict("the document belongs to another collection"));
        }
        Ok(stored)
    }
}

fn is_unchanged(document: &Document, registration: &Registration) -> bool {
    document.sha256 == registration.sha256
        && document.metadata == registration.metadata
        && document.acl == registration.acl
        && document.failure.is_none()
}

/// Returns the document as it stands after the registration.
fn next_document(
    found: Option<StoredDocument>,
    registration: &Registration,
    now: Timestamp,
) -> StoredDocument {
    let before = found.as_ref().map(|stored| &stored.document);
    let document = Document {
        tenant: registration.tenant.clone(),
        collection: registration.collection.clone(),
        id: before.map_or(&registration.new_id, |document| &document.id).clone(),
        name: registration.name.clone(),
        media_type: registration.media_type.clone(),
        size_bytes: registration.size_bytes,
        sha256: registration.sha256.clone(),
        state: DocumentState::Queued,
        live_version: before.and_then(|document| document.live_version),
        latest_version: before.map_or(1, |document| document.latest_version + 1),
        failure: None,
        progress: Progress::default(),
        acl: registration.acl.clone(),
        metadata: registration.metadata.clone(),
        created_at: before.map_or(now, |document| document.created_at),
        updated_at: now,
    };
    StoredDocument { document, revision: found.map_or(0, |stored| stored.revision) }
}

fn next_version(
    document: &Document,
    registration: &Registration,
    now: Timestamp,
) -> DocumentVersion {
    DocumentVersion {
        tenant: document.tenant.clone(),
        collection: document.collection.clone(),
        document_id: document.id.clone(),
        version: document.latest_version,
        state: DocumentState::Queued,
        name: document.name.clone(),
        media_type: document.media_type.clone(),
        size_bytes: document.size_bytes,
        sha256: document.sha256.clone(),
        acl: document.acl.clone(),
        metadata: document.metadata.clone(),
        attempts: 0,
        lease_until: None,
        chunk_count: 0,
        created_at: now,
        uploaded_by: registration.uploaded_by.clone(),
    }
}

/// Notes whose content the bytes are. Only one of several writers of the same new bytes passes; a
/// writer that names its document, or the place the bytes come from, always does.
fn claim_content(
    document: &Document,
    registration: &Registration,
    stale_owner: Option<String>,
) -> Write {
    let condition = match stale_owner {
        _ if registration.document_id.is_some() || !registration.by_content => Condition::default(),
        None => Condition::new("attribute_not_exists(#PK)"),
        Some(owner) => Condition::new("attribute_not_exists(#PK) OR #document_id = :owner")
            .with(":owner", text(owner)),
    };
    Write::Put(content_item(document), condition)
}

/// Returns the item that says whose content the document's bytes are.
pub(crate) fn content_item(document: &Document) -> Item {
    let mut item = to_item(&serde_json::json!({ "document_id": document.id }));
    layout::content(&document.tenant, &document.collection, &document.sha256).put_into(&mut item);
    item
}

/// Forgets that `sha256` was the document's content, unless it became another's meanwhile.
pub(crate) async fn release_content(
    table: &Table,
    operation: &'static str,
    document: &Document,
    sha256: &str,
) -> Result<(), PortError> {
    let key = layout::content(&document.tenant, &document.collection, sha256);
    let own = Condition::new("#document_id = :owner").with(":owner", text(document.id.as_str()));
    table.delete(operation, &key, own).await.map(|_| ())
}
