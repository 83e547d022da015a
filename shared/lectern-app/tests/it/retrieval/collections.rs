//! Settings of a collection: patched, refused, in conflict.

use lectern_app::{
    collections::{CollectionPatch, settings_of},
    errors::FlowError,
};
use lectern_core::ids::CollectionId;
use serde_json::{Value, json};

use super::world::{Draft, World, request};

fn patch(settings: Value, based_on: Option<u64>) -> CollectionPatch {
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    CollectionPatch { name: None, settings, based_on }
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_is_the_default() {
    let world = World::new().await;
    let id = CollectionId::default_collection();
    let change = |settings| {
        let patch = patch(settings, None);
        let (collections, caller, id) = (&world.collections, &world.caller, &id);
        async move { collections.patch(caller, id, &patch).await.unwrap() }
    };
    change(json!({"retrieval": {"passages": 3, "mmr": {"lambda": 0.5}}})).await;
    let changed = change(json!({"retrieval": {"mmr": null}, "cache": {"answers": false}})).await;
    let settings = settings_of(&changed);
    assert_eq!((settings.retrieval.passages, settings.retrieval.mmr), (3, None));
    assert!(!settings.cache.answers && settings.cache.retrieval);
    assert_eq!(
        Value::Object(changed.settings.clone()),
        json!({"retrieval": {"passages": 3}, "cache": {"answers": false}}),
        "only what somebody set is stored"
    );
    assert_eq!(changed.revision, 3);
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_stored() {
    let world = World::new().await;
    let id = CollectionId::default_collection();
    for (settings, pointers) in [
        (json!({"retrieval": {"mmr": {"lambda": 2}}}), vec!["/settings/retrieval/mmr/lambda"]),
        (json!({"retrieval": {"colour": 1}}), vec!["/settings/retrieval/colour"]),
        (
            json!({"retrieval": {"passages": 0, "collapse": 0.1}}),
            vec!["/settings/retrieval/passages", "/settings/retrieval/collapse"],
        ),
        (json!({"schema": {"a": "x".repeat(20_000)}}), vec!["/settings/schema/a"]),
    ] {
        let refused =
            world.collections.patch(&world.caller, &id, &patch(settings, None)).await.unwrap_err();
        let FlowError::Invalid(fields) = refused else { panic!("{refused}") };
        let named: Vec<&str> = fields.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(named, pointers);
    }
    assert_eq!(world.collections.get(&world.caller, &id).await.unwrap().revision, 1);
}

#[tokio::test]
async fn a_change_based_on_another_revision_is_a_conflict() {
    let world = World::new().await;
    let id = CollectionId::default_collection();
    let change = async |based_on| {
        let patch = patch(json!({"retrieval": {"passages": 4}}), based_on);
        world.collections.patch(&world.caller, &id, &patch).await
    };
    assert_eq!(change(Some(1)).await.unwrap().revision, 2);
    assert!(matches!(change(Some(1)).await, Err(FlowError::Conflict(_))));
    // Changes that name no revision wait for each other.
    let all = tokio::join!(change(None), change(None), change(None));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok(), "{all:?}");
}

#[tokio::test]
async fn stored_settings_of_another_release_do_not_stop_a_search() {
    let world = World::new().await;
    world.write(1, &Draft::of(&["The platypus sleeps"])).await;
    let id = CollectionId::default_collection();
    let mut collection = world.collections.get(&world.caller, &id).await.unwrap();
    collection.settings.insert("from_the_future".into(), json!(1));
    let now = super::world::at(9);
    world.tables.collections().update(&collection, 1, now).await.unwrap();
    assert_eq!(world.find(&request("platypus")).await.passages.len(), 1);
}
