//! All tenants, as the schedules ask for them.

use std::time::{Duration, Instant};

use lectern_app::back_up::{BackupState, Round};
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
    assert_eq!(round, Round { done: 2, failed: 1, without: 0 });
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
    assert_eq!(round, Round { done: 3, failed: 0, without: 0 });
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
    assert_eq!(round, Round { done: 2, failed: 1, without: 0 });
    for (site, expected) in [(&site, 2), (&other, 2), (&third, 1)] {
        let caller = site.world.caller(&[]);
        let listed = site.back_up().list(&caller, 10, None).await.unwrap().items;
        assert_eq!(listed.len(), expected);
    }
    let round = site.back_up().everybody(Instant::now()).await.unwrap();
    assert_eq!(round, Round { done: 0, failed: 3, without: 0 }, "no time, no backup");
}

#[tokio::test]
async fn a_drill_reads_the_newest_complete_backups_and_notes_it() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let (other, _bare) = (site.of("globex").await, site.of("umbrella").await);
    other.add(&text("otter", 2), &["*"]).await;
    let (old, theirs) = (site.run().await, other.run().await);
    site.world.pass(LONG);
    site.add(&text("marten", 3), &["*"]).await;
    let newest = site.run().await;
    site.world.pass(LONG);
    // A failed one after it is none to read back.
    site.store.judge(|_, _| Fate::Failed);
    site.add(&text("marten", 4), &["*"]).await;
    site.back_up().run(&site.world.tenant, LONG).await.unwrap_err();
    site.store.heal();

    let round = site.back_up().drill(later()).await.unwrap();
    assert_eq!(round, Round { done: 2, failed: 0, without: 1 });
    let caller = site.world.caller(&[]);
    let drill = site.back_up().show(&caller, &newest.id).await.unwrap().drill.unwrap();
    assert_eq!((drill.at, drill.damaged), (site.world.now(), 0));
    assert_eq!(drill.read_bytes, newest.size_bytes);
    assert_eq!(site.back_up().show(&caller, &old.id).await.unwrap().drill, None);

    let part = &other.manifest(&theirs).await.parts[0];
    other.kept.delete(&other.part_path(&part.sha256)).await.unwrap();
    let round = site.back_up().drill(later()).await.unwrap();
    assert_eq!(round, Round { done: 1, failed: 1, without: 1 });
    let caller = other.world.caller(&[]);
    let drill = other.back_up().show(&caller, &theirs.id).await.unwrap().drill.unwrap();
    assert_eq!(drill.damaged, 1);
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
        found.extend(page.items.into_iter().map(String::from));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut expected: Vec<String> = (0..250).map(|number| format!("tenant-{number:03}")).collect();
    expected.insert(0, "acme".to_owned());
    assert_eq!(found, expected);
}
