//! The order of reads and writes: what changes between two of them is never lost.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use lectern_app::cache::CacheUse;
use lectern_core::{
    errors::PortError,
    passage::{Candidates, Passage, PassageQuery, PointId, Scope, ScrollPage, Visibility},
    ports::PassageReader,
};

use crate::world::{TOPICS, World, ask, question, text};

/// An index during whose next search, when armed, a document about the first topic appears or goes.
#[derive(Debug)]
struct Meddling {
    world: Arc<World>,
    adds: AtomicBool,
    deletes: AtomicBool,
}

#[async_trait]
impl PassageReader for Meddling {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        let found = self.world.index.search(query).await?;
        if self.adds.swap(false, Ordering::SeqCst) {
            self.world.add(&text(TOPICS[0], 2), &["*"]).await;
        }
        if self.deletes.swap(false, Ordering::SeqCst) {
            self.world.delete(&found.sparse[0].passage.document_id).await;
        }
        Ok(found)
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        self.world.index.get(visibility, ids).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        self.world.index.count(scope).await
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        self.world.index.scroll(scope, from, limit).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.world.index.ping().await
    }
}

#[tokio::test]
async fn what_changes_during_a_search_outdates_what_is_kept_of_it() {
    let world = Arc::new(World::new().await);
    world.add(&text(TOPICS[0], 1), &["*"]).await;
    let (adds, deletes) = (AtomicBool::new(true), AtomicBool::new(false));
    let index = Arc::new(Meddling { world: Arc::clone(&world), adds, deletes });
    let mut process = world.process();
    process.search.passages = Arc::<Meddling>::clone(&index);
    let caller = world.caller(&[]);
    let question = question(TOPICS[0]);

    // Searched before the second document was live: kept with the generation from before.
    let early = ask(&process, &caller, &question).await;
    assert_eq!((early.cache, early.answer.citations().len()), (CacheUse::Miss, 1));
    let now = ask(&process, &caller, &question).await;
    assert_eq!((now.cache, now.answer.citations().len()), (CacheUse::Miss, 2));
    assert_eq!(process.search.caches.counts().retrievals.hits, 0);
    assert_eq!(ask(&process, &caller, &question).await.cache, CacheUse::Exact);

    // A document that goes during the search is not in that answer, nor in a later one.
    index.deletes.store(true, Ordering::SeqCst);
    let bypass = lectern_app::ask::AskRequest { cache: false, ..crate::world::request(&question) };
    let (asked, _) = crate::world::ask_with(&process, &caller, &bypass).await;
    assert_eq!(asked.unwrap().answer.citations().len(), 1);
    let now = ask(&process, &caller, &question).await;
    assert_eq!((now.cache, now.answer.citations().len()), (CacheUse::Miss, 1));
}
