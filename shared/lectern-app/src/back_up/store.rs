//! Where backups are kept.
//!
//! | name | holds |
//! |---|---|
//! | `parts/{tenant}/{sha256}.jsonl.zst` | lines of one kind, compressed; named by the SHA-256 of these very bytes |
//! | `files/{tenant}/{sha256}` | a file as it was uploaded |
//! | `manifests/{tenant}/{backup}-{sha256}.json` | which parts a backup is made of; the hash is of these very bytes, so that a store alone says whether they are what was written |
//! | `checkpoints/{tenant}/{backup}.json.zst` | how far a backup is that runs, or was killed |
//!
//! `{tenant}` is the account, whatever incarnation of its data was backed up.
//!
//! What the newest complete backup has, or what was stored within [`FRESH`], is not stored again. Anything else is, even where
//! it lies already: it may be what is left of a backup that was pruned, and [`super::prune`] removes what nobody stored lately.

use std::{collections::HashSet, io::Read as _, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::TryStreamExt as _;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{BackupId, TenantId},
    time::Timestamp,
};
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt as _, path::Path};
use sha2::{Digest as _, Sha256};
use zstd::{bulk::Compressor, stream::read::Decoder, zstd_safe::CParameter};

use super::records::Kind;
use crate::blobs::Blobs;

/// Effort for texts and records.
pub(crate) const LEVEL: i32 = 3;
/// Effort for passages. More takes twice the time and makes them hardly smaller: most of their bytes are vectors.
const LEVEL_OF_PASSAGES: i32 = 1;
/// Most bytes of a part's lines. Larger ones are never written: a part holds [`super::PartLimits::max_bytes`] and one line.
const MAX_PART_BYTES: u64 = 64 << 20;
/// How young something is that nobody removes while a backup runs: the time [`super::prune`] leaves it, less the time a backup
/// may take.
pub(crate) const FRESH: Duration = Duration::from_secs(4 * 60 * 60);
const PARTS: &str = "parts";
const FILES: &str = "files";
const CHECKPOINTS: &str = "checkpoints";

/// One tenant's place in the store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    tenant: TenantId,
    /// Hashes of the parts and files that a kept backup has.
    kept: Arc<HashSet<String>>,
    /// What was stored since needs not be stored again either.
    fresh_since: Option<Timestamp>,
}

/// A part as it is stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
    /// Whether it had to be stored.
    pub(crate) is_new: bool,
}

impl Store {
    pub(crate) fn new(backups: &Blobs, tenant: &TenantId) -> Self {
        let objects = Arc::clone(&backups.store);
        Self { objects, tenant: tenant.account(), kept: Arc::default(), fresh_since: None }
    }

    /// Returns the same place, in which what has one of these hashes, or was stored since, is not stored again.
    pub(crate) fn keeping(self, kept: HashSet<String>, fresh_since: Timestamp) -> Self {
        Self { kept: Arc::new(kept), fresh_since: Some(fresh_since), ..self }
    }

    /// Compresses lines and stores them, unless a kept backup has them.
    pub(crate) async fn put_part(&self, kind: Kind, lines: String) -> Result<Stored, PortError> {
        let level = if kind == Kind::Passage { LEVEL_OF_PASSAGES } else { LEVEL };
        let (sha256, bytes) = packed(lines, level).await?;
        let size_bytes = bytes.len() as u64;
        let is_kept = self.is_kept(&sha256, &self.part(&sha256), size_bytes).await?;
        if !is_kept {
            self.put(&self.part(&sha256), bytes).await?;
        }
        Ok(Stored { sha256, size_bytes, is_new: !is_kept })
    }

    /// Returns whether a kept backup has the file.
    pub(crate) async fn has_file(&self, sha256: &str, size_bytes: u64) -> Result<bool, PortError> {
        self.is_kept(sha256, &self.file(sha256), size_bytes).await
    }

    /// Whether something lies there and will stay. What is lost, or of another size, is stored again, which mends it.
    async fn is_kept(
        &self,
        sha256: &str,
        place: &Path,
        size_bytes: u64,
    ) -> Result<bool, PortError> {
        let meta = match self.objects.head(place).await {
            Ok(meta) => meta,
            Err(StoreError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(failed("look into backup", error)),
        };
        let stored = u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or(0);
        let is_fresh =
            self.fresh_since.is_some_and(|since| Timestamp::from_millis(stored) >= since);
        Ok(meta.size == size_bytes && (is_fresh || self.kept.contains(sha256)))
    }

    /// Stores bytes, replacing what was there.
    pub(crate) async fn put(&self, place: &Path, bytes: Bytes) -> Result<(), PortError> {
        let written = self.objects.put(place, bytes.into()).await;
        written.map(|_| ()).map_err(|error| failed("store backup", error))
    }

    /// Reads what lies there and returns its bytes' SHA-256 and number, `None` when nothing does. Holds no more of it than
    /// arrives at once.
    pub(crate) async fn hash(&self, place: &Path) -> Result<Option<(String, u64)>, PortError> {
        let found = match self.objects.get(place).await {
            Ok(found) => found,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed("read backup", error)),
        };
        let mut pieces = found.into_stream();
        let (mut digest, mut read) = (Sha256::new(), 0);
        while let Some(piece) =
            pieces.try_next().await.map_err(|error| failed("read backup", error))?
        {
            read += piece.len() as u64;
            digest.update(&piece);
        }
        Ok(Some((hex::encode(digest.finalize()), read)))
    }

    /// Returns the bytes that lie there, `None` when nothing does.
    pub(crate) async fn bytes(&self, place: &Path) -> Result<Option<Bytes>, PortError> {
        match self.objects.get(place).await {
            Ok(found) => {
                found.bytes().await.map(Some).map_err(|error| failed("read backup", error))
            }
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("read backup", error)),
        }
    }

    /// Removes what lies there; where nothing does, that is fine.
    pub(crate) async fn delete(&self, place: &Path) -> Result<(), PortError> {
        match self.objects.delete(place).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("remove backup", error)),
        }
    }

    /// Returns the lines of a part whose bytes are those its name says.
    ///
    /// # Errors
    /// `NotFound` when it is not there, `Invalid` when it is damaged or unpacks to more than [`MAX_PART_BYTES`].
    pub(crate) async fn lines(&self, sha256: &str) -> Result<String, PortError> {
        let operation = "read part";
        let found = self.bytes(&self.part(sha256)).await?;
        let bytes = found.ok_or_else(|| {
            PortError::new(ErrorKind::NotFound, operation, format!("part {sha256} is missing"))
        })?;
        let expected = sha256.to_owned();
        let lines = tokio::task::spawn_blocking(move || unpacked(&bytes, &expected)).await;
        let lines = lines.map_err(|panic| PortError::new(ErrorKind::Internal, operation, panic))?;
        lines.map_err(|error| PortError::new(ErrorKind::Invalid, operation, error))
    }

    /// Stores a manifest under a name that has its hash, and returns the hash.
    pub(crate) async fn put_manifest(
        &self,
        id: &BackupId,
        bytes: Bytes,
    ) -> Result<String, PortError> {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        self.put(&self.manifest(id, &sha256), bytes).await?;
        Ok(sha256)
    }

    /// Returns the manifests that are there, by backup and hash.
    pub(crate) async fn manifests(&self) -> Result<Vec<(BackupId, String)>, PortError> {
        let prefix = Path::from_iter(["manifests", self.tenant.as_str()]);
        let listed: Result<Vec<_>, _> = self.objects.list(Some(&prefix)).try_collect().await;
        let listed = listed.map_err(|error| failed("list backups", error))?;
        let parsed = listed.iter().filter_map(|meta| {
            let (id, sha256) = meta.location.filename()?.strip_suffix(".json")?.split_once('-')?;
            Some((id.parse().ok()?, sha256.to_owned()))
        });
        Ok(parsed.collect())
    }

    pub(crate) fn part(&self, sha256: &str) -> Path {
        Path::from_iter([PARTS, self.tenant.as_str(), &format!("{sha256}.jsonl.zst")])
    }

    pub(crate) fn file(&self, sha256: &str) -> Path {
        Path::from_iter([FILES, self.tenant.as_str(), sha256])
    }

    pub(crate) fn manifest(&self, id: &BackupId, sha256: &str) -> Path {
        Path::from_iter(["manifests", self.tenant.as_str(), &format!("{id}-{sha256}.json")])
    }

    pub(crate) fn checkpoint(&self, id: &BackupId) -> Path {
        Path::from_iter([CHECKPOINTS, self.tenant.as_str(), &format!("{id}.json.zst")])
    }

    /// Returns where parts, files and checkpoints are, for who removes those that nobody needs.
    pub(crate) fn folders(&self) -> [Path; 3] {
        [PARTS, FILES, CHECKPOINTS].map(|folder| Path::from_iter([folder, self.tenant.as_str()]))
    }
}

/// Compresses text and returns the SHA-256 of the result with it.
async fn packed(text: String, level: i32) -> Result<(String, Bytes), PortError> {
    let packed = tokio::task::spawn_blocking(move || pack(text.as_bytes(), level)).await;
    let packed = packed.map_err(|panic| PortError::new(ErrorKind::Internal, "pack part", panic))?;
    packed.map_err(|error| PortError::new(ErrorKind::Internal, "pack part", error))
}

/// Compresses lines with the format's own checksum, so that `zstd --test` finds damage too; returns the SHA-256 of the
/// result with it.
fn pack(lines: &[u8], level: i32) -> std::io::Result<(String, Bytes)> {
    let mut compressor = Compressor::new(level)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    let packed = compressor.compress(lines)?;
    Ok((hex::encode(Sha256::digest(&packed)), packed.into()))
}

/// Returns the text that was packed, if these are the bytes of that hash.
fn unpacked(bytes: &[u8], sha256: &str) -> std::io::Result<String> {
    if hex::encode(Sha256::digest(bytes)) != sha256 {
        return Err(std::io::Error::other(format!("part {sha256} has other bytes")));
    }
    let mut text = String::new();
    let read = Decoder::new(bytes)?.take(MAX_PART_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_PART_BYTES {
        return Err(std::io::Error::other(format!("part {sha256} unpacks to too much")));
    }
    Ok(text)
}

pub(crate) fn failed(operation: &'static str, error: StoreError) -> PortError {
    let kind = match &error {
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            ErrorKind::Unauthenticated
        }
        _ => ErrorKind::Unavailable,
    };
    PortError::new(kind, operation, error)
}
