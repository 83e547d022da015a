//! An incarnation's records are removed: one that was never live, or is no more.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId, TenantId},
};

use super::Restores;
use crate::{
    MAX_PAGE,
    item::text_in,
    layout::{self, COLLECTION, DOCUMENT},
    range::Range,
    table::BatchWrite,
    tenants::Tenants,
};

const OPERATION: &str = "remove incarnation";
/// Most pages of one partition: ten million items.
const MAX_PAGES: usize = 100_000;

impl Restores<'_> {
    /// Removes collections, documents and everything else that an incarnation has in the table. Repeating it finishes what a
    /// crash left.
    ///
    /// # Errors
    /// `Conflict` when the incarnation is live.
    pub async fn remove(&self, incarnation: &TenantId) -> Result<(), PortError> {
        let live = Tenants { table: self.table }.live(incarnation).await?;
        if live == *incarnation {
            let reason = "the incarnation is live";
            return Err(PortError::new(ErrorKind::Conflict, OPERATION, reason));
        }
        // What is found through a record goes before the record.
        let partition = layout::tenant(incarnation);
        self.remove_range(&partition, DOCUMENT, |sort| {
            let id: DocumentId = sort.strip_prefix(DOCUMENT)?.parse().ok()?;
            Some(layout::document_parts(incarnation, &id))
        })
        .await?;
        self.remove_range(&partition, COLLECTION, |sort| {
            let id: CollectionId = sort.strip_prefix(COLLECTION)?.parse().ok()?;
            Some(layout::listing(incarnation, &id))
        })
        .await?;
        if incarnation.incarnation() > 0 {
            // The partition of the first incarnation is the account's, too: its keys and backups stay.
            self.remove_items(&partition, "").await?;
        }
        Ok(())
    }

    /// Removes the items of a partition whose sort key begins with `prefix`, and before each the partition `of` names for it.
    async fn remove_range(
        &self,
        partition: &str,
        prefix: &str,
        of: impl Fn(&str) -> Option<String>,
    ) -> Result<(), PortError> {
        for _ in 0..MAX_PAGES {
            let sorts = self.page(partition, prefix).await?;
            if sorts.is_empty() {
                return Ok(());
            }
            let inner: Vec<String> = sorts.iter().filter_map(|sort| of(sort)).collect();
            for partition in inner {
                self.remove_items(&partition, "").await?;
            }
            self.remove_page(partition, sorts).await?;
        }
        Err(too_much())
    }

    async fn remove_items(&self, partition: &str, prefix: &str) -> Result<(), PortError> {
        for _ in 0..MAX_PAGES {
            let sorts = self.page(partition, prefix).await?;
            if sorts.is_empty() {
                return Ok(());
            }
            self.remove_page(partition, sorts).await?;
        }
        Err(too_much())
    }

    /// Returns the first sort keys with a prefix.
    async fn page(&self, partition: &str, prefix: &str) -> Result<Vec<String>, PortError> {
        let range = Range::prefixed(partition.to_owned(), prefix, MAX_PAGE);
        let (found, _) = self.table.range(OPERATION, &range).await?;
        let sorts = found.iter().filter_map(|item| text_in(item, "SK"));
        Ok(sorts.map(str::to_owned).collect())
    }

    async fn remove_page(&self, partition: &str, sorts: Vec<String>) -> Result<(), PortError> {
        let key = |sk| layout::Key { pk: partition.to_owned(), sk };
        let writes = sorts.into_iter().map(key).map(BatchWrite::Delete).collect();
        self.table.batch_write(OPERATION, writes).await
    }
}

fn too_much() -> PortError {
    PortError::new(ErrorKind::TooLarge, OPERATION, "there is too much to remove")
}
