//! Backups that are encrypted before they leave.

use std::time::Duration;

use futures::TryStreamExt as _;
use lectern_app::{
    back_up::{
        Backup, BackupState, PartLimits,
        verify::{Damage, Depth, Fault},
    },
    blobs::BlobName,
    errors::FlowError,
    restore::RestoreState,
};
use lectern_core::retention::Retention;
use object_store::{ObjectStore as _, ObjectStoreExt as _, path::Path};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::{
    TINY,
    site::{LONG, Site},
};
use crate::world::text;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Larger than the pieces in which files are copied.
const LARGE: usize = 9 << 20;

/// Returns an identity as `age-keygen` makes it.
pub(crate) fn identity() -> String {
    age::x25519::Identity::generate().to_string().expose_secret().to_owned()
}

async fn filled(identity: &str) -> Site {
    let mut site = Site::new().await.sealed(identity);
    site.limits = PartLimits { inline_bytes: 20, checkpoint_bytes: 1 << 10, ..TINY };
    for number in 0..30 {
        site.add(&text("heron", number), &["*"]).await;
    }
    site
}

/// Accepts a file of many pieces that no worker took.
async fn add_large(site: &Site) {
    let large = "heron ".repeat(LARGE / 6);
    let (id, _) = site.world.accept(None, &large, &["*"]).await;
    let hash = hex::encode(Sha256::digest(&large));
    let name = BlobName::raw(&site.world.tenant, &id, &hash);
    site.blobs.put(&name, large.into()).await.unwrap();
}

async fn look(site: &Site, backup: &Backup, depth: Depth) -> Vec<Damage> {
    let caller = site.world.caller(&[]);
    site.back_up().verify(&caller, &backup.id, depth).await.unwrap().damages
}

async fn names(site: &Site) -> Vec<String> {
    let listed: Vec<_> = site.kept.list(None).try_collect().await.unwrap();
    listed.into_iter().map(|meta| meta.location.to_string()).collect()
}

#[tokio::test]
async fn what_is_encrypted_says_nothing_and_comes_back() {
    let site = filled(&identity()).await;
    add_large(&site).await;
    // Left in between: a checkpoint has texts, too.
    let caller = site.world.caller(&[]);
    let left = site.back_up().run(&site.world.tenant, Duration::ZERO).await.unwrap();
    let backup = site.run().await;
    assert_eq!((backup.state, &backup.id), (BackupState::Complete, &left.id));
    for name in names(&site).await {
        let bytes = site.kept.get(&Path::from(name.as_str())).await.unwrap().bytes().await.unwrap();
        if name.starts_with("manifests/") {
            assert!(!String::from_utf8_lossy(&bytes).contains("heron"));
        } else {
            assert!(name.ends_with(".age"), "{name}");
            assert!(bytes.starts_with(b"age-encryption.org/v1\n"), "{name}");
        }
    }
    assert_eq!(look(&site, &backup, Depth::Structure).await, []);
    assert_eq!(look(&site, &backup, Depth::ReadData).await, []);

    let again = site.run().await;
    assert_eq!(
        (again.new_parts, again.new_bytes),
        (0, 0),
        "what did not change is not stored again"
    );
    let restored = site.restore().restore(&caller, &backup.id, LONG).await.unwrap();
    assert_eq!((restored.state, restored.counts), (RestoreState::Ready, backup.counts));
}

#[tokio::test]
async fn who_has_not_the_identity_reads_nothing_and_removes_nothing() {
    let site = filled(&identity()).await;
    let backup = site.run().await;
    let caller = site.world.caller(&[]);
    let before = names(&site).await;
    let same = || site.of(site.world.tenant.as_str());
    let blind = Site { seal: None, ..same().await };
    for other in [blind, same().await.sealed(&identity())] {
        let sealed = Damage { part: "manifest".to_owned(), fault: Fault::Sealed };
        assert_eq!(look(&other, &backup, Depth::Structure).await, [sealed]);
        let refused = other.restore().restore(&caller, &backup.id, LONG).await.unwrap_err();
        assert!(refused.to_string().contains("LECTERN_BACKUP_IDENTITY"), "{refused}");
        let pruned = other.back_up().prune(&caller, &Retention::none(), false).await;
        assert!(matches!(pruned, Err(FlowError::Conflict(_))), "{pruned:?}");
        assert_eq!(names(&other).await, before);
    }
}

#[tokio::test]
async fn an_identity_is_changed_without_losing_what_the_old_one_opens() {
    let (first, second) = (identity(), identity());
    let plain = Site { seal: None, ..filled(&first).await };
    let unsealed = plain.run().await;
    plain.world.pass(DAY);

    // Encrypted from now on: all is stored again, and what is there can be read.
    let site = plain.of(plain.world.tenant.as_str()).await.sealed(&first);
    let old = site.run().await;
    assert_eq!((old.new_parts, old.digest.as_ref()), (old.parts, unsealed.digest.as_ref()));
    // The next one comes while all that was stored is young, and needs not be stored again.
    site.world.pass(Duration::from_secs(1));
    let both = site.of(site.world.tenant.as_str()).await.sealed(&format!("{second}\n{first}\n"));
    let new = both.run().await;
    assert_eq!((new.new_parts, new.digest.as_ref()), (new.parts, old.digest.as_ref()));
    for backup in [&unsealed, &old, &new] {
        assert_eq!(look(&both, backup, Depth::ReadData).await, []);
    }

    // When the old ones are pruned, the old identity opens nothing any more.
    both.world.pass(3 * DAY);
    let caller = both.world.caller(&[]);
    let pruned = both.back_up().prune(&caller, &Retention::none(), false).await.unwrap();
    assert_eq!(pruned.removed, [old.id, unsealed.id]);
    let only_new = both.of(both.world.tenant.as_str()).await.sealed(&second);
    assert_eq!(look(&only_new, &new, Depth::ReadData).await, []);
    let restored = only_new.restore().restore(&caller, &new.id, LONG).await.unwrap();
    assert_eq!(restored.counts, new.counts);
}
