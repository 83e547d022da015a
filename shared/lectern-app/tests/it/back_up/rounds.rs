//! All tenants, as the schedules ask for them.

use std::time::{Duration, Instant};

use lectern_app::back_up::{BackupState, Round};
use lectern_core::{passage::Scope, ports::PassageReader as _};
use object_store::ObjectStoreExt as _;

use super::{failing::Fate, site::LONG, site::Site};
use crate::world::text;

fn later() -> Instant {
    Instant::now() + LONG
}

#[tokio::test]
async fn one_tenant_that_fails_keeps_no_other_from_it() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let (other, third) = (site.of("globex").await, site.of("umbrella").await);
    other.add(&text("otter", 2), &["*"]).await;
    site.store.judge(
        |_, path| {
            if path.as_ref().contains("/globex/") { Fate::Failed } else { Fate::Written }
        },
    );

    let round = site.back_up().everybody(later()).await.unwrap();
    assert_eq!(round, Round { done: 2, failed: 1, ..Round::default() });
    for (site, expected) in [
        (&site, BackupState::Complete),
        (&other, BackupState::Failed),
        (&third, BackupState::Complete),
    ] {
        let caller = site.world.caller(&[]);
        let listed = site.back_up().list(&caller, 10, None).await.unwrap().items;
        assert_eq!(listed.iter().map(|backup| backup.state).collect::<Vec<_>>(), [expected]);
    }

    // What a schedule's retry does: everybody again, and nothing is stored twice.
    site.store.heal();
    site.world.pass(LONG);
    let round = site.back_up().everybody(later()).await.unwrap();
    assert_eq!(round, Round { done: 3, ..Round::default() });
    let listed = site.back_up().list(&site.world.caller(&[]), 10, None).await.unwrap().items;
    assert_eq!((listed.len(), listed[0].new_parts), (2, 0));
}

#[tokio::test]
async fn who_waited_longest_comes_first() {
    let site = Site::new().await;
    let (other, third) = (site.of("globex").await, site.of("zzz").await);
    site.run().await;
    site.world.pass(LONG);
    other.run().await;
    site.world.pass(LONG);

    // There is time for the two that come first and not for the last.
    site.store.judge(
        |_, path| {
            if path.as_ref().contains("/globex/") { Fate::Hangs } else { Fate::Written }
        },
    );
    let until = Instant::now() + Duration::from_secs(3);
    let round = site.back_up().everybody(until).await.unwrap();
    assert_eq!(round, Round { done: 2, unfinished: 1, ..Round::default() });
    for (site, expected) in [(&site, 2), (&other, 2), (&third, 1)] {
        let caller = site.world.caller(&[]);
        let listed = site.back_up().list(&caller, 10, None).await.unwrap().items;
        assert_eq!(listed.len(), expected);
    }
    let round = site.back_up().everybody(Instant::now()).await.unwrap();
    assert_eq!(round, Round { unfinished: 3, ..Round::default() }, "no time, no backup");
}

#[tokio::test]
async fn a_drill_restores_the_newest_complete_backups_and_notes_it() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let (other, _bare) = (site.of("globex").await, site.of("umbrella").await);
    other.add(&text("otter", 2), &["*"]).await;
    let (old, theirs) = (site.run().await, other.run().await);
    site.world.pass(LONG);
    site.add(&text("marten", 3), &["*"]).await;
    let newest = site.run().await;
    site.world.pass(LONG);
    // A failed one after it is none to restore.
    site.store.judge(|_, _| Fate::Failed);
    site.add(&text("marten", 4), &["*"]).await;
    site.back_up().run(&site.world.tenant, LONG).await.unwrap_err();
    site.store.heal();

    let round = site.restore().drill(later()).await.unwrap();
    assert_eq!(round, Round { done: 2, without: 1, ..Round::default() });
    let caller = site.world.caller(&[]);
    let drill = site.back_up().show(&caller, &newest.id).await.unwrap().drill.unwrap();
    assert_eq!((drill.at, drill.failure), (site.world.now(), None));
    assert_eq!((drill.documents, drill.passages), (2, 2));
    assert_eq!(site.back_up().show(&caller, &old.id).await.unwrap().drill, None);
    // Nothing is left of it, and nothing of it was ever live.
    let tenants = site.world.tables.tenants();
    assert_eq!(tenants.live(&site.world.tenant).await.unwrap(), site.world.tenant);
    let scope = Scope::tenant(&site.world.tenant.in_incarnation(1));
    assert_eq!(site.world.index.count(&scope).await.unwrap(), 0);

    let part = &other.manifest(&theirs).await.parts[0];
    other.kept.delete(&other.part_path(&part.sha256)).await.unwrap();
    let round = site.restore().drill(later()).await.unwrap();
    assert_eq!(round, Round { done: 1, failed: 1, without: 1, ..Round::default() });
    let caller = other.world.caller(&[]);
    let drill = other.back_up().show(&caller, &theirs.id).await.unwrap().drill.unwrap();
    assert!(drill.failure.unwrap().contains("missing"));
}

#[tokio::test]
async fn every_tenant_is_found_however_many_there_are() {
    let site = Site::new().await;
    for number in 0..250 {
        site.world.of(&format!("tenant-{number:03}")).await;
    }
    // Whoever creates a second collection is no second tenant.
    site.world.of("tenant-007").await;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = site.world.tables.tenants().list(cursor.as_deref()).await.unwrap();
        found.extend(page.items.into_iter().map(|tenant| tenant.tenant.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut expected: Vec<String> = (0..250).map(|number| format!("tenant-{number:03}")).collect();
    expected.insert(0, "acme".to_owned());
    assert_eq!(found, expected);
}
