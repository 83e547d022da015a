//! Reading documents, and the conditional way in which they change.

use futures::future::try_join_all;
use lectern_core::{
    document::{Document, DocumentState},
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId, TenantId},
};

use crate::{
    MAX_PAGE, Page,
    collections::Collection,
    item::{Item, from_item, number, number_in, text, text_in, to_item},
    layout::{self, DOCUMENT},
    range::Range,
    table::{MAX_BATCH_GET, Table},
    transaction::{Condition, Write},
};

/// Most documents of one [`Documents::get_many`].
pub const MAX_MANY: usize = 500;
/// Most pages one listing reads while it looks for a rare state.
const MAX_LIST_PAGES: usize = 10;

/// The documents of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Documents<'tables> {
    pub(crate) table: &'tables Table,
}

/// Documents of one collection, and the collection, as they stood at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentsAndCollection {
    /// Those documents that exist, in no order.
    pub documents: Vec<Document>,
    /// The collection, if it exists.
    pub collection: Option<Collection>,
}

impl Documents<'_> {
    /// Returns a document, also while its deletion is under way. A deleted one is absent.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(
        &self,
        tenant: &TenantId,
        id: &DocumentId,
    ) -> Result<Option<Document>, PortError> {
        let stored = load(self.table, "get document", tenant, id).await?;
        Ok(stored.map(|stored| stored.document))
    }

    /// Returns those of `ids` (at most [`MAX_MANY`]) that exist, in no order, each as it stands now; a
    /// hundred per call, the calls at the same time. Equal ids are read once.
    ///
    /// # Errors
    /// `TooLarge` for more ids.
    pub async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[DocumentId],
    ) -> Result<Vec<Document>, PortError> {
        Ok(self.read_many(tenant, ids, None).await?.documents)
    }

    /// [`Self::get_many`] and the collection in the same call.
    ///
    /// # Errors
    /// `TooLarge` for more than [`MAX_MANY`] ids.
    pub async fn get_many_with_collection(
        &self,
        tenant: &TenantId,
        ids: &[DocumentId],
        collection: &CollectionId,
    ) -> Result<DocumentsAndCollection, PortError> {
        self.read_many(tenant, ids, Some(collection)).await
    }

    async fn read_many(
        &self,
        tenant: &TenantId,
        ids: &[DocumentId],
        collection: Option<&CollectionId>,
    ) -> Result<DocumentsAndCollection, PortError> {
        let operation = "get documents";
        let mut distinct = ids.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.is_empty() && collection.is_none() {
            return Ok(DocumentsAndCollection { documents: Vec::new(), collection: None });
        }
        if distinct.len() > MAX_MANY {
            return Err(PortError::bare(ErrorKind::TooLarge, operation));
        }
        let collections = collection.map(|id| layout::collection(tenant, id));
        let documents = distinct.iter().map(|id| layout::document(tenant, id));
        let keys: Vec<_> = collections.into_iter().chain(documents).collect();
        let batches = keys.chunks(MAX_BATCH_GET);
        let reads = batches.map(|keys| self.table.batch_get(operation, keys.to_vec()));
        let mut found = DocumentsAndCollection { documents: Vec::new(), collection: None };
        for item in try_join_all(reads).await?.into_iter().flatten() {
            if text_in(&item, "SK").is_some_and(|sort| sort.starts_with(DOCUMENT)) {
                found.documents.push(from_item(operation, &item)?);
            } else {
                found.collection = Some(from_item(operation, &item)?);
            }
        }
        Ok(found)
    }

    /// Returns up to `limit` (at most [`MAX_PAGE`]) documents of a collection, newest first, only those
    /// in `state` if one is given. A page can be short, even empty, and have a successor. The
    /// list lags behind writes by a moment.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn list(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
        state: Option<DocumentState>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Document>, PortError> {
        let operation = "list documents";
        let partition = layout::listing(tenant, collection);
        let limit = limit.clamp(1, MAX_PAGE);
        // A filter leaves little of a page, so that pages are large then.
        let mut range = Range::indexed(&partition, if state.is_some() { MAX_PAGE } else { limit });
        range.backwards = true;
        range.state = state.map(DocumentState::as_str);
        if let Some(cursor) = cursor {
            let start = start_after(tenant, &partition, cursor);
            range.after = Some(start.ok_or(PortError::bare(ErrorKind::Invalid, operation))?);
        }
        let (mut found, mut last) =
            self.table.ranges(operation, range, limit, MAX_LIST_PAGES).await?;
        if found.len() > limit {
            found.truncate(limit);
            last = found.last().cloned();
        }
        let items =
            found.iter().map(|item| from_item(operation, item)).collect::<Result<_, _>>()?;
        let next = last.and_then(|last| text_in(&last, "GSI1SK").map(str::to_owned));
        Ok(Page { items, next })
    }
}

impl Documents<'_> {
    /// Returns up to `limit` (at most [`MAX_PAGE`]) documents of a collection, those first that were accepted first. The list
    /// lags behind writes by a moment.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn oldest(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Document>, PortError> {
        let operation = "list oldest documents";
        let partition = layout::listing(tenant, collection);
        let mut range = Range::indexed(&partition, limit.clamp(1, MAX_PAGE));
        if let Some(cursor) = cursor {
            let start = start_after(tenant, &partition, cursor);
            range.after = Some(start.ok_or(PortError::bare(ErrorKind::Invalid, operation))?);
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let items =
            found.iter().map(|item| from_item(operation, item)).collect::<Result<_, _>>()?;
        let next = last.and_then(|last| text_in(&last, "GSI1SK").map(str::to_owned));
        Ok(Page { items, next })
    }
}

/// The cursor is the index's sort key, `{created_at}#{id}`; everything else follows from it.
fn start_after(tenant: &TenantId, partition: &str, cursor: &str) -> Option<Item> {
    let (created_at, id) = cursor.split_once('#')?;
    let digits = created_at.len() == 15 && created_at.bytes().all(|byte| byte.is_ascii_digit());
    let mut start = layout::document(tenant, &id.parse().ok()?).to_item();
    start.insert("GSI1PK".to_owned(), text(partition));
    start.insert("GSI1SK".to_owned(), text(cursor));
    digits.then_some(start)
}

/// A document with the number of changes its record has seen.
#[derive(Clone, Debug)]
pub(crate) struct StoredDocument {
    pub(crate) document: Document,
    pub(crate) revision: u64,
}

impl StoredDocument {
    pub(crate) fn read(operation: &'static str, item: &Item) -> Result<Self, PortError> {
        let document = from_item(operation, item)?;
        Ok(Self { document, revision: number_in(item, "revision") })
    }

    /// The part of a transaction that writes the document as it is here, unless its record has
    /// changed since it was read. A revision of 0 means that there was none.
    pub(crate) fn write(&self) -> Write {
        let condition = match self.revision {
            0 => Condition::new("attribute_not_exists(#PK)"),
            read => Condition::new("#revision = :read").with(":read", number(read)),
        };
        Write::Put(self.item(), condition)
    }

    /// Returns the item as it is written next.
    pub(crate) fn item(&self) -> Item {
        let document = &self.document;
        let mut item = to_item(document);
        layout::document(&document.tenant, &document.id).put_into(&mut item);
        item.extend(layout::listed(document));
        item.insert("revision".to_owned(), number(self.revision + 1));
        item
    }

    /// Whether its deletion has begun.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.document.state, DocumentState::Deleting | DocumentState::Deleted)
    }
}

/// Reads a document for a change.
pub(crate) async fn load(
    table: &Table,
    operation: &'static str,
    tenant: &TenantId,
    id: &DocumentId,
) -> Result<Option<StoredDocument>, PortError> {
    let item = table.get(operation, &layout::document(tenant, id)).await?;
    item.map(|item| StoredDocument::read(operation, &item)).transpose()
}
