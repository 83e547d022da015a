//! A deleted document goes from backups, too, and nothing else does.

use std::time::Duration;

use futures::TryStreamExt as _;
use lectern_app::{
    back_up::{Backup, BackupState, verify::Depth},
    errors::FlowError,
    restore::RestoreState,
};
use lectern_core::ids::DocumentId;
use object_store::{ObjectStore as _, ObjectStoreExt as _, path::Path};
use sha2::{Digest as _, Sha256};

use super::{
    TINY,
    failing::Fate,
    sealing::identity,
    site::{LONG, Site},
};
use crate::world::text;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Site {
    async fn erase(&self, id: &DocumentId) -> Result<Vec<String>, FlowError> {
        let erasure = self.back_up().erase(&self.world.caller(&[]), id, LONG).await?;
        Ok(erasure.rewritten.into_iter().map(String::from).collect())
    }

    async fn complete(&self) -> Vec<Backup> {
        let listed = self.back_up().list(&self.world.caller(&[]), 100, None).await.unwrap();
        let complete = |backup: &Backup| backup.state == BackupState::Complete;
        listed.items.into_iter().filter(complete).collect()
    }

    /// Whatever says it is complete can be read to the last byte.
    async fn all_whole(&self) {
        for backup in self.complete().await {
            let caller = self.world.caller(&[]);
            let found = self.back_up().verify(&caller, &backup.id, Depth::ReadData).await.unwrap();
            assert_eq!(found.damages, [], "{backup:?}");
        }
    }

    /// Whether any object of the store says this, unpacked or not.
    async fn says(&self, wanted: &str) -> bool {
        let all = Path::from("");
        let listed: Vec<_> = self.kept.list(Some(&all)).try_collect().await.unwrap();
        for meta in listed {
            let bytes = self.kept.get(&meta.location).await.unwrap().bytes().await.unwrap();
            let bytes = self.opened(&bytes);
            let unpacked = zstd::decode_all(&*bytes).unwrap_or_else(|_| bytes.to_vec());
            let is_manifest = meta.location.as_ref().starts_with("manifests/");
            if !is_manifest && String::from_utf8_lossy(&unpacked).contains(wanted) {
                return true;
            }
        }
        false
    }
}

async fn filled(inline_bytes: u64) -> (Site, DocumentId, DocumentId) {
    fill(Site::new().await, inline_bytes).await
}

async fn fill(mut site: Site, inline_bytes: u64) -> (Site, DocumentId, DocumentId) {
    site.limits = lectern_app::back_up::PartLimits { inline_bytes, ..TINY };
    for number in 0..40 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let secret = site.add("Whoever told was Zephyrine Quillfeather.", &["*"]).await;
    // Another document of the same bytes, for others to see: its file stays.
    let twin = site.add(&text("otter", 1), &["team:blue"]).await;
    (site, secret, twin)
}

#[tokio::test]
async fn an_erased_document_is_in_no_byte_of_any_backup() {
    for (inline_bytes, is_sealed) in [(0, false), (64 << 10, false), (64 << 10, true), (0, true)] {
        let mut site = Site::new().await;
        if is_sealed {
            site = site.sealed(&identity());
        }
        let (site, secret, _) = fill(site, inline_bytes).await;
        let first = site.run().await;
        site.world.pass(DAY);
        site.change(&secret, "Whoever told was Zephyrine Quillfeather, twice.").await;
        let second = site.run().await;
        site.world.pass(DAY);
        let forgotten = site.delete(&secret).await;
        site.world.pass(Duration::from_secs(1));
        let after = site.run().await;
        let named: Vec<_> = forgotten.backups.iter().map(|backup| &backup.id).collect();
        assert_eq!(named, [&second.id, &first.id], "those that were made before");
        let expiries: Vec<_> = forgotten.backups.iter().map(|one| one.expires_at).collect();
        assert_eq!(expiries, [second.begun_at + 30 * DAY, first.begun_at + 30 * DAY].map(Some));
        assert!(site.says("Zephyrine").await);

        let rewritten = site.erase(&secret).await.unwrap();
        assert_eq!(rewritten, [second.id.as_str(), first.id.as_str()]);
        assert!(!site.says("Zephyrine").await);
        assert!(!site.says(secret.as_str()).await);
        let hash = hex::encode(Sha256::digest("Whoever told was Zephyrine Quillfeather."));
        assert!(!site.says(&hash).await);
        site.all_whole().await;
        assert_eq!(site.delete(&secret).await.backups, [], "the receipt says so from now on");

        // What is left is the same moment without it: restored, it has the digest that was worked out.
        let caller = site.world.caller(&[]);
        for (before, number) in [(&first, 0), (&second, 1)] {
            let now = site.back_up().show(&caller, &before.id).await.unwrap();
            assert_eq!(now.counts.documents, before.counts.documents - 1);
            assert_eq!(now.counts.passages, before.counts.passages - 1);
            assert_eq!(now.counts.originals, before.counts.originals - 1);
            assert_eq!((now.is_exact, &now.erased[..]), (before.is_exact, &[secret.clone()][..]));
            assert_ne!((&now.digest, &now.state_digest), (&before.digest, &before.state_digest));
            let restored = site.restored(&now).await;
            assert_eq!(
                (restored.state, restored.counts),
                (RestoreState::Ready, now.counts),
                "{number}"
            );
            site.restore().discard(&caller, &restored.id).await.unwrap();
        }
        let untouched = site.back_up().show(&caller, &after.id).await.unwrap();
        assert_eq!(untouched, after);
        assert_eq!(site.erase(&secret).await.unwrap(), [] as [String; 0], "nothing is left to do");
    }
}

#[tokio::test]
async fn a_file_that_another_document_has_stays() {
    let (site, _, twin) = filled(0).await;
    let same = site.add(&text("otter", 1), &["team:red"]).await;
    assert_ne!(same, twin);
    let backup = site.run().await;
    site.delete(&twin).await;
    assert_eq!(site.erase(&twin).await.unwrap(), [backup.id.as_str()]);
    site.all_whole().await;
    let hash = hex::encode(Sha256::digest(text("otter", 1)));
    let file = Path::from(format!("files/{}/{hash}", site.world.tenant));
    assert!(site.kept.head(&file).await.is_ok());
}

#[tokio::test]
async fn nothing_is_erased_while_it_could_come_back() {
    let (site, secret, _) = filled(0).await;
    let caller = site.world.caller(&[]);
    let backup = site.run().await;
    let refused = async |wanted: &str| {
        let said = site.erase(&secret).await.unwrap_err().to_string();
        assert!(said.contains(wanted), "{said}");
    };
    refused("delete it first").await;
    site.delete(&secret).await;

    let restored = site.restored(&backup).await;
    refused("confirm, undo or discard").await;
    site.restore().discard(&caller, &restored.id).await.unwrap();

    site.store.judge(|_, _| Fate::Hangs);
    site.world.pass(DAY);
    site.back_up().back_up(&caller, Duration::from_millis(300)).await.unwrap();
    site.store.heal();
    refused("is running").await;
    site.back_up().back_up(&caller, LONG).await.unwrap();

    let now = site.world.now();
    let erasures = site.world.tables.erasures();
    assert!(erasures.lock(&site.world.tenant, now, now + DAY).await.unwrap());
    refused("another erasure runs").await;
    let error = site.back_up().run(&site.world.tenant, LONG).await.unwrap_err();
    assert!(lectern_core::errors::chain(&error).contains("being erased"), "{error}");
    // Who died with the right has it no more after its time.
    site.world.pass(2 * DAY);
    assert_eq!(site.erase(&secret).await.unwrap(), [backup.id.as_str()]);
    site.run().await;
    let mut stranger = caller.clone();
    stranger.collections = Some(Default::default());
    let denied = site.back_up().erase(&stranger, &secret, LONG).await;
    assert!(matches!(denied, Err(FlowError::Forbidden(_))), "{denied:?}");
}

#[tokio::test]
async fn an_erasure_that_fails_anywhere_leaves_whole_backups_and_can_be_repeated() {
    for last in [1, 2, 3, 4, 6] {
        let (site, secret, _) = filled(0).await;
        for _ in 0..3 {
            site.run().await;
            site.world.pass(DAY);
            site.add(&text("marten", last), &["*"]).await;
        }
        site.delete(&secret).await;
        site.store.judge(move |number, _| if number < last { Fate::Written } else { Fate::Failed });
        let failed = site.erase(&secret).await;
        site.store.heal();
        site.all_whole().await;
        assert_eq!(site.complete().await.len(), 3);
        let rewritten = site.erase(&secret).await.unwrap();
        assert!(failed.is_ok() || !rewritten.is_empty(), "{last}");
        site.all_whole().await;
        assert!(!site.says("Zephyrine").await);
    }
}
