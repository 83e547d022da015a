//! What is shown, in which number and order.

use lectern_app::errors::FlowError;
use lectern_core::settings::Mmr;
use serde_json::json;

use super::world::{Draft, World, request, texts};

fn filter(json: serde_json::Value) -> Option<lectern_core::filter::Filter> {
    Some(serde_json::from_value(json).unwrap())
}

fn pointer(error: FlowError) -> String {
    match error {
        FlowError::Invalid(fields) => fields[0].pointer.clone(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_is_not_live_leaves_no_gap() {
    let world = World::new().await;
    for seed in 0..60 {
        // Those that are not live say it more often and rank first.
        let words = "platypus ".repeat(if seed < 45 { 3 } else { 1 });
        let mut draft = Draft::of(&[&format!("{words}report {seed}")]);
        draft.is_live = seed >= 45;
        world.write(seed, &draft).await;
    }
    let mut wanted = request("platypus");
    wanted.limit = Some(15);
    let found = world.find(&wanted).await;
    assert_eq!(found.passages.len(), 15, "{:?}", texts(&found.passages));
}

#[tokio::test]
async fn a_version_switched_meanwhile_is_found_by_searching_again() {
    let world = World::new().await;
    let first = Draft::of(&["The platypus sleeps"]);
    let id = world.write(1, &first).await;
    // The record names a version whose passages the index shows only from the second search on: here, never. The
    // repetition is counted.
    let registration = lectern_tables::registration::Registration {
        tenant: world.caller.tenant.clone(),
        collection: lectern_core::ids::CollectionId::default_collection(),
        document_id: Some(id.clone()),
        new_id: id.clone(),
        by_content: false,
        name: "a.md".into(),
        media_type: "text/markdown".into(),
        size_bytes: 1,
        sha256: format!("{:064x}", 99),
        acl: vec!["*".into()],
        metadata: serde_json::Map::new(),
        uploaded_by: None,
    };
    world.tables.documents().register(&registration, super::world::at(4)).await.unwrap();
    let claimed = world.claim(&id, 2).await;
    world.tables.versions().switch_live(&claimed.lease, 1, super::world::at(5)).await.unwrap();
    let before = world.index.calls();
    assert!(world.find(&request("platypus")).await.passages.is_empty());
    assert_eq!(world.index.calls() - before, 4, "one search and three repetitions");
}

#[tokio::test]
async fn repetitions_shares_groups_and_variety_are_as_asked() {
    let world = World::new().await;
    let report =
        "The platypus report says that the platypus swims well and lives by the river bank";
    let twice =
        [report, "A platypus lays eggs, and the platypus feeds its young with milk all the same"];
    world.write(1, &Draft::of(&twice)).await;
    world.write(2, &Draft::of(&[&report.to_uppercase()])).await;
    world.write(3, &Draft::of(&["Otters are no platypus"])).await;

    assert_eq!(world.find(&request("platypus")).await.passages.len(), 3, "one is a repetition");
    world.set(json!({"retrieval": {"collapse": 0}})).await;
    assert_eq!(world.find(&request("platypus")).await.passages.len(), 4);
    world.set(json!({"retrieval": {"per_document": 1}})).await;
    assert_eq!(world.find(&request("platypus")).await.passages.len(), 3);

    let mut grouped = request("platypus");
    (grouped.grouped, grouped.limit, grouped.per_document) = (true, Some(2), Some(2));
    let found = world.find(&grouped).await.passages;
    let documents: Vec<_> = found.iter().map(|found| &found.passage.document_id).collect();
    assert_eq!(documents.chunk_by(|one, other| one == other).count(), 2, "{documents:?}");

    let mut varied = request("platypus");
    varied.mmr = Some(Mmr { lambda: 0.1 });
    let found = world.find(&varied).await.passages;
    assert_ne!(found[0].passage.text.to_lowercase(), found[1].passage.text.to_lowercase());
}

#[tokio::test]
async fn the_collection_chooses_the_fusion_and_the_number_of_passages() {
    let world = World::new().await;
    for seed in 0..12 {
        world.write(seed, &Draft::of(&[&format!("platypus {seed}")])).await;
    }
    world.set(json!({"retrieval": {"passages": 5, "fusion": {"method": "dense_only"}}})).await;
    assert!(world.find(&request("platypus")).await.passages.is_empty(), "there are no vectors");
    world.set(json!({"retrieval": {"fusion": {"method": "sparse_only"}}})).await;
    let mut open = request("platypus");
    open.limit = None;
    assert_eq!(world.find(&open).await.passages.len(), 5);
}

#[tokio::test]
async fn filters_are_typed_by_the_schema_and_bounds_are_named() {
    let world = World::new().await;
    for (seed, signed) in [(1, "2026-11-21"), (2, "2026-11-22T08:00:00Z")] {
        let mut draft = Draft::of(&[&format!("platypus contract {seed}")]);
        draft.metadata.insert("signed".into(), signed.into());
        world.write(seed, &draft).await;
    }
    let mut dated = request("platypus");
    dated.filter = filter(json!({"field": "signed", "lte": "2026-11-21"}));
    assert_eq!(texts(&world.find(&dated).await.passages), ["platypus contract 1"]);

    world.set(json!({"schema": {"signed": "date", "year": "number"}})).await;
    assert_eq!(world.find(&dated).await.passages.len(), 1);
    for (wrong, at) in [
        (json!({"field": "colour", "equals": "red"}), "/filter/field"),
        (json!({"any": [{"field": "year", "equals": "x"}]}), "/filter/any/0/equals"),
        (json!({"not": {"field": "signed", "gt": 1}}), "/filter/not/gt"),
    ] {
        let mut typed = request("platypus");
        typed.filter = filter(wrong);
        let refused = world.search.search(&world.caller, &typed).await.unwrap_err();
        assert_eq!(pointer(refused), at);
    }
    let mut far = request("platypus");
    far.limit = Some(101);
    let refused = world.search.search(&world.caller, &far).await.unwrap_err();
    assert_eq!(pointer(refused), "/limit");
}
