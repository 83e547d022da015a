//! What a hit is, what is never kept, and what a hit leaves behind.

use std::{sync::atomic::Ordering, time::Duration};

use lectern_app::{
    ask::AskEvent,
    cache::{ANSWER_TTL, CacheUse, RETRIEVAL_TTL},
    search::SearchRequest,
};
use lectern_core::{errors::ErrorKind, ids::CollectionId};
use lectern_tables::Tables;
use serde_json::json;

use crate::world::{World, ask, ask_with, request};

const QUESTION: &str = "What does the heron report count?";
const TEXT: &str = "The heron report counts 12 nests.";

#[tokio::test]
async fn a_hit_is_recorded_costs_nothing_and_sends_the_same_events() {
    let world = World::new().await;
    world.add(TEXT, &["*"]).await;
    let (process, caller) = (world.process(), world.caller(&["ops"]));
    let (first, sent) = ask_with(&process, &caller, &request(QUESTION)).await;
    let (second, again) = ask_with(&process, &caller, &request(QUESTION)).await;
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.cache, second.cache), (CacheUse::Miss, CacheUse::Exact));
    assert_eq!(first.answer, second.answer);
    assert!(first.query_id != second.query_id && first.session_id != second.session_id);
    assert!(second.timings.cache > 0.0 && second.timings.retrieve == 0.0);
    let ids = |event: &AskEvent| match event {
        AskEvent::Retrieval { passages, .. } => format!("{passages:?}"),
        other => format!("{other:?}"),
    };
    assert_eq!(sent.iter().map(ids).collect::<Vec<_>>(), again.iter().map(ids).collect::<Vec<_>>());
    let said = process.conversation(&caller, &second.session_id).await.unwrap();
    assert_eq!(said[1].content, first.answer.text());
    let counts = process.search.caches.counts();
    assert_eq!((counts.answers.hits, counts.answers.misses), (1, 1));

    // Another process finds it in the table, for as long as it is kept.
    let other = world.process();
    assert_eq!(ask(&other, &caller, QUESTION).await.cache, CacheUse::Exact);
    assert_eq!(ask(&other, &caller, QUESTION).await.cache, CacheUse::Exact);
    world.pass(ANSWER_TTL);
    assert_eq!(ask(&other, &caller, QUESTION).await.cache, CacheUse::Miss);
    assert_eq!(ask(&world.process(), &caller, QUESTION).await.cache, CacheUse::Exact);
}

#[tokio::test]
async fn a_hit_needs_neither_embedder_nor_index() {
    let world = World::new().await;
    world.add(TEXT, &["*"]).await;
    let (process, caller) = (world.process(), world.caller(&[]));
    ask(&process, &caller, QUESTION).await;
    let (made, before) =
        (world.embedder.texts.load(Ordering::SeqCst), world.embedder.faults.calls());
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);
    assert_eq!(world.embedder.texts.load(Ordering::SeqCst), made);
    assert_eq!(world.embedder.faults.calls(), before);
    assert_eq!(process.search.caches.counts().retrievals.misses, 1);
}

#[tokio::test]
async fn another_view_is_another_answer() {
    let world = World::new().await;
    world.add(TEXT, &["ops"]).await;
    let process = world.process();
    assert!(!ask(&process, &world.caller(&["ops"]), QUESTION).await.answer.is_refused());
    for principals in [&["hr"][..], &[]] {
        let asked = ask(&process, &world.caller(principals), QUESTION).await;
        assert!(asked.cache == CacheUse::Miss && asked.answer.is_refused(), "{principals:?}");
    }
    let both = ask(&process, &world.caller(&["hr", "ops"]), QUESTION).await;
    assert_eq!(both.cache, CacheUse::Miss);
    let turned = ask(&process, &world.caller(&["ops", "hr"]), QUESTION).await;
    assert_eq!(turned.cache, CacheUse::Exact);

    // What a caller may not ask is refused before any cache is looked into.
    let mut closed = world.caller(&["ops"]);
    closed.collections = Some(Vec::new());
    assert!(ask_with(&process, &closed, &request(QUESTION)).await.0.is_err());
    let mut mute = world.caller(&["ops"]);
    mute.permissions.clear();
    assert!(ask_with(&process, &mute, &request(QUESTION)).await.0.is_err());
}

#[tokio::test]
async fn refusals_and_degraded_answers_are_not_kept() {
    let world = World::new().await;
    let (process, caller) = (world.process(), world.caller(&[]));
    for _ in 0..2 {
        let asked = ask(&process, &caller, QUESTION).await;
        assert!(asked.cache == CacheUse::Miss && asked.answer.is_refused());
    }
    world.add(TEXT, &["*"]).await;
    world.embedder.faults.fail_all(ErrorKind::Unavailable);
    let other = "How many nests does the heron report count?";
    for _ in 0..2 {
        assert_eq!(ask(&process, &caller, other).await.cache, CacheUse::Miss);
    }
    world.embedder.faults.heal();
    assert_eq!(ask(&process, &caller, other).await.cache, CacheUse::Miss);
    assert_eq!(ask(&process, &caller, other).await.cache, CacheUse::Exact);
}

#[tokio::test]
async fn a_request_and_a_collection_can_do_without() {
    let world = World::new().await;
    world.add(TEXT, &["*"]).await;
    let (process, caller) = (world.process(), world.caller(&[]));
    let bypass = lectern_app::ask::AskRequest { cache: false, ..request(QUESTION) };
    for _ in 0..2 {
        let asked = ask_with(&process, &caller, &bypass).await.0.unwrap();
        assert_eq!(asked.cache, CacheUse::Off);
    }
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Miss, "nor was it kept");
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);
    world.set(json!({"cache": {"answers": false, "retrieval": false}})).await;
    for _ in 0..2 {
        assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Off);
    }
    let counts = process.search.caches.counts();
    assert_eq!((counts.answers.hits, counts.retrievals.hits), (1, 0));
    // Settings nobody can read are the defaults.
    world.set(json!({"cache": {"answers": "perhaps"}})).await;
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Miss);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact);
}

#[tokio::test]
async fn what_was_retrieved_is_found_again_for_minutes() {
    let world = World::new().await;
    world.add(TEXT, &["*"]).await;
    let (process, caller) = (world.process(), world.caller(&[]));
    let wanted = SearchRequest {
        collection: CollectionId::default_collection(),
        question: QUESTION.parse().unwrap(),
        filter: None,
        limit: Some(5),
        mmr: None,
        per_document: None,
        grouped: false,
        collapses: true,
        time_budget: Duration::from_secs(60),
        session_id: None,
        cache: true,
    };
    let first = process.search.search(&caller, &wanted).await.unwrap();
    let second = process.search.search(&caller, &wanted).await.unwrap();
    assert_eq!((first.cache, second.cache), (CacheUse::Miss, CacheUse::Exact));
    assert_eq!(first.passages, second.passages);
    let elsewhere = world.process().search.search(&caller, &wanted).await.unwrap();
    assert_eq!((elsewhere.cache, elsewhere.passages), (CacheUse::Exact, first.passages));
    world.pass(RETRIEVAL_TTL);
    let late = process.search.search(&caller, &wanted).await.unwrap();
    assert_eq!(late.cache, CacheUse::Miss);
    let id = world.add("The heron report is filed.", &["*"]).await;
    let changed = process.search.search(&caller, &wanted).await.unwrap();
    assert_eq!((changed.cache, changed.passages.len()), (CacheUse::Miss, 2));
    // Closed to the caller before the new version is live: another generation, and the check drops it.
    world.accept(Some(&id), "The heron report is closed.", &["hr"]).await;
    let closed = process.search.search(&caller, &wanted).await.unwrap();
    assert_eq!((closed.cache, closed.passages.len()), (CacheUse::Miss, 1));
}

#[tokio::test]
async fn a_document_closed_and_opened_again_answers_again() {
    let world = World::new().await;
    world.add(TEXT, &["*"]).await;
    let other = world.add("The heron report counts 3 eggs.", &["*"]).await;
    let (process, caller) = (world.process(), world.caller(&["ops"]));
    assert_eq!(ask(&process, &caller, QUESTION).await.answer.citations().len(), 2);

    // Neither version goes live: closing and opening again are changes of the record alone.
    world.accept(Some(&other), "The heron report counts 4 eggs.", &["hr"]).await;
    assert_eq!(ask(&process, &caller, QUESTION).await.answer.citations().len(), 1);
    world.accept(Some(&other), "The heron report counts 5 eggs.", &["*"]).await;
    assert_eq!(ask(&process, &caller, QUESTION).await.answer.citations().len(), 2);
}

#[tokio::test]
async fn a_question_of_the_same_meaning_gets_the_answer_but_not_of_another_year() {
    let world = World::new().await;
    let place = "the northern reed marsh beside the river mill near harbour town station";
    let text = |year: u32| format!("The heron report of {year} from {place} counts {year} nests.");
    let asked = |year: u32| format!("What does the heron report of {year} from {place} count?");
    world.add(&text(2023), &["*"]).await;
    world.add(&text(2024), &["*"]).await;
    world.set(json!({"cache": {"semantic": 0.9}})).await;
    let (process, caller) = (world.process(), world.caller(&[]));
    let first = ask(&process, &caller, &asked(2023)).await;
    let same = format!("What does the report of 2023 count, the heron report from {place}?");
    let same = ask(&process, &caller, &same).await;
    assert_eq!((first.cache, same.cache), (CacheUse::Miss, CacheUse::Semantic));
    assert_eq!(same.answer, first.answer);

    let vectors = [2023, 2024].map(|year| world.embedder.vector(&asked(year)));
    let cosine: f32 = vectors[0].iter().zip(&vectors[1]).map(|(one, other)| one * other).sum();
    assert!(cosine > 0.9, "{cosine}: the test would prove nothing");
    assert_eq!(ask(&process, &caller, &asked(2024)).await.cache, CacheUse::Miss);
    let negated = format!("What does the heron report of 2023 from {place} not count?");
    assert_eq!(ask(&process, &caller, &negated).await.cache, CacheUse::Miss);
    let theirs = format!("What does the heron report count from {place} of 2023?");
    let theirs = ask(&process, &world.caller(&["ops"]), &theirs).await;
    assert_eq!(theirs.cache, CacheUse::Miss, "another view's questions are not looked at");

    // It is verified like any other hit.
    world.add(&text(2025), &["*"]).await;
    let after = format!("What does the report count, the heron report of 2023 from {place}?");
    assert_eq!(ask(&process, &caller, &after).await.cache, CacheUse::Miss);
}

#[tokio::test]
async fn a_cache_that_fails_costs_a_miss() {
    let world = World::new().await;
    let id = world.add(TEXT, &["*"]).await;
    let broken = Tables::connect("embedded::memory:").await.unwrap();
    let process = world.process_with(Some(broken));
    let caller = world.caller(&[]);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Miss);
    assert_eq!(ask(&process, &caller, QUESTION).await.cache, CacheUse::Exact, "from memory");
    world.delete(&id).await;
    assert!(ask(&process, &caller, QUESTION).await.answer.is_refused());

    let none = world.process_with(None);
    world.add(TEXT, &["*"]).await;
    assert_eq!(ask(&none, &caller, QUESTION).await.cache, CacheUse::Miss);
    assert_eq!(ask(&none, &caller, QUESTION).await.cache, CacheUse::Exact);
}

#[tokio::test]
async fn a_collection_made_anew_does_not_answer_for_the_old_one() {
    let world = World::new().await;
    let (process, caller) = (world.process(), world.caller(&[]));
    let id = world.add(TEXT, &["*"]).await;
    ask(&process, &caller, QUESTION).await;
    world.delete(&id).await;
    let default = CollectionId::default_collection();
    let collections = world.tables.collections();
    collections.delete(&world.tenant, &default).await.unwrap();
    assert!(ask_with(&process, &caller, &request(QUESTION)).await.0.is_err());
    world.pass(Duration::from_secs(1));
    let anew = lectern_app::collections::Collection::new(
        world.tenant.clone(),
        default,
        "Default".into(),
        world.now(),
    );
    collections.create_if_absent(&anew).await.unwrap();
    assert!(ask(&process, &caller, QUESTION).await.answer.is_refused());
}
