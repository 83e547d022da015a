//! Restorations: what comes back, what nobody sees before, and what is refused.

mod random;
mod switching;

use std::time::Duration;

use lectern_app::{
    ask::Asked,
    back_up::{Backup, BackupState, manifest::SCHEMA},
    restore::{Restoration, RestoreState},
};
use lectern_core::{document::DocumentState, ports::EmbeddingModel};
use object_store::ObjectStoreExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    back_up::{
        TINY,
        failing::Fate,
        site::{LONG, Site},
    },
    world::{ask, question, text},
};

impl Site {
    /// Restores a backup beside what is live.
    pub(crate) async fn restored(&self, backup: &Backup) -> Restoration {
        self.restore().restore(&self.world.caller(&[]), &backup.id, LONG).await.unwrap()
    }

    /// Restores a backup and makes it live; returns the same place as callers see it then.
    pub(crate) async fn switched(&self, backup: &Backup) -> (Self, Restoration) {
        let restored = self.restored(backup).await;
        let caller = self.world.caller(&[]);
        let live = self.restore().switch(&caller, &restored.id).await.unwrap();
        (self.of(live.target().as_str()).await, live)
    }
}

#[tokio::test]
async fn what_was_backed_up_comes_back_and_answers_the_same() {
    let mut site = Site::new().await;
    site.limits = TINY;
    site.world.set(json!({"language": "eng"})).await;
    for number in 0..60 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let long = "پشتیبان 😀 ".repeat(20_000);
    site.add(&long, &["team:blue"]).await;
    let gone = site.add(&text("otter", 7), &["*"]).await;
    let caller = site.world.caller(&["team:blue"]);
    let before = ask(&site.world.process(), &caller, &question("otter")).await;
    let backup = site.run().await;
    site.delete(&gone).await;
    site.add(&text("marten", 8), &["*"]).await;

    let plan = site.restore().plan(&caller, &backup.id).await.unwrap();
    assert_eq!((plan.same, plan.changed, plan.added, plan.removed), (61, 0, 1, 1));
    assert_eq!((plan.counts, plan.embeds), (backup.counts, false));

    let restored = site.restored(&backup).await;
    assert_eq!((restored.state, restored.counts), (RestoreState::Ready, backup.counts));
    // Nobody sees it yet.
    let answer = ask(&site.world.process(), &caller, &question("otter")).await;
    assert!(answer.answer.is_refused());
    let (after, _) = {
        let live = site.restore().switch(&site.world.caller(&[]), &restored.id).await.unwrap();
        (site.of(live.target().as_str()).await, live)
    };
    let caller = after.world.caller(&["team:blue"]);
    let again = ask(&after.world.process(), &caller, &question("otter")).await;
    // Passages of equal score stand in the order of ids, which differ; how sure an answer is depends a little on those beside it.
    let told = |asked: &Asked| {
        let mut answer = serde_json::to_value(&asked.answer).unwrap();
        let confidence = answer.as_object_mut().unwrap().remove("confidence");
        (answer, confidence.unwrap().as_f64().unwrap())
    };
    let ((now, sure_now), (then, sure_then)) = (told(&again), told(&before));
    assert_eq!(now, then);
    assert!((sure_now - sure_then).abs() < 1e-3, "{sure_now} {sure_then}");
    assert!(ask(&after.world.process(), &caller, &question("marten")).await.answer.is_refused());

    // A backup of what was restored is the same backup.
    let second = after.run().await;
    assert_eq!(second.state_digest, backup.state_digest);
    assert_eq!((second.digest, second.new_parts), (backup.digest, 0));
}

#[tokio::test]
async fn what_waited_for_a_worker_waits_again_and_only_when_it_is_live() {
    let site = Site::new().await;
    let live = site.add(&text("heron", 1), &["*"]).await;
    let (_, second) = site.world.accept(Some(&live), &text("heron", 2), &["*"]).await;
    let backup = site.run().await;
    let restored = site.restored(&backup).await;
    let target = restored.target();
    let tables = &site.world.tables;
    let pending = async || {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page =
                tables.versions().pending(site.world.now(), 100, cursor.as_deref()).await.unwrap();
            found.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return found;
            }
        }
    };
    assert!(pending().await.iter().all(|job| job.tenant != target));
    site.restore().switch(&site.world.caller(&[]), &restored.id).await.unwrap();
    let of_it: Vec<_> = pending().await.into_iter().filter(|job| job.tenant == target).collect();
    assert_eq!(of_it.len(), 1);
    let version = tables.versions().get(&target, &live, second).await.unwrap().unwrap();
    assert_eq!((version.state, version.attempts), (DocumentState::Queued, 0));
    let document = tables.documents().get(&target, &live).await.unwrap().unwrap();
    assert_eq!(document.live_version, Some(1));
}

#[tokio::test]
async fn a_restoration_that_was_interrupted_goes_on() {
    let mut site = Site::new().await;
    site.limits = TINY;
    for number in 0..60 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let backup = site.run().await;
    let (restore, caller) = (site.restore(), site.world.caller(&[]));
    let error = restore.restore(&caller, &backup.id, std::time::Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("call it again"), "{error}");
    let left = restore.list(&caller, 10, None).await.unwrap().items;
    assert_eq!(left.iter().map(|one| one.state).collect::<Vec<_>>(), [RestoreState::Running]);
    let restored = site.restored(&backup).await;
    assert_eq!((&restored.id, restored.state), (&left[0].id, RestoreState::Ready));
    assert_eq!(restored.counts, backup.counts);
}

#[tokio::test]
async fn another_model_embeds_anew() {
    let site = Site::new().await;
    for number in 0..20 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let mut back_up = site.back_up();
    back_up.model = Some(EmbeddingModel { id: "another".into(), dimensions: 64 });
    let backup = back_up.run(&site.world.tenant, LONG).await.unwrap();
    let plan = site.restore().plan(&site.world.caller(&[]), &backup.id).await.unwrap();
    assert!(plan.embeds);
    let restored = site.restored(&backup).await;
    assert_eq!((restored.state, restored.embedded), (RestoreState::Ready, 20));
}

#[tokio::test]
async fn a_newer_backup_and_a_damaged_one_are_refused_and_leave_nothing() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let backup = site.run().await;
    let caller = site.world.caller(&[]);

    // As a newer release would write it: another number, and fields this one does not know.
    let mut manifest: Value = serde_json::to_value(site.manifest(&backup).await).unwrap();
    manifest["schema"] = json!(SCHEMA + 1);
    manifest["cut"] = json!("somewhere else");
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let mut newer = backup.clone();
    newer.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    newer.manifest_sha256 = Some(hex::encode(Sha256::digest(&bytes)));
    site.kept.put(&site.manifest_path(&newer), bytes.into()).await.unwrap();
    site.world.tables.backups().adopt(&newer).await.unwrap();
    let error = site.restore().restore(&caller, &newer.id, LONG).await.unwrap_err();
    assert!(error.to_string().contains("newer release"), "{error}");

    let part = &site.manifest(&backup).await.parts[2];
    let path = site.part_path(&part.sha256);
    let mut bytes = site.kept.get(&path).await.unwrap().bytes().await.unwrap().to_vec();
    bytes[3] ^= 4;
    site.kept.put(&path, bytes.into()).await.unwrap();
    let error = site.restore().restore(&caller, &backup.id, LONG).await.unwrap_err();
    assert!(error.to_string().contains("has other bytes"), "{error}");
    let ended = site.restore().list(&caller, 10, None).await.unwrap().items;
    assert!(ended.iter().all(|one| one.state == RestoreState::Failed), "{ended:?}");
    for one in ended {
        let left = site.world.tables.documents().every(&one.target(), 100, None).await.unwrap();
        assert!(left.0.is_empty());
    }
}

#[tokio::test]
async fn a_backup_without_files_is_restored_without_them() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let mut back_up = site.back_up();
    back_up.originals = false;
    let backup = back_up.run(&site.world.tenant, LONG).await.unwrap();
    assert_eq!((backup.counts.originals, backup.counts.missing_originals), (0, 0));
    let restored = site.restored(&backup).await;
    assert_eq!((restored.state, restored.counts), (RestoreState::Ready, backup.counts));
}

#[tokio::test]
async fn a_backup_of_the_first_schema_is_restored() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let mut back_up = site.back_up();
    back_up.originals = false;
    let backup = back_up.run(&site.world.tenant, LONG).await.unwrap();
    let mut manifest: Value = serde_json::to_value(site.manifest(&backup).await).unwrap();
    let fields = manifest.as_object_mut().unwrap();
    fields.insert("schema".into(), json!(1));
    fields.retain(|name, _| name != "state_digest" && name != "originals");
    let counts = fields["counts"].as_object_mut().unwrap();
    counts.retain(|name, _| !name.contains("original") && name != "keys");
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let mut older = backup.clone();
    older.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    older.manifest_sha256 = Some(hex::encode(Sha256::digest(&bytes)));
    site.kept.put(&site.manifest_path(&older), bytes.into()).await.unwrap();
    site.world.tables.backups().adopt(&older).await.unwrap();
    let restored = site.restored(&older).await;
    assert_eq!((restored.state, restored.counts), (RestoreState::Ready, backup.counts));
}

#[tokio::test]
async fn one_at_a_time_writes_a_restoration() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let backup = site.run().await;
    let (restore, caller) = (site.restore(), site.world.caller(&[]));
    let left = restore.restore_or_leave(&caller, &backup.id, Duration::ZERO).await.unwrap();
    assert_eq!(left.state, RestoreState::Running);

    // Somebody else goes on with it, and may take a minute.
    let restores = site.world.tables.restores();
    let until = site.world.now() + Duration::from_secs(60);
    restores.lease(&left, until).await.unwrap();
    assert!(restores.lease(&left, until).await.is_err(), "it was taken since it was read");
    let refused = restore.restore(&caller, &backup.id, LONG).await.unwrap_err().to_string();
    assert!(refused.contains("somebody else is restoring it"), "{refused}");
    let waiting = restore.restore_or_leave(&caller, &backup.id, LONG).await.unwrap();
    assert_eq!((waiting.state, &waiting.id), (RestoreState::Running, &left.id));
    let later = || std::time::Instant::now() + LONG;
    let round = restore.go_on(later()).await.unwrap();
    assert_eq!((round.done, round.unfinished, round.failed), (0, 1, 0));

    // Where one process alone has the data, the next one need not wait.
    restore.take_over(&caller.tenant).await.unwrap();
    restores.lease(&restore.show(&caller, &left.id).await.unwrap(), until).await.unwrap();

    // It died. The schedule goes on where it was.
    site.world.pass(Duration::from_secs(61));
    let round = restore.go_on(later()).await.unwrap();
    assert_eq!((round.done, round.unfinished, round.failed), (1, 0, 0));
    let ready = restore.show(&caller, &left.id).await.unwrap();
    assert_eq!((ready.state, ready.counts), (RestoreState::Ready, backup.counts));
}

#[tokio::test]
async fn a_backup_that_was_left_does_not_go_on_in_restored_data() {
    let site = Site::new().await;
    let document = site.add(&text("heron", 1), &["*"]).await;
    let first = site.run().await;
    site.world.pass(LONG);
    site.change(&document, &text("heron", 2)).await;
    site.store.judge(|_, _| Fate::Hangs);
    let (back_up, caller) = (site.back_up(), site.world.caller(&[]));
    let left = back_up.back_up(&caller, Duration::from_millis(300)).await.unwrap();
    assert_eq!(left.state, BackupState::Running);
    site.store.heal();
    let (after, _) = site.switched(&first).await;
    // The second version again, with another content.
    after.change(&document, &text("heron", 3)).await;
    site.world.pass(LONG);
    let next = after.run().await;
    assert_ne!(next.id, left.id);
    let manifest = site.manifest(&next).await;
    assert_eq!(site.text(&manifest, &document).await, text("heron", 3));
    let given_up = back_up.show(&caller, &left.id).await.unwrap();
    assert_eq!(given_up.state, BackupState::Failed);
}

#[tokio::test]
async fn a_table_that_was_lost_finds_its_backups_in_the_store() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let backup = site.run().await;
    let caller = site.world.caller(&[]);
    site.world.tables.backups().remove(&site.world.tenant, &backup.id).await.unwrap();

    let listed = site.back_up().list(&caller, 10, None).await.unwrap().items;
    assert_eq!(listed.len(), 1);
    let found = &listed[0];
    assert_eq!((&found.id, &found.state_digest), (&backup.id, &backup.state_digest));
    assert_eq!((found.counts, found.parts), (backup.counts, backup.parts));
    let restored = site.restored(found).await;
    assert_eq!((restored.state, restored.counts), (RestoreState::Ready, backup.counts));
}
