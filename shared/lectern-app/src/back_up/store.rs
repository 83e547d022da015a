//! Where backups are kept.
//!
//! | name | holds |
//! |---|---|
//! | `parts/{tenant}/{sha256}.jsonl.zst` | lines of one kind, compressed; named by the SHA-256 of these very bytes |
//! | `manifests/{tenant}/{backup}.json` | which parts a backup is made of |

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::TenantId,
};
use lectern_tables::backups::BackupId;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt as _, path::Path};
use sha2::{Digest as _, Sha256};
use zstd::{bulk::Compressor, zstd_safe::CParameter};

use crate::blobs::Blobs;

/// Where more effort hardly makes parts smaller: most of their bytes are digits of vectors.
const LEVEL: i32 = 3;

/// One tenant's place in the store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    objects: Arc<dyn ObjectStore>,
    tenant: TenantId,
}

/// A part as it is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) sha256: String,
    pub(super) size_bytes: u64,
    /// Whether it was not there before.
    pub(super) is_new: bool,
}

impl Store {
    pub(super) fn new(backups: &Blobs, tenant: &TenantId) -> Self {
        Self { objects: Arc::clone(&backups.store), tenant: tenant.clone() }
    }

    /// Compresses lines and stores them, unless they are there already.
    pub(super) async fn put_part(&self, lines: Vec<u8>) -> Result<Stored, PortError> {
        let packed = tokio::task::spawn_blocking(move || pack(&lines));
        let packed = packed
            .await
            .map_err(|panic| PortError::new(ErrorKind::Internal, "pack part", panic))?;
        let (sha256, bytes) =
            packed.map_err(|error| PortError::new(ErrorKind::Internal, "pack part", error))?;
        let size_bytes = bytes.len() as u64;
        // One of another size was torn by a store that is no better; it is replaced.
        let is_new = self.part_size(&sha256).await? != Some(size_bytes);
        if is_new {
            let written = self.objects.put(&self.part(&sha256), bytes.into()).await;
            written.map_err(|error| failed("store part", error))?;
        }
        Ok(Stored { sha256, size_bytes, is_new })
    }

    /// Returns a part's size, `None` when it is not there.
    pub(super) async fn part_size(&self, sha256: &str) -> Result<Option<u64>, PortError> {
        match self.objects.head(&self.part(sha256)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("look for part", error)),
        }
    }

    /// Reads a part and returns its bytes' SHA-256 and number, `None` when it is not there. Holds no more of it than arrives
    /// at once.
    pub(super) async fn hash_part(&self, sha256: &str) -> Result<Option<(String, u64)>, PortError> {
        let found = match self.objects.get(&self.part(sha256)).await {
            Ok(found) => found,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed("read part", error)),
        };
        let mut pieces = found.into_stream();
        let (mut digest, mut read) = (Sha256::new(), 0);
        while let Some(piece) =
            pieces.try_next().await.map_err(|error| failed("read part", error))?
        {
            read += piece.len() as u64;
            digest.update(&piece);
        }
        Ok(Some((hex::encode(digest.finalize()), read)))
    }

    pub(super) async fn put_manifest(&self, id: &BackupId, bytes: Bytes) -> Result<(), PortError> {
        let written = self.objects.put(&self.manifest(id), bytes.into()).await;
        written.map(|_| ()).map_err(|error| failed("store manifest", error))
    }

    /// Returns a manifest's bytes, `None` when it is not there.
    pub(super) async fn manifest_bytes(&self, id: &BackupId) -> Result<Option<Bytes>, PortError> {
        let operation = "read manifest";
        match self.objects.get(&self.manifest(id)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(|error| failed(operation, error)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(operation, error)),
        }
    }

    fn part(&self, sha256: &str) -> Path {
        Path::from_iter(["parts", self.tenant.as_str(), &format!("{sha256}.jsonl.zst")])
    }

    fn manifest(&self, id: &BackupId) -> Path {
        Path::from_iter(["manifests", self.tenant.as_str(), &format!("{id}.json")])
    }
}

/// Compresses lines with the format's own checksum, so that `zstd --test` finds damage too; returns the SHA-256 of the
/// result with it.
fn pack(lines: &[u8]) -> std::io::Result<(String, Bytes)> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    let packed = compressor.compress(lines)?;
    Ok((hex::encode(Sha256::digest(&packed)), packed.into()))
}

fn failed(operation: &'static str, error: StoreError) -> PortError {
    let kind = match &error {
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            ErrorKind::Unauthenticated
        }
        _ => ErrorKind::Unavailable,
    };
    PortError::new(kind, operation, error)
}
