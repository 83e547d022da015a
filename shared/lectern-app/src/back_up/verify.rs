//! Is a backup still what it was when it was complete?

use std::time::Instant;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use lectern_core::errors::PortError;
use lectern_tables::backups::{Backup, BackupId};
use sha2::{Digest as _, Sha256};

use super::{
    BackUp,
    manifest::{Manifest, SCHEMA, digest},
    parts::Part,
    store::Store,
};

/// Parts looked at, or read, at the same time.
const AT_ONCE: usize = 8;
/// Most damaged parts that are named.
pub const MAX_NAMED: usize = 100;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The manifest is the one that was written, and every part is there with its size.
    Structure,
    /// Every byte of every part is the one that was written, too.
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
    /// It is of a newer version, or nothing that can be read.
    Unreadable,
}

/// A damaged part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its SHA-256, or `manifest`.
    pub part: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The backup.
    pub backup_id: BackupId,
    /// Parts looked at.
    pub parts: u64,
    /// Bytes of parts that were read.
    pub read_bytes: u64,
    /// How many parts are damaged, the manifest counted as one.
    pub damaged: u64,
    /// The first [`MAX_NAMED`] of them.
    pub damages: Vec<Damage>,
    /// How long it took.
    pub took_ms: u64,
}

impl BackUp {
    /// Looks at every part of a complete backup.
    pub(super) async fn look_at(
        &self,
        backup: &Backup,
        depth: Depth,
    ) -> Result<Verification, PortError> {
        let started = Instant::now();
        let store = Store::new(&self.backups, &backup.tenant);
        let (parts, mut damages) = match self.trusted(&store, backup).await? {
            Ok(manifest) => (manifest.parts, Vec::new()),
            Err(fault) => (Vec::new(), vec![Damage { part: "manifest".to_owned(), fault }]),
        };
        let number_of_parts = parts.len() as u64;
        let looks = stream::iter(parts).map(|part| look(&store, part, depth));
        let mut looks = looks.buffered(AT_ONCE);
        let (mut read_bytes, mut damaged) = (0, damages.len() as u64);
        while let Some((read, damage)) = looks.try_next().await? {
            read_bytes += read;
            damaged += u64::from(damage.is_some());
            damages.extend(damage.filter(|_| damages.len() < MAX_NAMED));
        }
        Ok(Verification {
            backup_id: backup.id.clone(),
            parts: number_of_parts,
            read_bytes,
            damaged,
            damages,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Returns the manifest if it is the one the record is about.
    async fn trusted(
        &self,
        store: &Store,
        backup: &Backup,
    ) -> Result<Result<Manifest, Fault>, PortError> {
        let Some(bytes) = store.manifest_bytes(&backup.id).await? else {
            return Ok(Err(Fault::Missing));
        };
        let sha256 = hex::encode(Sha256::digest(&bytes));
        if backup.manifest_sha256.as_ref() != Some(&sha256) {
            return Ok(Err(Fault::WrongBytes));
        }
        let manifest = serde_json::from_slice::<Manifest>(&bytes).ok();
        let is_ours = |manifest: &Manifest| {
            manifest.schema <= SCHEMA && digest(&manifest.parts) == manifest.digest
        };
        Ok(manifest.filter(is_ours).ok_or(Fault::Unreadable))
    }
}

/// Returns how many bytes of a part were read, and what is wrong with it.
async fn look(store: &Store, part: Part, depth: Depth) -> Result<(u64, Option<Damage>), PortError> {
    let Part { sha256, size_bytes, .. } = part;
    let (read, fault) = match depth {
        Depth::Structure => match store.part_size(&sha256).await? {
            None => (0, Some(Fault::Missing)),
            Some(size) => (0, (size != size_bytes).then_some(Fault::WrongSize)),
        },
        Depth::ReadData => match store.hash_part(&sha256).await? {
            None => (0, Some(Fault::Missing)),
            Some((_, read)) if read != size_bytes => (read, Some(Fault::WrongSize)),
            Some((hash, read)) => (read, (hash != sha256).then_some(Fault::WrongBytes)),
        },
    };
    Ok((read, fault.map(|fault| Damage { part: sha256, fault })))
}
