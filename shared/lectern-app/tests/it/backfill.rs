//! Passages that were indexed without a model get their vectors.

use std::sync::Arc;

use lectern_app::{backfill::Backfill, cache::CacheUse};
use lectern_core::{
    passage::Scope,
    ports::{Embedder, PassageReader, PassageWriter},
};

use crate::world::{World, ask};

const QUESTION: &str = "What does the heron report count?";

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

    let embedder: Arc<dyn Embedder> = Arc::<crate::world::BagOfWords>::clone(&world.embedder);
    let backfill = Backfill {
        tables: world.tables.clone(),
        reader: Arc::new(world.index.clone()),
        writer: Arc::new(world.index.clone()),
        embedder,
    };
    assert_eq!(backfill.run(&world.tenant).await.unwrap(), 1);
    let points = world.index.scroll(&scope, None, 10).await.unwrap().points;
    assert_eq!(points, with_vectors);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Miss);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);
    assert_eq!(backfill.run(&world.tenant).await.unwrap(), 0, "nothing is left to do");
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);
}
