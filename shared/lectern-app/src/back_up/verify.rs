//! Is a backup still what it was when it was complete?

use std::{collections::HashMap, time::Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::BackupId,
};
use lectern_tables::backups::Backup;
use object_store::path::Path;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    BackUp,
    manifest::{Manifest, SCHEMA, digest},
    records::{Kind, OriginalLine},
    store::{Store, failed},
};
use crate::clock::entropy;

/// Parts and files read at the same time.
const AT_ONCE: usize = 8;
/// Most damaged parts that are named.
pub const MAX_NAMED: usize = 100;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The manifest is the one that was written, and every part and file is there with its size.
    Structure,
    /// Every byte of so many percent of the parts and files, others each time, is the one that was written, too.
    ReadSubset(u8),
    /// Every byte of every part and file is the one that was written, too.
    ReadData,
}

/// What is wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It is shorter or longer than it was.
    WrongSize,
    /// It has other bytes.
    WrongBytes,
    /// It is what a newer release wrote.
    Newer,
    /// It is nothing that can be read.
    Unreadable,
    /// It is encrypted, and none of the identities here opens it.
    Sealed,
}

/// A damaged part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The hash in its name, or `manifest`.
    pub part: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The backup.
    pub backup_id: BackupId,
    /// Parts and files looked at.
    pub parts: u64,
    /// Parts and files read.
    pub read_parts: u64,
    /// Bytes that were read.
    pub read_bytes: u64,
    /// How many parts and files are damaged, the manifest counted as one.
    pub damaged: u64,
    /// The first [`MAX_NAMED`] of them.
    pub damages: Vec<Damage>,
    /// How long it took.
    pub took_ms: u64,
}

/// The one field of a manifest that every form has.
#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

/// Something a backup needs.
#[derive(Clone, Debug)]
struct Needed {
    sha256: String,
    size_bytes: u64,
    place: Path,
}

impl BackUp {
    /// Looks at every part and file of a complete backup.
    pub(crate) async fn look_at(
        &self,
        backup: &Backup,
        depth: Depth,
    ) -> Result<Verification, PortError> {
        let started = Instant::now();
        let store = Store::new(&self.backups, &backup.tenant);
        let trusted = self.trusted(&store, backup).await?;
        let opened = trusted.and_then(|manifest| Ok((store.of(&manifest)?, manifest)));
        let (store, needed, mut damages) = match opened {
            Ok((store, manifest)) => {
                let (needed, damages) = needed(&store, &manifest).await?;
                (store, needed, damages)
            }
            Err(fault) => (store, Vec::new(), vec![Damage { part: "manifest".to_owned(), fault }]),
        };
        let (parts, seed) = (needed.len() as u64, entropy());
        let sizes = if needed.is_empty() { HashMap::new() } else { store.sizes().await? };
        let looks = stream::iter(needed).map(|needed| look(&store, &sizes, needed, depth, seed));
        let mut looks = looks.buffered(AT_ONCE);
        let (mut read_parts, mut read_bytes, mut damaged) = (0, 0, damages.len() as u64);
        while let Some((read, damage)) = looks.try_next().await? {
            read_parts += u64::from(read.is_some());
            read_bytes += read.unwrap_or(0);
            damaged += u64::from(damage.is_some());
            damages.extend(damage.filter(|_| damages.len() < MAX_NAMED));
        }
        Ok(Verification {
            backup_id: backup.id.clone(),
            parts,
            read_parts,
            read_bytes,
            damaged,
            damages,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Returns the manifest if it is the one the record is about.
    pub(crate) async fn trusted(
        &self,
        store: &Store,
        backup: &Backup,
    ) -> Result<Result<Manifest, Fault>, PortError> {
        let Some(expected) = &backup.manifest_sha256 else { return Ok(Err(Fault::Missing)) };
        store.trusted_manifest(&backup.id, expected).await
    }
}

impl Store {
    /// Returns a manifest if its bytes have the hash, and are of no newer form.
    pub(crate) async fn trusted_manifest(
        &self,
        id: &BackupId,
        expected: &str,
    ) -> Result<Result<Manifest, Fault>, PortError> {
        let Some(bytes) = self.plain_bytes(&self.manifest(id, expected)).await? else {
            return Ok(Err(Fault::Missing));
        };
        if hex::encode(Sha256::digest(&bytes)) != expected {
            return Ok(Err(Fault::WrongBytes));
        }
        // A newer form may be one that cannot be read, but for the number that says so.
        let schema = serde_json::from_slice::<Schema>(&bytes).ok();
        if schema.is_some_and(|Schema { schema }| schema > SCHEMA) {
            return Ok(Err(Fault::Newer));
        }
        let manifest = serde_json::from_slice::<Manifest>(&bytes).ok();
        let is_sound = |manifest: &Manifest| digest(&manifest.parts) == manifest.digest;
        Ok(manifest.filter(is_sound).ok_or(Fault::Unreadable))
    }

    /// Returns the sizes of all parts and files by place: listing a thousand is one call, asking for them a thousand.
    async fn sizes(&self) -> Result<HashMap<Path, u64>, PortError> {
        let mut sizes = HashMap::new();
        for folder in self.folders() {
            let mut listed = self.objects.list(Some(&folder));
            while let Some(meta) =
                listed.try_next().await.map_err(|error| failed("list backups", error))?
            {
                sizes.insert(meta.location, meta.size);
            }
        }
        Ok(sizes)
    }
}

/// Returns what a backup needs. The files it needs stand in parts; one of those that cannot be read is a damage.
async fn needed(
    store: &Store,
    manifest: &Manifest,
) -> Result<(Vec<Needed>, Vec<Damage>), PortError> {
    let (mut all, mut damages) = (Vec::new(), Vec::new());
    let mut files = HashMap::new();
    for part in &manifest.parts {
        if part.kind == Kind::Original {
            match store.lines(&part.sha256).await {
                Ok(lines) => {
                    let lines = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
                    files.extend(
                        lines.map(|OriginalLine { sha256, size_bytes, .. }| (sha256, size_bytes)),
                    );
                }
                // Where it is missing or damaged, the look at the part says so.
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => {
                    let fault = if error.kind == ErrorKind::NotFound {
                        Fault::Missing
                    } else {
                        Fault::WrongBytes
                    };
                    damages.push(Damage { part: part.sha256.clone(), fault });
                    continue;
                }
                Err(error) => return Err(error),
            }
        }
        let (sha256, place) = (part.sha256.clone(), store.part(&part.sha256));
        all.push(Needed { sha256, size_bytes: part.size_bytes, place });
    }
    for (sha256, size_bytes) in files {
        let place = store.file(&sha256);
        all.push(Needed { sha256, size_bytes, place });
    }
    Ok((all, damages))
}

/// Returns how many bytes of a part or file were read, if any, and what is wrong with it.
async fn look(
    store: &Store,
    sizes: &HashMap<Path, u64>,
    needed: Needed,
    depth: Depth,
    seed: u128,
) -> Result<(Option<u64>, Option<Damage>), PortError> {
    let Needed { sha256, size_bytes, place } = needed;
    let is_read = match depth {
        Depth::Structure => false,
        Depth::ReadSubset(percent) => is_chosen(&sha256, percent, seed),
        Depth::ReadData => true,
    };
    let (read, fault) = match sizes.get(&place) {
        None => (None, Some(Fault::Missing)),
        Some(size) if !store.sizes_of(size_bytes).contains(size) => (None, Some(Fault::WrongSize)),
        Some(_) if !is_read => (None, None),
        Some(_) => match store.hash(&place).await {
            Ok(None) => (None, Some(Fault::Missing)),
            Ok(Some((_, read))) if read != size_bytes => (Some(read), Some(Fault::WrongSize)),
            Ok(Some((hash, read))) => (Some(read), (hash != sha256).then_some(Fault::WrongBytes)),
            Err(error) if error.kind == ErrorKind::Invalid => (None, Some(Fault::WrongBytes)),
            Err(error) => return Err(error),
        },
    };
    Ok((read, fault.map(|fault| Damage { part: sha256, fault })))
}

/// Whether something is among so many percent, which are others with another seed.
fn is_chosen(sha256: &str, percent: u8, seed: u128) -> bool {
    let mut digest = Sha256::new();
    digest.update(seed.to_le_bytes());
    digest.update(sha256);
    let digest = digest.finalize();
    u16::from_le_bytes([digest[0], digest[1]]) % 100 < u16::from(percent)
}
