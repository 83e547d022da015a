//! Documents that a collection keeps no longer.

use std::time::{Duration, Instant};

use lectern_app::expire::{Expire, Expired, MAX_EXPIRED, MAX_LOOKED_AT, PAUSE};
use lectern_core::{ids::DocumentId, passage::Scope, ports::PassageReader as _};
use serde_json::json;

use crate::world::{TOPICS, World, ask, question, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn expire(world: &World) -> Expire {
    Expire { tables: world.tables.clone(), forget: world.forget() }
}

async fn sweep(world: &World) -> Expired {
    let until = Instant::now() + Duration::from_secs(600);
    expire(world).sweep(world.now(), until).await.unwrap()
}

async fn is_there(world: &World, document: &DocumentId) -> bool {
    world.tables.documents().get(&world.tenant, document).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_goes_when_its_time_is_over_and_not_before() {
    let world = World::new().await;
    let other = world.of("other").await;
    let kept_for_good = other.add(&text(TOPICS[0], 1), &["*"]).await;
    let old = world.add(&text(TOPICS[0], 1), &["*"]).await;
    world.pass(10 * DAY);
    let young = world.add(&text(TOPICS[1], 1), &["*"]).await;
    assert_eq!(sweep(&world).await, Expired::default(), "nobody said how long");
    world.set(json!({ "retention": { "days": 30 } })).await;
    world.pass(20 * DAY);
    assert_eq!(sweep(&world).await.deleted, 0, "exactly thirty days");
    world.pass(PAUSE);
    assert_eq!(sweep(&world).await.deleted, 1);
    assert!(!is_there(&world, &old).await && is_there(&world, &young).await);
    assert!(is_there(&other, &kept_for_good).await, "another account's setting is none");
    assert_eq!(world.index.count(&Scope::document(&world.tenant, &old)).await.unwrap(), 0);
    let answered = ask(&world.process(), &world.caller(&[]), &question(TOPICS[0])).await;
    assert!(answered.answer.is_refused());
    // Its receipt can be had as that of any deletion.
    assert_eq!(world.delete(&old).await.receipt.passages_deleted, 1);
    world.pass(PAUSE);
    assert_eq!(sweep(&world).await, Expired::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_begins_the_time_anew_and_one_on_its_way_is_waited_for() {
    let world = World::new().await;
    world.set(json!({ "retention": { "days": 30 } })).await;
    let renewed = world.add(&text(TOPICS[0], 1), &["*"]).await;
    let waiting = world.add(&text(TOPICS[1], 1), &["*"]).await;
    world.pass(29 * DAY);
    let (_, version) = world.accept(Some(&renewed), &text(TOPICS[0], 2), &["*"]).await;
    world.make_live(&renewed, version, &text(TOPICS[0], 2)).await;
    world.pass(2 * DAY);
    let (_, version) = world.accept(Some(&waiting), &text(TOPICS[1], 2), &["*"]).await;
    assert_eq!(sweep(&world).await, Expired::default());
    // A version that fails does not count: what answers is the old one.
    let versions = world.tables.versions();
    let claim = versions.claim(&world.tenant, &waiting, version, world.now(), DAY, 3).await;
    let lectern_tables::versions::Claim::Won(claimed) = claim.unwrap() else { panic!("free") };
    let failure = lectern_core::document::IngestFailure {
        code: "no_text".into(),
        detail: "There is no text.".into(),
    };
    versions.fail(&claimed.lease, &failure, world.now()).await.unwrap();
    world.pass(PAUSE);
    assert_eq!(sweep(&world).await.deleted, 1);
    assert!(is_there(&world, &renewed).await && !is_there(&world, &waiting).await);
    world.pass(28 * DAY);
    assert_eq!(sweep(&world).await.deleted, 1, "the new version is as old by now");
    assert!(!is_there(&world, &renewed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sweeps_at_once_delete_each_document_once() {
    let world = World::new().await;
    world.set(json!({ "retention": { "days": 1 } })).await;
    for number in 0..12 {
        world.add(&text(TOPICS[0], number), &["*"]).await;
    }
    world.pass(2 * DAY);
    let (one, other) = tokio::join!(sweep(&world), sweep(&world));
    assert_eq!((one.failed, other.failed), (0, 0));
    assert!(one.deleted + other.deleted >= 12, "each has the receipts of what it saw");
    let id = lectern_core::ids::CollectionId::default_collection();
    let collection = world.tables.collections().get(&world.tenant, &id).await.unwrap().unwrap();
    assert_eq!(collection.document_count, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_is_bounded_and_the_next_goes_on() {
    let world = World::new().await;
    world.set(json!({ "retention": { "days": 1 } })).await;
    // In front stand those that have a new version: none of them may keep a sweep from what is behind them.
    for number in 0..MAX_LOOKED_AT {
        let (id, _) = world.accept(None, &text(TOPICS[0], number), &["*"]).await;
        drop(id);
    }
    world.pass(Duration::from_secs(1));
    let old = world.add(&text(TOPICS[1], 1), &["*"]).await;
    world.pass(2 * DAY);
    let first = sweep(&world).await;
    assert!(first.is_cut_short && first.deleted == 0, "{first:?}");
    assert!(is_there(&world, &old).await);
    assert_eq!(sweep(&world).await, Expired { deleted: 1, ..Expired::default() });

    let nothing = expire(&world).sweep(world.now(), Instant::now()).await.unwrap();
    assert!(nothing.is_cut_short, "no time, no work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_deletes_so_many_and_the_next_the_others() {
    let world = World::new().await;
    world.set(json!({ "retention": { "days": 1 } })).await;
    // As many as two pages of the list have, for a sweep ends between pages.
    for number in 0..=2 * MAX_EXPIRED {
        world.add(&text(TOPICS[0], number), &["*"]).await;
    }
    world.pass(2 * DAY);
    let first = sweep(&world).await;
    assert!(first.is_cut_short && first.deleted == MAX_EXPIRED as u64, "{first:?}");
    assert_eq!(sweep(&world).await.deleted, MAX_EXPIRED as u64);
    assert_eq!(sweep(&world).await.deleted, 1);
}
