//! Files as they were uploaded: small ones stand in parts, larger ones are copied once each, whatever they are named and
//! however often they are there.

use lectern_core::{document::DocumentVersion, errors::PortError};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::{
    BackUp,
    document::found,
    parts::Partition,
    records::{FileContent, FileLine, Kind, OriginalLine},
    store::Store,
    upload::Upload,
};
use crate::blobs::BlobName;

/// Bytes of a file that are in memory at once. S3 takes no smaller piece than 5 MiB.
const PIECE_BYTES: u64 = 8 << 20;

impl BackUp {
    /// Copies the file a version was made from and writes its line; returns whether it was there with the bytes it had.
    pub(super) async fn copy_original(
        &self,
        partition: &mut Partition,
        version: &DocumentVersion,
    ) -> Result<bool, PortError> {
        let Some(store) = partition.store().cloned() else {
            return self.has_original(version).await;
        };
        let is_whole = if version.size_bytes <= self.limits.inline_bytes {
            self.copy_inline(partition, version).await?
        } else if store.has_file(&version.sha256, version.size_bytes).await? {
            partition.push(Kind::Original, &OriginalLine::of(version)).await?;
            true
        } else if self.copy_file(&store, version).await? {
            partition.state.new_bytes += version.size_bytes;
            partition.push(Kind::Original, &OriginalLine::of(version)).await?;
            true
        } else {
            false
        };
        if !is_whole {
            warn!(document.id = %version.document_id, version = version.version, "a file as uploaded is lost or has other bytes");
        }
        Ok(is_whole)
    }

    async fn copy_inline(
        &self,
        partition: &mut Partition,
        version: &DocumentVersion,
    ) -> Result<bool, PortError> {
        let whole = found(self.blobs.get_small(&raw(version), version.size_bytes).await)?;
        let Some((_, Some(bytes))) = whole else { return Ok(false) };
        if hex::encode(Sha256::digest(&bytes)) != version.sha256 {
            return Ok(false);
        }
        let (file, content) = (OriginalLine::of(version), FileContent::of(&bytes));
        partition.push(Kind::File, &FileLine { file, content }).await?;
        Ok(true)
    }

    async fn has_original(&self, version: &DocumentVersion) -> Result<bool, PortError> {
        let size = found(self.blobs.size(&raw(version)).await)?;
        Ok(size == Some(version.size_bytes))
    }

    async fn copy_file(&self, store: &Store, version: &DocumentVersion) -> Result<bool, PortError> {
        let (name, place) = (raw(version), store.file(&version.sha256));
        let whole = found(self.blobs.get_small(&name, PIECE_BYTES).await)?;
        let Some((size_bytes, whole)) = whole else { return Ok(false) };
        if let Some(bytes) = whole {
            if hex::encode(Sha256::digest(&bytes)) != version.sha256 {
                return Ok(false);
            }
            store.put(&place, bytes).await?;
            return Ok(true);
        }

        let mut upload = Upload::begin(store, &place).await?;
        let (mut digest, mut start) = (Sha256::new(), 0);
        while start < size_bytes {
            let end = size_bytes.min(start + PIECE_BYTES);
            let piece = match found(self.blobs.range(&name, start..end).await) {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(error) => {
                    upload.abort().await;
                    return Err(error);
                }
            };
            digest.update(&piece);
            if let Err(error) = upload.push(piece).await {
                upload.abort().await;
                return Err(error);
            }
            start = end;
        }
        let is_whole = hex::encode(digest.finalize()) == version.sha256;
        if !is_whole {
            upload.abort().await;
            return Ok(false);
        }
        upload.finish().await?;
        Ok(true)
    }
}

fn raw(version: &DocumentVersion) -> BlobName {
    BlobName::raw(&version.tenant, &version.document_id, &version.sha256)
}
