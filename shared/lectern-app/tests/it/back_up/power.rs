//! A power cut takes what nobody made stay.

use std::time::Duration;

use lectern_app::back_up::{BackupState, PartLimits, verify::Depth};

use super::{
    TINY,
    failing::Fate,
    site::{LONG, Site},
};
use crate::world::text;

/// Longer than a backup takes whose writes do not hang.
const PATIENCE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_backup_that_is_complete_stays_when_the_power_goes() {
    let mut site = Site { loses_power: true, ..Site::new().await };
    site.limits = PartLimits { inline_bytes: 0, checkpoint_bytes: 1 << 10, ..TINY };
    let mut at = 0;
    loop {
        at += 1;
        site.add(&text("heron", at), &["*"]).await;
        site.world.pass(Duration::from_secs(61));
        // The process goes with the power in one of its writes, is told of one that fails, or has just said that it is done.
        let fate = if at % 2 == 0 { Fate::Hangs } else { Fate::Failed };
        let judge = move |number, _: &_| if number >= at { fate.clone() } else { Fate::Written };
        site.store.judge(judge);
        let back_up = site.back_up();
        let running = tokio::time::timeout(PATIENCE, back_up.run(&site.world.tenant, LONG));
        let is_complete = running.await.is_ok_and(|backup| backup.is_ok());
        site.store.cut_power().await;
        site.store.heal();
        all_whole(&site, at).await;
        if is_complete {
            break;
        }
        // Whoever goes on with it, or begins another, relies on nothing that is lost.
        site.world.pass(Duration::from_secs(61));
        if at % 3 == 0 {
            site.run().await;
            site.store.cut_power().await;
            all_whole(&site, at).await;
        }
    }
    assert!(at > 5, "{at}");
}

async fn all_whole(site: &Site, at: usize) {
    let caller = site.world.caller(&[]);
    let listed = site.back_up().list(&caller, 100, None).await.unwrap();
    for one in listed.items.iter().filter(|one| one.state == BackupState::Complete) {
        let found = site.back_up().verify(&caller, &one.id, Depth::ReadData).await.unwrap();
        assert_eq!(found.damages, [], "write {at}: {one:?}");
    }
}
