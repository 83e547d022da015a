//! Passages indexed before there was an embedding model get their vectors.
//!
//! The points keep their ids, so that this can run while questions are answered, and can stop and start
//! anywhere.

use std::{collections::HashSet, sync::Arc};

use lectern_core::{
    document::DocumentState::{Processing, Queued},
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId, TenantId},
    passage::{Point, Scope},
    ports::{Embedder, PassageReader, PassageWriter},
};
use lectern_tables::Tables;

use crate::clock::Clock;

/// Points read, embedded and written at once.
const PAGE: usize = 128;

/// Embeds passages that have no vector.
#[derive(Clone, Debug)]
pub struct Backfill {
    /// The table.
    pub tables: Tables,
    /// Finds the passages.
    pub reader: Arc<dyn PassageReader>,
    /// Writes the vectors.
    pub writer: Arc<dyn PassageWriter>,
    /// Makes the vectors.
    pub embedder: Arc<dyn Embedder>,
    /// The time.
    pub clock: Clock,
}

impl Backfill {
    /// Embeds every passage of the tenant that has no vector and returns how many there were.
    ///
    /// # Errors
    /// When a port fails; what was written stays.
    pub async fn run(&self, tenant: &TenantId) -> Result<usize, PortError> {
        let scope = Scope::tenant(tenant);
        let mut from = None;
        let mut embedded = 0;
        loop {
            let page = self.reader.scroll(&scope, from, PAGE).await?;
            let bare: Vec<Point> =
                page.points.into_iter().filter(|point| point.dense.is_none()).collect();
            embedded += bare.len();
            self.embed(tenant, bare).await?;
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(embedded),
            }
        }
    }

    async fn embed(&self, tenant: &TenantId, mut points: Vec<Point>) -> Result<(), PortError> {
        if points.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = points.iter().map(|point| point.passage.indexed_text()).collect();
        let vectors = self.embedder.embed(&texts).await?;
        for (point, vector) in points.iter_mut().zip(vectors) {
            point.dense = Some(vector);
        }
        let written: HashSet<(DocumentId, u32)> = points
            .iter()
            .map(|point| (point.passage.document_id.clone(), point.passage.version))
            .collect();
        let collections: HashSet<CollectionId> =
            points.iter().map(|point| point.passage.collection.clone()).collect();
        // Cached rankings were made without these vectors. Before as well as after: whoever stops in between leaves
        // at most what was cached meanwhile.
        self.outdate(tenant, &collections).await?;
        self.writer.upsert(points).await?;

        // What was deleted or replaced meanwhile must not come back.
        let ids: Vec<DocumentId> = written.iter().map(|(id, _)| id.clone()).collect();
        let documents = self.tables.documents().get_many(tenant, &ids).await?;
        for (id, version) in written {
            let document = documents.iter().find(|document| document.id == id);
            let is_current = document.is_some_and(|document| {
                let is_coming = matches!(document.state, Queued | Processing);
                document.shows(version) || (is_coming && document.latest_version == version)
            });
            if !is_current {
                let stale = Scope::document(tenant, &id).with_versions(version, version);
                self.writer.delete(&stale).await?;
            }
        }
        self.outdate(tenant, &collections).await
    }

    /// Ends what is cached of the collections; one that was deleted meanwhile has nothing cached.
    async fn outdate(
        &self,
        tenant: &TenantId,
        collections: &HashSet<CollectionId>,
    ) -> Result<(), PortError> {
        for collection in collections {
            match self
                .tables
                .collections()
                .bump_generation(tenant, collection, self.clock.now())
                .await
            {
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
