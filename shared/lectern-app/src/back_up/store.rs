//! Where backups are kept.
//!
//! `names` says under which names.
//!
//! What the newest complete backup has, or what was stored within [`FRESH`], is not stored again. Anything else is, even where
//! it lies already: it may be what is left of a backup that was pruned, and [`super::prune`] removes what nobody stored lately.

use std::{collections::HashSet, io, ops::RangeInclusive, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::TryStreamExt as _;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::{BackupId, TenantId},
    time::Timestamp,
};
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt as _, path::Path};
use sha2::{Digest as _, Sha256};

use super::{
    manifest::Manifest,
    pack::{packed, unpacked},
    records::Kind,
    seal::{Seal, Unopened, sealed_sizes},
    verify::Fault,
};
use crate::blobs::Barrier;

/// Effort for records.
pub(crate) const LEVEL: i32 = 3;
/// Effort for what is most of a backup: more takes twice the time. It makes passages, most of whose bytes are vectors, hardly
/// smaller, and texts by a tenth.
const LEVEL_OF_CONTENT: i32 = 1;
/// How young something is that nobody removes while a backup runs: the time [`super::prune`] leaves it, less the time a backup
/// may take.
pub(crate) const FRESH: Duration = Duration::from_secs(4 * 60 * 60);

/// Where backups of all tenants are kept, and by whom they can be read.
#[derive(Clone, Debug)]
pub struct BackupStore {
    /// Where they are.
    pub objects: Arc<dyn ObjectStore>,
    /// Encrypts new backups and decrypts those that are; `None` where they are as they are.
    pub seal: Option<Arc<Seal>>,
    /// Makes what was stored stay, where writes alone do not.
    pub barrier: Option<Arc<dyn Barrier>>,
}

/// One tenant's place in the store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// What can be decrypted, if anything.
    opens: Option<Arc<Seal>>,
    barrier: Option<Arc<dyn Barrier>>,
    /// What parts, files and checkpoints are encrypted with, if they are.
    pub(super) seal: Option<Arc<Seal>>,
    pub(super) tenant: TenantId,
    /// Hashes of the parts and files that a kept backup has.
    kept: Arc<HashSet<String>>,
    /// What was stored since needs not be stored again either, where it stays.
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
    pub(crate) fn new(backups: &BackupStore, tenant: &TenantId) -> Self {
        let BackupStore { objects, seal, barrier } = backups.clone();
        let (tenant, kept) = (tenant.account(), Arc::default());
        Self { objects, opens: seal.clone(), seal, barrier, tenant, kept, fresh_since: None }
    }

    /// Returns the same place as the parts of a backup are in it: encrypted, or not.
    ///
    /// # Errors
    /// [`Fault::Sealed`] when they were encrypted for somebody else.
    pub(crate) fn of(&self, manifest: &Manifest) -> Result<Self, Fault> {
        let seal = match &manifest.sealed_for {
            None => None,
            Some(recipient) => {
                let seal = self.opens.as_ref().and_then(|seal| seal.of(recipient));
                Some(Arc::new(seal.ok_or(Fault::Sealed)?))
            }
        };
        Ok(Self { seal, ..self.clone() })
    }

    /// Returns the same place, in which what has one of these hashes, or was stored since, is not stored again.
    pub(crate) fn keeping(self, kept: HashSet<String>, fresh_since: Timestamp) -> Self {
        Self { kept: Arc::new(kept), fresh_since: Some(fresh_since), ..self }
    }

    /// Compresses lines and stores them, unless a kept backup has them.
    pub(crate) async fn put_part(&self, kind: Kind, lines: String) -> Result<Stored, PortError> {
        let is_content = matches!(kind, Kind::Passage | Kind::Text | Kind::File);
        let level = if is_content { LEVEL_OF_CONTENT } else { LEVEL };
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
        // Where writes alone do not stay, what is young may have a name and a size, and other bytes.
        let fresh_since = self.fresh_since.filter(|_| self.barrier.is_none());
        let is_fresh = fresh_since.is_some_and(|since| Timestamp::from_millis(stored) >= since);
        let has_size = self.sizes_of(size_bytes).contains(&meta.size);
        Ok(has_size && (is_fresh || self.kept.contains(sha256)))
    }

    /// Returns how many bytes so many may be where they lie.
    pub(super) fn sizes_of(&self, size_bytes: u64) -> RangeInclusive<u64> {
        match self.seal {
            Some(_) => sealed_sizes(size_bytes),
            None => size_bytes..=size_bytes,
        }
    }

    /// Stores a part, a file or a checkpoint, replacing what was there.
    pub(crate) async fn put(&self, place: &Path, bytes: Bytes) -> Result<(), PortError> {
        let Some(seal) = self.seal.clone() else { return self.put_plain(place, bytes).await };
        let sealed = tokio::task::spawn_blocking(move || seal.seal(&bytes)).await;
        let internal = |error| PortError::new(ErrorKind::Internal, "encrypt backup", error);
        let sealed = sealed.map_err(io::Error::other).flatten().map_err(internal)?;
        self.put_plain(place, sealed).await
    }

    async fn put_plain(&self, place: &Path, bytes: Bytes) -> Result<(), PortError> {
        let written = self.objects.put(place, bytes.into()).await;
        written.map(|_| ()).map_err(|error| failed("store backup", error))
    }

    /// Reads a part or file and returns its bytes' SHA-256 and number, `None` when nothing lies there. Holds no more of it than
    /// arrives at once.
    ///
    /// # Errors
    /// `Invalid` when it is not what was encrypted.
    pub(crate) async fn hash(&self, place: &Path) -> Result<Option<(String, u64)>, PortError> {
        let found = match self.objects.get(place).await {
            Ok(found) => found,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed("read backup", error)),
        };
        let mut pieces = found.into_stream();
        if let Some(seal) = &self.seal {
            let sealed = pieces.map_err(io::Error::other).into_async_read();
            return seal.hash(sealed).await.map(Some).map_err(unopened);
        }
        let (mut digest, mut read) = (Sha256::new(), 0);
        while let Some(piece) =
            pieces.try_next().await.map_err(|error| failed("read backup", error))?
        {
            read += piece.len() as u64;
            digest.update(&piece);
        }
        Ok(Some((hex::encode(digest.finalize()), read)))
    }

    /// Returns the bytes of a part, a file or a checkpoint, `None` when nothing lies there.
    ///
    /// # Errors
    /// `Invalid` when it is not what was encrypted.
    pub(crate) async fn bytes(&self, place: &Path) -> Result<Option<Bytes>, PortError> {
        let bytes = self.plain_bytes(place).await?;
        let (Some(sealed), Some(seal)) = (&bytes, &self.seal) else { return Ok(bytes) };
        let (sealed, seal) = (sealed.clone(), Arc::clone(seal));
        let opened = tokio::task::spawn_blocking(move || seal.open(&sealed)).await;
        let opened =
            opened.map_err(|panic| PortError::new(ErrorKind::Internal, "decrypt backup", panic))?;
        opened.map(Some).map_err(unopened)
    }

    /// Returns the bytes that lie there, as they lie there.
    pub(super) async fn plain_bytes(&self, place: &Path) -> Result<Option<Bytes>, PortError> {
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

    /// Stores a manifest under a name that has its hash, and returns the hash. All that was stored before stays before it is
    /// there, and it does when this returns.
    pub(crate) async fn put_manifest(
        &self,
        id: &BackupId,
        bytes: Bytes,
    ) -> Result<String, PortError> {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        self.sync().await?;
        self.put_plain(&self.manifest(id, &sha256), bytes).await?;
        self.sync().await?;
        Ok(sha256)
    }

    /// Returns when all that was stored, or removed, before stays so.
    pub(super) async fn sync(&self) -> Result<(), PortError> {
        match &self.barrier {
            Some(barrier) => barrier.sync().await,
            None => Ok(()),
        }
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

fn unopened(error: Unopened) -> PortError {
    let kind = match &error {
        Unopened::Damaged(_) => ErrorKind::Invalid,
        Unopened::Read(_) => ErrorKind::Unavailable,
    };
    PortError::new(kind, "decrypt backup", error)
}
