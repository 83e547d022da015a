//! Backups while others write.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use lectern_app::back_up::records::{Kind, TextLine};
use lectern_core::{
    errors::PortError,
    ids::DocumentId,
    passage::{Candidates, Passage, PassageQuery, PointId, Scope, ScrollPage, Visibility},
    ports::PassageReader,
};

use super::site::{LONG, Site};
use crate::world::text;

/// What somebody does to a document while its passages are read.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Change,
    Delete,
}

/// An index in which something happens to a document, once, after its passages were read.
struct Interrupted {
    site: Arc<Site>,
    document: DocumentId,
    deed: Deed,
    happened: AtomicBool,
}

impl std::fmt::Debug for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Interrupted")
    }
}

#[async_trait]
impl PassageReader for Interrupted {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        self.site.world.index.search(query).await
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        self.site.world.index.get(visibility, ids).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        self.site.world.index.count(scope).await
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        let read = self.site.world.index.scroll(scope, from, limit).await?;
        let is_it = scope.document_ids.as_ref().is_some_and(|ids| ids.contains(&self.document));
        if is_it && !self.happened.swap(true, Ordering::SeqCst) {
            match self.deed {
                Deed::Change => self.site.change(&self.document, &text("otter", 9)).await,
                Deed::Delete => drop(self.site.delete(&self.document).await),
            }
        }
        Ok(read)
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.site.world.index.ping().await
    }
}

async fn interrupted(deed: Deed) -> (Arc<Site>, DocumentId, Arc<Interrupted>) {
    let site = Arc::new(Site::new().await);
    site.add(&text("heron", 1), &["*"]).await;
    let document = site.add(&text("otter", 2), &["*"]).await;
    let reader = Interrupted {
        site: Arc::clone(&site),
        document: document.clone(),
        deed,
        happened: AtomicBool::new(false),
    };
    (site, document, Arc::new(reader))
}

#[tokio::test]
async fn a_document_that_changes_while_it_is_read_is_whole_all_the_same() {
    let (site, id, reader) = interrupted(Deed::Change).await;
    let back_up = site.back_up_reading(reader);
    let backup = back_up.run(&site.world.tenant, LONG).await.unwrap();

    let manifest = site.manifest(&backup).await;
    // Records are read after contents; nothing changed while they were.
    assert!(manifest.cut.is_exact && backup.is_exact);
    let documents = site.documents(&manifest).await;
    let document = documents.iter().find(|document| document.id == id).unwrap();
    assert_eq!(document.live_version, Some(2));
    assert_eq!(site.text(&manifest, &id).await, text("otter", 9));
    let passages = site.passages(&manifest).await;
    let shown = passages
        .iter()
        .filter(|line| line.passage.document_id == id && document.shows(line.passage.version));
    let shown: Vec<&str> = shown.map(|line| line.passage.text.as_str()).collect();
    assert_eq!(shown, [text("otter", 9)]);
    // What was read of the version before counts for nothing.
    assert_eq!((backup.counts.documents, backup.counts.texts, backup.counts.passages), (2, 2, 2));
    assert_eq!((backup.counts.missing_texts, backup.counts.missing_passages), (0, 0));

    // The next one is of the same state and holds only what counts.
    let next = site.run().await;
    assert_eq!(next.state_digest, backup.state_digest);
    let manifest = site.manifest(&next).await;
    assert_eq!(site.passages(&manifest).await.len(), 2);
}

#[tokio::test]
async fn a_document_that_is_deleted_while_it_is_read_has_no_record() {
    let (site, id, reader) = interrupted(Deed::Delete).await;
    let back_up = site.back_up_reading(reader);
    let backup = back_up.run(&site.world.tenant, LONG).await.unwrap();

    let manifest = site.manifest(&backup).await;
    assert!(manifest.cut.is_exact);
    assert_eq!((backup.counts.documents, backup.counts.texts, backup.counts.passages), (1, 1, 1));
    assert!(site.documents(&manifest).await.iter().all(|document| document.id != id));

    // What was copied of it before is still in the parts, and counts for nothing; the next one has none of it.
    let next = site.run().await;
    let manifest = site.manifest(&next).await;
    let texts: Vec<TextLine> = site.lines_as(&manifest, Kind::Text).await;
    assert!(texts.iter().all(|line| line.document_id != id));
    let versions = site.lines(&manifest, Kind::Version).await;
    assert!(versions.iter().all(|version| version["document_id"] != id.as_str()));
    assert_eq!(next.state_digest, backup.state_digest);
}
