//! The reranking stage, and what happens without its answer.

use std::{sync::Arc, time::Duration};

use lectern_core::ports::EmbeddingModel;
use serde_json::json;

use super::world::{Draft, Model, NoEmbedder, World, request, texts};

const SHORT: &str = "Backups run.";
const LONG: &str = "Backups and backups: how backups are made, where backups are kept.";

async fn world(model: Model) -> World {
    let mut world = World::new().await;
    world.write(1, &Draft::of(&[LONG])).await;
    world.write(2, &Draft::of(&[SHORT])).await;
    world.search.reranker = Some(Arc::new(model));
    world
}

#[tokio::test]
async fn the_model_decides_the_order_where_the_collection_asks_for_it() {
    let world = world(Model::Shortest).await;
    let before = world.find(&request("backups kept")).await;
    assert_eq!(texts(&before.passages), [LONG, SHORT]);
    world.set(json!({"retrieval": {"rerank": {}}})).await;
    let after = world.find(&request("backups kept")).await;
    assert_eq!(texts(&after.passages), [SHORT, LONG]);
    assert!(after.degraded.is_empty() && after.timings.rerank > 0.0);

    // What is not sent to it stands behind, with scores that do not rise.
    world.set(json!({"retrieval": {"rerank": {"candidates": 1}}})).await;
    let first = world.find(&request("backups kept")).await;
    assert_eq!(texts(&first.passages), [LONG, SHORT]);
    assert!(first.passages[0].score >= first.passages[1].score);
}

#[tokio::test]
async fn without_its_answer_the_order_stands_and_the_response_says_so() {
    for model in [Model::Away, Model::Careless, Model::Silent] {
        let name = format!("{model:?}");
        let world = world(model).await;
        world.set(json!({"retrieval": {"rerank": {"budget_ms": 1}}})).await;
        let found = world.find(&request("backups kept")).await;
        assert_eq!(texts(&found.passages), [LONG, SHORT], "{name}");
        assert_eq!(found.degraded, ["rerank"], "{name}");
        let (asked, _) = world.ask(&world.caller, "What about backups?").await;
        assert_eq!(asked.degraded, ["rerank"], "{name}");
    }
    let mut none = world(Model::Away).await;
    none.search.reranker = None;
    none.set(json!({"retrieval": {"rerank": {}}})).await;
    assert_eq!(none.find(&request("backups kept")).await.degraded, ["rerank"]);
}

#[tokio::test]
async fn the_deadline_of_the_whole_comes_before_the_models_budget() {
    let world = world(Model::Silent).await;
    world.set(json!({"retrieval": {"rerank": {"budget_ms": 5_000}}})).await;
    let mut hurried = request("backups kept");
    hurried.time_budget = Duration::from_millis(1);
    let started = std::time::Instant::now();
    assert_eq!(world.find(&hurried).await.degraded, ["rerank"]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_embedder_that_is_away_is_named() {
    let mut world = world(Model::Shortest).await;
    let model = EmbeddingModel { id: "away".into(), dimensions: 4 };
    world.search.embedder = Some(Arc::new(NoEmbedder(model)));
    let found = world.find(&request("backups kept")).await;
    assert_eq!((found.degraded.as_slice(), found.passages.len()), (["embed"].as_slice(), 2));
}
