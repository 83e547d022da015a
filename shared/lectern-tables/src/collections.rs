//! Collections: settings, and a generation that changes whenever an answer from them might.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{CollectionId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    MAX_PAGE, Page,
    item::{from_item, number, text, to_item},
    layout::{self, COLLECTION},
    range::Range,
    table::{Conditional, Table},
    tenants::enlist,
    transaction::{Change, Condition, Write},
};

/// A set of documents that are asked together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    /// Who owns it.
    pub tenant: TenantId,
    /// Its identity.
    pub id: CollectionId,
    /// What a person calls it.
    pub name: String,
    /// Settings as a JSON object; who reads them gives them meaning.
    pub settings: Map<String, Value>,
    /// Changes with everything that may change an answer: part of every answer cache key.
    pub generation: u64,
    /// Documents in it, counting those whose deletion is under way.
    pub document_count: u64,
    /// Counts changes of name and settings; an update names the one it was based on.
    pub revision: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When name or settings last changed.
    pub updated_at: Timestamp,
}

impl Collection {
    /// Returns a new, empty collection.
    #[must_use]
    pub fn new(tenant: TenantId, id: CollectionId, name: String, now: Timestamp) -> Self {
        Self {
            tenant,
            id,
            name,
            settings: Map::new(),
            generation: 1,
            document_count: 0,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// The collections of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Collections<'tables> {
    pub(crate) table: &'tables Table,
}

impl Collections<'_> {
    /// Creates `collection` unless one with its id exists; returns whether it did. Its tenant is on the list of tenants
    /// from before it exists.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn create_if_absent(&self, collection: &Collection) -> Result<bool, PortError> {
        enlist(self.table, &collection.tenant).await?;
        let mut item = to_item(collection);
        layout::collection(&collection.tenant, &collection.id).put_into(&mut item);
        let absent = Condition::new("attribute_not_exists(#PK)");
        let written = self.table.put("create collection", item, absent).await?;
        Ok(matches!(written, Conditional::Done(_)))
    }

    /// Returns a collection.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(
        &self,
        tenant: &TenantId,
        id: &CollectionId,
    ) -> Result<Option<Collection>, PortError> {
        let operation = "get collection";
        let item = self.table.get(operation, &layout::collection(tenant, id)).await?;
        item.map(|item| from_item(operation, &item)).transpose()
    }

    /// Returns up to `limit` (at most [`MAX_PAGE`]) collections by id, after the id in `cursor`.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Collection>, PortError> {
        let operation = "list collections";
        let mut range =
            Range::prefixed(layout::tenant(tenant), COLLECTION, limit.clamp(1, MAX_PAGE));
        if let Some(cursor) = cursor {
            let id = cursor.parse();
            let id = id.map_err(|error| PortError::new(ErrorKind::Invalid, operation, error))?;
            range.after = Some(layout::collection(tenant, &id).to_item());
        }
        let (found, last) = self.table.range(operation, &range).await?;
        let found = found.iter().map(|item| from_item(operation, item));
        let items = found.collect::<Result<Vec<Collection>, _>>()?;
        let next = last.and(items.last()).map(|collection| collection.id.to_string());
        Ok(Page { items, next })
    }

    /// Replaces name and settings if nobody did since `based_on`; the generation changes too.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when somebody else was faster.
    pub async fn update(
        &self,
        collection: &Collection,
        based_on: u64,
        now: Timestamp,
    ) -> Result<Collection, PortError> {
        let operation = "update collection";
        let settings = Value::Object(collection.settings.clone()).to_string();
        let key = layout::collection(&collection.tenant, &collection.id);
        let change = Change::of(
            key,
            "SET #name = :name, #settings = :settings, #updated_at = :now \
             ADD #revision :one, #generation :one",
        )
        .when("#revision = :based_on")
        .with(":name", text(&*collection.name))
        .with(":settings", text(settings))
        .with(":based_on", number(based_on))
        .with(":now", number(now.as_millis()))
        .with(":one", number(1_u64));
        match self.table.update(operation, change).await? {
            Conditional::Done(item) => from_item(operation, &item),
            Conditional::Refused(None) => Err(PortError::bare(ErrorKind::NotFound, operation)),
            Conditional::Refused(Some(_)) => Err(PortError::bare(ErrorKind::Conflict, operation)),
        }
    }

    /// Marks every cached answer of the collection as outdated; returns the new generation.
    ///
    /// # Errors
    /// `NotFound`, or when the table cannot be written.
    pub async fn bump_generation(
        &self,
        tenant: &TenantId,
        id: &CollectionId,
    ) -> Result<u64, PortError> {
        let operation = "bump generation";
        match self.table.update(operation, generation_change(tenant, id)).await? {
            Conditional::Done(item) => {
                from_item::<Collection>(operation, &item).map(|collection| collection.generation)
            }
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::NotFound, operation)),
        }
    }

    /// Deletes an empty collection; deleting an absent one succeeds.
    ///
    /// # Errors
    /// `Conflict` when it still holds documents.
    pub async fn delete(&self, tenant: &TenantId, id: &CollectionId) -> Result<(), PortError> {
        let operation = "delete collection";
        let empty = Condition::new("attribute_not_exists(#PK) OR #document_count = :none")
            .with(":none", number(0_u64));
        let key = layout::collection(tenant, id);
        if self.table.delete(operation, &key, empty).await? {
            Ok(())
        } else {
            Err(PortError::new(ErrorKind::Conflict, operation, "the collection holds documents"))
        }
    }
}

fn generation_change(tenant: &TenantId, id: &CollectionId) -> Change {
    Change::of(layout::collection(tenant, id), "ADD #generation :one")
        .when("attribute_exists(#PK)")
        .with(":one", number(1_u64))
}

/// The part of a transaction that outdates a collection's cached answers.
pub(crate) fn next_generation(tenant: &TenantId, id: &CollectionId) -> Write {
    Write::Change(generation_change(tenant, id))
}

/// The part of a transaction that counts one document more in an existing collection.
pub(crate) fn one_document_more(tenant: &TenantId, id: &CollectionId) -> Write {
    let change = Change::of(layout::collection(tenant, id), "ADD #document_count :one");
    Write::Change(change.when("attribute_exists(#PK)").with(":one", number(1_u64)))
}

/// The part of a transaction that counts one document less and outdates cached answers.
pub(crate) fn one_document_less(tenant: &TenantId, id: &CollectionId) -> Write {
    let change = Change::of(
        layout::collection(tenant, id),
        "SET #document_count = #document_count - :one ADD #generation :one",
    );
    Write::Change(change.when("attribute_exists(#PK)").with(":one", number(1_u64)))
}
