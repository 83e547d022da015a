//! What is lost or changed in the store is found and named.

use std::collections::BTreeSet;

use lectern_app::back_up::{
    Backup,
    records::{Kind, OriginalLine},
    verify::{Damage, Depth, Fault, Verification},
};
use object_store::{ObjectStoreExt as _, path::Path};
use sha2::{Digest as _, Sha256};

use super::{TINY, site::Site};
use crate::world::text;

async fn backed_up() -> (Site, Backup) {
    let mut site = Site::new().await;
    site.limits = TINY;
    for number in 0..30 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let backup = site.run().await;
    (site, backup)
}

impl Site {
    async fn look(&self, backup: &Backup, depth: Depth) -> Verification {
        self.back_up().verify(&self.world.caller(&[]), &backup.id, depth).await.unwrap()
    }

    async fn bytes(&self, path: &Path) -> Vec<u8> {
        self.kept.get(path).await.unwrap().bytes().await.unwrap().to_vec()
    }
}

fn only(part: &str, fault: Fault) -> Vec<Damage> {
    vec![Damage { part: part.to_owned(), fault }]
}

#[tokio::test]
async fn a_whole_backup_is_whole() {
    let (site, backup) = backed_up().await;
    let structure = site.look(&backup, Depth::Structure).await;
    assert_eq!((structure.damaged, structure.parts), (0, backup.parts + backup.counts.originals));
    assert_eq!(structure.read_bytes, 0);
    let data = site.look(&backup, Depth::ReadData).await;
    let all = backup.size_bytes + backup.counts.original_bytes;
    assert_eq!((data.damaged, data.read_bytes), (0, all));
    let some = site.look(&backup, Depth::ReadSubset(50)).await;
    assert!(some.damaged == 0 && (1..structure.parts).contains(&some.read_parts), "{some:?}");
}

#[tokio::test]
async fn a_flipped_bit_is_found_by_reading_and_only_by_reading() {
    let (site, backup) = backed_up().await;
    for part in site.manifest(&backup).await.parts {
        let path = site.part_path(&part.sha256);
        let whole = site.bytes(&path).await;
        let middle = whole.len() / 2;
        for place in [0, middle, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 8);
            site.kept.put(&path, flipped.into()).await.unwrap();
            let found = site.look(&backup, Depth::ReadData).await;
            assert_eq!(found.damages, only(&part.sha256, Fault::WrongBytes), "byte {place}");
        }
        // Parts that say which files there are have to be read to look for those.
        let found = u64::from(part.kind == Kind::Original);
        assert_eq!(site.look(&backup, Depth::Structure).await.damaged, found);
        site.kept.put(&path, whole.into()).await.unwrap();
    }
    assert_eq!(site.look(&backup, Depth::ReadData).await.damaged, 0);
}

#[tokio::test]
async fn a_missing_or_cut_part_is_found_without_reading() {
    let (site, backup) = backed_up().await;
    let parts = site.manifest(&backup).await.parts;
    let (gone, cut) = (&parts[1], &parts[4]);
    site.kept.delete(&site.part_path(&gone.sha256)).await.unwrap();
    let short = site.bytes(&site.part_path(&cut.sha256)).await;
    let short = short[..short.len() - 1].to_vec();
    site.kept.put(&site.part_path(&cut.sha256), short.into()).await.unwrap();

    for depth in [Depth::Structure, Depth::ReadData] {
        let found = site.look(&backup, depth).await;
        let expected = [only(&gone.sha256, Fault::Missing), only(&cut.sha256, Fault::WrongSize)];
        assert_eq!((found.damaged, found.damages), (2, expected.concat()), "{depth:?}");
    }
    // The next backup stores them again, which mends this one.
    assert_eq!(site.run().await.new_parts, 2);
    assert_eq!(site.look(&backup, Depth::ReadData).await.damaged, 0);
}

#[tokio::test]
async fn another_manifest_is_found() {
    let (site, backup) = backed_up().await;
    let path = site.manifest_path(&backup);
    let whole = site.bytes(&path).await;
    for place in (0..whole.len()).step_by(97) {
        let mut flipped = whole.clone();
        flipped[place] ^= 1;
        site.kept.put(&path, flipped.into()).await.unwrap();
        let found = site.look(&backup, Depth::Structure).await;
        assert_eq!(found.damages, only("manifest", Fault::WrongBytes), "byte {place}");
    }
    site.kept.delete(&path).await.unwrap();
    let found = site.look(&backup, Depth::Structure).await;
    assert_eq!((found.damaged, found.damages), (1, only("manifest", Fault::Missing)));
}

/// Samples of single-byte corruption.
const SAMPLES: u64 = 1_000;

/// Returns a number below `most`, another for every `seed` and `salt`.
fn below(most: usize, seed: u64, salt: u8) -> usize {
    let mut digest = Sha256::new();
    digest.update(seed.to_le_bytes());
    digest.update([salt]);
    let bytes: [u8; 8] = digest.finalize()[..8].try_into().unwrap();
    usize::try_from(u64::from_le_bytes(bytes) % most as u64).unwrap()
}

#[tokio::test]
async fn every_single_byte_that_changes_anywhere_is_found_and_named() {
    change_bytes(backed_up().await, SAMPLES).await;
}

#[tokio::test]
async fn every_single_byte_that_changes_in_what_is_encrypted_is_found_and_named() {
    let (site, _) = backed_up().await;
    let site = site.sealed(&super::sealing::identity());
    let backup = site.run().await;
    // Fewer: to open a part takes as long as to look at ten.
    change_bytes((site, backup), SAMPLES / 10).await;
}

async fn change_bytes((site, backup): (Site, Backup), samples: u64) {
    let manifest = site.manifest(&backup).await;
    let mut places = vec![(site.manifest_path(&backup), "manifest".to_owned())];
    for part in &manifest.parts {
        places.push((site.part_path(&part.sha256), part.sha256.clone()));
    }
    for line in site.lines_as::<OriginalLine>(&manifest, Kind::Original).await {
        places.push((site.file_path(&line.sha256), line.sha256));
    }
    // Every byte of all of them is as likely as any other.
    let mut bytes = Vec::new();
    for (path, name) in &places {
        let whole = site.bytes(path).await;
        bytes.extend((0..whole.len()).map(|byte| (path, name, byte)));
    }
    for seed in 0..samples {
        let (path, name, byte) = bytes[below(bytes.len(), seed, 0)];
        let whole = site.bytes(path).await;
        let mut damaged = whole.clone();
        damaged[byte] ^= u8::try_from(1 + below(255, seed, 1)).unwrap();
        site.kept.put(path, damaged.into()).await.unwrap();
        let found = site.look(&backup, Depth::ReadData).await;
        let named: BTreeSet<&str> = found.damages.iter().map(|damage| &*damage.part).collect();
        assert_eq!(named, BTreeSet::from([&**name]), "byte {byte}, seed {seed}");
        site.kept.put(path, whole.into()).await.unwrap();
    }
    assert_eq!(site.look(&backup, Depth::ReadData).await.damaged, 0);
}
