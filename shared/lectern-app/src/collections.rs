//! Sets of documents that are asked together.

use lectern_core::{
    auth::{Caller, Permission},
    errors::ErrorKind,
    ids::CollectionId,
};
pub use lectern_tables::collections::Collection;
use lectern_tables::{MAX_PAGE, Tables};

use crate::{clock::Clock, errors::FlowError};

/// Most collections of a tenant.
pub const MAX_COLLECTIONS: usize = 1_000;

/// Manages collections.
#[derive(Clone, Debug)]
pub struct Collections {
    /// The table.
    pub tables: Tables,
    /// The time.
    pub clock: Clock,
}

impl Collections {
    /// Creates a collection; one that exists is returned as it is, with `false`.
    ///
    /// # Errors
    /// When the caller may not, there are too many, or a port fails.
    pub async fn create(
        &self,
        caller: &Caller,
        id: &CollectionId,
        name: &str,
    ) -> Result<(Collection, bool), FlowError> {
        self.authorize_write(caller, id)?;
        if name.len() > lectern_core::document::MAX_NAME_BYTES {
            return Err(FlowError::field("/name", "must have at most 512 bytes"));
        }
        if let Some(existing) = self.tables.collections().get(&caller.tenant, id).await? {
            return Ok((existing, false));
        }
        if self.all(caller).await?.len() >= MAX_COLLECTIONS {
            return Err(FlowError::Conflict(format!(
                "a tenant has at most {MAX_COLLECTIONS} collections"
            )));
        }
        let now = self.clock.now();
        let collection = Collection::new(caller.tenant.clone(), id.clone(), name.to_owned(), now);
        let created = self.tables.collections().create_if_absent(&collection).await?;
        Ok((collection, created))
    }

    /// Returns the collections the caller may touch.
    ///
    /// # Errors
    /// When the table fails.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Collection>, FlowError> {
        let mut collections = self.all(caller).await?;
        collections.retain(|collection| caller.may_touch(&collection.id));
        Ok(collections)
    }

    /// Returns one collection.
    ///
    /// # Errors
    /// `NotFound` when it does not exist or is not the caller's to touch.
    pub async fn get(&self, caller: &Caller, id: &CollectionId) -> Result<Collection, FlowError> {
        let found = self.tables.collections().get(&caller.tenant, id).await?;
        found.filter(|_| caller.may_touch(id)).ok_or(FlowError::NotFound("collection"))
    }

    /// Deletes an empty collection.
    ///
    /// # Errors
    /// `Conflict` while it holds documents; `NotFound` as in [`Self::get`].
    pub async fn delete(&self, caller: &Caller, id: &CollectionId) -> Result<(), FlowError> {
        self.authorize_write(caller, id)?;
        self.get(caller, id).await?;
        let deleted = self.tables.collections().delete(&caller.tenant, id).await;
        match deleted {
            Err(error) if error.kind == ErrorKind::Conflict => Err(FlowError::Conflict(
                "the collection still holds documents; delete them first".into(),
            )),
            other => Ok(other?),
        }
    }

    async fn all(&self, caller: &Caller) -> Result<Vec<Collection>, FlowError> {
        let mut collections = Vec::new();
        let mut cursor = None;
        loop {
            let tables = self.tables.collections();
            let page = tables.list(&caller.tenant, MAX_PAGE, cursor.as_deref()).await?;
            collections.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || collections.len() >= MAX_COLLECTIONS {
                return Ok(collections);
            }
        }
    }

    fn authorize_write(&self, caller: &Caller, id: &CollectionId) -> Result<(), FlowError> {
        if !caller.may(Permission::Upload) {
            return Err(FlowError::Forbidden("it lacks the permission `upload`"));
        }
        if caller.may_touch(id) { Ok(()) } else { Err(FlowError::NotFound("collection")) }
    }
}
