//! An embedder that remembers.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use lectern_app::cache::{CacheLimits, CachedEmbedder, Caches, VECTOR_TTL};
use lectern_core::{errors::ErrorKind, ports::Embedder};
use lectern_tables::Tables;

use crate::world::{BagOfWords, World};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn caches(world: &World, store: Option<Tables>) -> Caches {
    let minute = Duration::from_secs(60);
    let limits =
        CacheLimits { read_timeout: minute, write_timeout: minute, ..CacheLimits::default() };
    Caches::new(store, limits, world.clock())
}

#[tokio::test]
async fn each_text_of_a_batch_is_remembered_by_itself() {
    let world = World::new().await;
    let inner = Arc::new(BagOfWords::new());
    let caches = caches(&world, None);
    let embedder = CachedEmbedder::in_memory(Arc::<BagOfWords>::clone(&inner), caches.clone());
    let direct = inner.embed(&texts(&["a heron", "an otter", "a marten"])).await.unwrap();
    let before = inner.texts.load(Ordering::SeqCst);
    embedder.embed(&texts(&["an otter"])).await.unwrap();
    let batch = embedder.embed(&texts(&["a heron", "an otter", "a marten"])).await.unwrap();
    assert_eq!(batch, direct, "in order, as without it");
    assert_eq!(inner.texts.load(Ordering::SeqCst) - before, 3, "the second text was known");
    assert_eq!((caches.counts().vectors.hits, caches.counts().vectors.misses), (1, 3));
    assert!(embedder.embed(&[]).await.unwrap().is_empty());
    assert_eq!(embedder.model(), inner.model());
    world.pass(VECTOR_TTL);
    embedder.embed(&texts(&["an otter"])).await.unwrap();
    assert_eq!(inner.texts.load(Ordering::SeqCst) - before, 4, "forgotten in time");
}

#[tokio::test]
async fn the_table_knows_what_another_process_embedded_even_when_the_model_is_away() {
    let world = World::new().await;
    let inner = Arc::new(BagOfWords::new());
    let first = caches(&world, Some(world.tables.clone()));
    let made = CachedEmbedder::new(Arc::<BagOfWords>::clone(&inner), first.clone());
    let vectors = made.embed(&texts(&["a heron", "an otter"])).await.unwrap();
    first.settle().await;

    inner.faults.fail_all(ErrorKind::Unavailable);
    let second = caches(&world, Some(world.tables.clone()));
    let other = CachedEmbedder::new(Arc::<BagOfWords>::clone(&inner), second);
    assert_eq!(other.embed(&texts(&["an otter"])).await.unwrap(), vectors[1..]);
    let unknown = other.embed(&texts(&["an otter", "a marten"])).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Unavailable, "the model's own error");
    // Of another model nothing is known.
    let mut model = BagOfWords::new();
    model.model.id = "other".into();
    let third = caches(&world, Some(world.tables.clone()));
    let other = CachedEmbedder::new(Arc::new(model), third.clone());
    other.embed(&texts(&["an otter"])).await.unwrap();
    assert_eq!(third.counts().vectors.misses, 1);
}

#[tokio::test]
async fn a_table_that_fails_is_not_noticed() {
    let world = World::new().await;
    let broken = Tables::connect("embedded::memory:").await.unwrap();
    let caches = caches(&world, Some(broken));
    let inner = Arc::new(BagOfWords::new());
    let embedder = CachedEmbedder::new(Arc::<BagOfWords>::clone(&inner), caches.clone());
    let direct = inner.embed(&texts(&["a heron"])).await.unwrap();
    assert_eq!(embedder.embed(&texts(&["a heron"])).await.unwrap(), direct);
    caches.settle().await;
    assert_eq!(embedder.embed(&texts(&["a heron"])).await.unwrap(), direct);
}
