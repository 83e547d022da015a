//! Old backups go, and nothing that a kept one needs.

use std::time::Duration;

use futures::TryStreamExt as _;
use lectern_app::back_up::{
    Backup, BackupState,
    prune::{GRACE, KeptBecause, Pruning},
    verify::Depth,
};
use lectern_core::retention::{Keeps, Retention};
use object_store::ObjectStoreExt as _;

use super::{TINY, failing::Fate, site::LONG, site::Site};
use crate::world::text;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LAST: Retention =
    Retention { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0, within_seconds: 0 };

impl Site {
    async fn prune(&self, retention: Retention, is_dry_run: bool) -> Pruning {
        self.back_up().prune(&self.world.caller(&[]), &retention, is_dry_run).await.unwrap()
    }

    async fn objects(&self) -> usize {
        let parts = object_store::path::Path::from("parts");
        let listed = object_store::ObjectStore::list(&*self.kept, Some(&parts));
        listed.try_collect::<Vec<_>>().await.unwrap().len()
    }

    async fn is_whole(&self, backup: &Backup) -> bool {
        let caller = self.world.caller(&[]);
        let found = self.back_up().verify(&caller, &backup.id, Depth::ReadData).await.unwrap();
        found.damaged == 0
    }
}

/// One backup a day, each with some documents more, and time that passes.
async fn days(site: &Site, count: usize) -> Vec<Backup> {
    let mut backups = Vec::new();
    for number in 0..count {
        for document in 0..12 {
            site.add(&text("heron", 100 * number + document), &["*"]).await;
        }
        site.world.pass(DAY);
        backups.push(site.run().await);
    }
    backups
}

#[tokio::test]
async fn what_no_rule_keeps_goes_with_what_nobody_needs() {
    let mut site = Site::new().await;
    site.limits = TINY;
    let backups = days(&site, 6).await;
    let before = site.objects().await;
    let rule = Retention { daily: 2, ..LAST };

    let said = site.prune(rule, true).await;
    assert_eq!(said.removed, [3, 2, 1, 0].map(|place: usize| backups[place].id.clone()));
    assert_eq!(site.objects().await, before, "a dry run removes nothing");
    let kept = &said.kept[0];
    let reasons = [Keeps::Last, Keeps::Daily].map(KeptBecause::Rule);
    assert_eq!(kept.0, backups[5].id);
    assert!(
        reasons.iter().all(|reason| kept.1.contains(reason))
            && kept.1.contains(&KeptBecause::Newest)
    );

    let done = site.prune(rule, false).await;
    assert_eq!((&done, done.locked), (&said, 0));
    assert!(done.objects > 0 && site.objects().await < before, "{done:?}");
    for backup in &backups[4..] {
        assert!(site.is_whole(backup).await);
    }
    let caller = site.world.caller(&[]);
    let listed = site.back_up().list(&caller, 10, None).await.unwrap().items;
    assert_eq!(listed.len(), 2);
    assert_eq!(site.prune(rule, false).await.objects, 0);
}

#[tokio::test]
async fn the_newest_and_what_runs_on_it_stay_whatever_the_rule() {
    let site = Site::new().await;
    let backups = days(&site, 3).await;
    // A backup that was left: it shares parts with the newest, and something newer may come.
    site.store.judge(|_, _| Fate::Hangs);
    site.world.pass(LONG);
    site.add(&text("otter", 9), &["*"]).await;
    let (back_up, caller) = (site.back_up(), site.world.caller(&[]));
    let left = back_up.back_up(&caller, Duration::from_millis(300)).await.unwrap();
    assert_eq!(left.state, BackupState::Running);
    site.store.heal();
    let pruned = site.prune(Retention::none(), false).await;
    assert_eq!(pruned.removed.len(), 2);
    assert!(pruned.kept[0].1.contains(&KeptBecause::InUse));
    assert!(site.is_whole(&backups[2]).await);

    // One that is being restored stays, too.
    let restored = site.restored(&backups[2]).await;
    site.world.pass(LONG);
    let next = site.run().await;
    let pruned = site.prune(LAST, false).await;
    assert_eq!(pruned.kept.len(), 2);
    site.restore().discard(&site.world.caller(&[]), &restored.id).await.unwrap();
    let pruned = site.prune(LAST, false).await;
    assert_eq!((pruned.kept.len(), &pruned.removed), (1, &vec![backups[2].id.clone()]));
    assert!(site.is_whole(&next).await);
}

#[tokio::test]
async fn what_lies_there_unneeded_is_stored_again_before_it_may_go() {
    let mut site = Site::new().await;
    site.limits = TINY;
    let document = site.add(&text("heron", 1), &["*"]).await;
    let first = site.run().await;
    site.world.pass(400 * DAY);
    site.change(&document, &text("otter", 2)).await;
    site.run().await;
    site.prune(LAST, false).await;
    site.world.pass(LONG);
    // What the first one had alone was garbage for a year; here it is needed again, and young.
    site.change(&document, &text("heron", 1)).await;
    let third = site.run().await;
    assert!(third.new_parts > 0);
    site.prune(LAST, false).await;
    assert!(site.is_whole(&third).await);
    assert_ne!(first.id, third.id);
}

#[tokio::test]
async fn a_kept_backup_that_cannot_be_read_stops_everything() {
    let site = Site::new().await;
    let backups = days(&site, 3).await;
    site.kept.delete(&site.manifest_path(&backups[2])).await.unwrap();
    let path = site.manifest_path(&backups[2]);
    site.kept.put(&path, "{}".into()).await.unwrap();
    let before = site.objects().await;
    site.world.pass(GRACE);
    let caller = site.world.caller(&[]);
    let error = site.back_up().prune(&caller, &LAST, false).await.unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    assert_eq!(site.objects().await, before);
    assert!(site.is_whole(&backups[0]).await);
}
