//! A collection leaves, document by document: the record, the file as it was uploaded, the canonical text, the passages.
//!
//! What answers is exported, not what is on its way. Who exports sees all documents, whatever their ACL: it wants what a backup
//! wants. Nothing here is of one moment; each document is whole.

use std::sync::Arc;

use bytes::Bytes;
use lectern_core::{
    auth::Caller,
    document::{Document, DocumentState, Version},
    errors::PortError,
    ids::{CollectionId, DocumentId},
    passage::{Point, PointId, Scope},
    ports::PassageReader,
};
use lectern_tables::{MAX_PAGE, Tables, collections::Collection};

use crate::{
    back_up::{authorize, found},
    blobs::{BlobName, Blobs},
    errors::FlowError,
};

/// Points read at once.
const POINTS_PER_PAGE: usize = 512;

/// Exports collections.
#[derive(Clone, Debug)]
pub struct Export {
    /// The table.
    pub tables: Tables,
    /// The files.
    pub blobs: Blobs,
    /// Reads passages.
    pub reader: Arc<dyn PassageReader>,
}

/// What a document consists of besides its record and its passages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The file as it was uploaded; `None` when it was lost.
    pub original: Option<Bytes>,
    /// The canonical text, to which the passages' spans belong; `None` when it was lost.
    pub text: Option<Bytes>,
}

impl Export {
    /// Returns the collection.
    ///
    /// # Errors
    /// When the caller may not, there is none, or the table fails.
    pub async fn collection(
        &self,
        caller: &Caller,
        id: &CollectionId,
    ) -> Result<Collection, FlowError> {
        authorize(caller)?;
        let found = self.tables.collections().get(&caller.tenant, id).await?;
        found.ok_or(FlowError::NotFound("collection"))
    }

    /// Returns a page of the collection's documents that answer, by id, and where the next begins. A page can be empty and have
    /// a successor.
    ///
    /// # Errors
    /// When the caller may not, or the table fails.
    pub async fn documents(
        &self,
        caller: &Caller,
        collection: &CollectionId,
        cursor: Option<&DocumentId>,
    ) -> Result<(Vec<(Document, Version)>, Option<DocumentId>), FlowError> {
        authorize(caller)?;
        let documents = self.tables.documents();
        let (page, next) = documents.every(&caller.tenant, MAX_PAGE, cursor).await?;
        let answering = page.into_iter().filter(|document| {
            document.collection == *collection && document.state != DocumentState::Deleting
        });
        let with_version = |document: Document| {
            let live = document.live_version?;
            Some((document, live))
        };
        Ok((answering.filter_map(with_version).collect(), next))
    }

    /// Returns the file and the text of a document's version.
    ///
    /// # Errors
    /// When the table or the store fails.
    pub async fn content(
        &self,
        document: &Document,
        version: Version,
    ) -> Result<Content, PortError> {
        let Document { tenant, id, .. } = document;
        let record = self.tables.versions().get(tenant, id, version).await?;
        let original = match record {
            Some(record) => {
                found(self.blobs.get(&BlobName::raw(tenant, id, &record.sha256)).await)?
            }
            None => None,
        };
        let text = found(self.blobs.get(&BlobName::text(tenant, id, version)).await)?;
        Ok(Content { original, text })
    }

    /// Returns a page of a version's passages with vectors, and where the next begins.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn passages(
        &self,
        document: &Document,
        version: Version,
        from: Option<PointId>,
    ) -> Result<(Vec<Point>, Option<PointId>), PortError> {
        let scope = Scope::document(&document.tenant, &document.id).with_versions(version, version);
        let page = self.reader.scroll(&scope, from, POINTS_PER_PAGE).await?;
        Ok((page.points, page.next))
    }
}
