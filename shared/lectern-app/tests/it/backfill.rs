//! Passages that were indexed without a model get their vectors.

use std::sync::Arc;

use lectern_app::{backfill::Backfill, cache::CacheUse};
use lectern_core::{
    passage::Scope,
    ports::{Embedder, PassageReader, PassageWriter},
};

use crate::world::{BagOfWords, World, ask};

const QUESTION: &str = "What does the heron report count?";

fn backfill(world: &World) -> Backfill {
    let embedder: Arc<dyn Embedder> = Arc::<BagOfWords>::clone(&world.embedder);
    Backfill {
        tables: world.tables.clone(),
        reader: Arc::new(world.index.clone()),
        writer: Arc::new(world.index.clone()),
        embedder,
        clock: world.clock(),
    }
}

#[tokio::test]
async fn vectors_come_once_and_end_what_was_answered_without_them() {
    let world = World::new().await;
    let document = world.add("The heron report counts 12 nests.", &["*"]).await;
    let scope = Scope::document(&world.tenant, &document);
    let mut points = world.index.scroll(&scope, None, 10).await.unwrap().points;
    let with_vectors = points.clone();
    points.iter_mut().for_each(|point| point.dense = None);
    world.index.upsert(points).await.unwrap();

    let (process, caller) = (world.process(), world.caller(&[]));
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Miss);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);

    let backfill = backfill(&world);
    assert_eq!(backfill.run(&world.tenant).await.unwrap(), 1);
    let points = world.index.scroll(&scope, None, 10).await.unwrap().points;
    assert_eq!(points, with_vectors);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Miss);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);
    assert_eq!(backfill.run(&world.tenant).await.unwrap(), 0, "nothing is left to do");
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);
}

#[tokio::test]
async fn passages_of_a_deleted_document_do_not_stay() {
    let world = World::new().await;
    let document = world.add("The heron report counts 12 nests.", &["*"]).await;
    let scope = Scope::document(&world.tenant, &document);
    let mut points = world.index.scroll(&scope, None, 10).await.unwrap().points;
    world.delete(&document).await;
    // As a backfill leaves them that read them before the deletion and wrote them after it.
    points.iter_mut().for_each(|point| point.dense = None);
    world.index.upsert(points).await.unwrap();

    backfill(&world).run(&world.tenant).await.unwrap();
    assert!(world.index.scroll(&scope, None, 10).await.unwrap().points.is_empty());
}
