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
    generation::{IS_FREE, generation_change, wait_until_free},
    item::{from_item, number, number_in, text, to_item},
    layout::{self, COLLECTION},
    range::Range,
    table::{Conditional, Table},
    tenants::enlist,
    transaction::{Change, Condition},
};

/// How often a change is decided anew because a backup held the collection.
const MAX_TRIES: u32 = 8;

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
    /// `NotFound`, or `Conflict` when somebody else was faster or a backup holds the collection too long.
    pub async fn update(
        &self,
        collection: &Collection,
        based_on: u64,
        now: Timestamp,
    ) -> Result<Collection, PortError> {
        let operation = "update collection";
        let Collection { tenant, id, .. } = collection;
        let mut now = now;
        for _ in 0..MAX_TRIES {
            let change = settings_change(collection, based_on, now);
            match self.table.update(operation, change).await? {
                Conditional::Done(item) => return from_item(operation, &item),
                Conditional::Refused(None) => break,
                Conditional::Refused(Some(item)) if number_in(&item, "revision") != based_on => {
                    return Err(PortError::bare(ErrorKind::Conflict, operation));
                }
                Conditional::Refused(Some(_)) => {
                    now = wait_until_free(self.table, operation, tenant, id, now).await?;
                }
            }
        }
        Err(PortError::bare(ErrorKind::NotFound, operation))
    }

    /// Marks every cached answer of the collection as outdated; returns the new generation.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when a backup holds the collection too long, or when the table cannot be written.
    pub async fn bump_generation(
        &self,
        tenant: &TenantId,
        id: &CollectionId,
        now: Timestamp,
    ) -> Result<u64, PortError> {
        let operation = "bump generation";
        let mut now = now;
        for _ in 0..MAX_TRIES {
            let change = generation_change(tenant, id, now);
            if let Conditional::Done(item) = self.table.update(operation, change).await? {
                let collection = from_item::<Collection>(operation, &item);
                return collection.map(|collection| collection.generation);
            }
            now = wait_until_free(self.table, operation, tenant, id, now).await?;
        }
        Err(PortError::new(ErrorKind::Conflict, operation, "a backup holds the collection"))
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

fn settings_change(collection: &Collection, based_on: u64, now: Timestamp) -> Change {
    let settings = Value::Object(collection.settings.clone()).to_string();
    let key = layout::collection(&collection.tenant, &collection.id);
    Change::of(
        key,
        "SET #name = :name, #settings = :settings, #updated_at = :now \
         ADD #revision :one, #generation :one",
    )
    .when(&format!("#revision = :based_on AND {IS_FREE}"))
    .with(":name", text(&*collection.name))
    .with(":settings", text(settings))
    .with(":based_on", number(based_on))
    .with(":now", number(now.as_millis()))
    .with(":one", number(1_u64))
}
