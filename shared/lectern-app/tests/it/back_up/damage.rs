//! What is lost or changed in the store is found and named.

use lectern_app::back_up::{
    Backup,
    verify::{Damage, Depth, Fault, Verification},
};
use object_store::{ObjectStoreExt as _, path::Path};

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
    assert_eq!((structure.damaged, structure.parts), (0, backup.parts));
    assert_eq!(structure.read_bytes, 0);
    let data = site.look(&backup, Depth::ReadData).await;
    assert_eq!((data.damaged, data.read_bytes), (0, backup.size_bytes));
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
        assert_eq!(site.look(&backup, Depth::Structure).await.damaged, 0);
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
