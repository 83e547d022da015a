//! A file that is too large to be in memory at once is stored in pieces, encrypted on the way where backups are.

use std::io;

use bytes::Bytes;
use lectern_core::errors::{ErrorKind, PortError};
use object_store::{MultipartUpload, ObjectStoreExt as _, path::Path};

use super::{
    seal::Sealing,
    store::{Store, failed},
};

/// A file on its way into the store.
pub(super) struct Upload {
    upload: Box<dyn MultipartUpload>,
    sealing: Option<Sealing>,
}

impl Upload {
    /// Begins one. Nothing is there before it ends.
    pub(super) async fn begin(store: &Store, place: &Path) -> Result<Self, PortError> {
        let sealing = store.seal.as_ref().map(|seal| seal.sealing()).transpose();
        let sealing = sealing.map_err(unsealed)?;
        let upload = store.objects.put_multipart(place).await;
        Ok(Self { upload: upload.map_err(|error| failed("store backup", error))?, sealing })
    }

    /// Stores the next piece. All but the last have the least size that the store takes.
    pub(super) async fn push(&mut self, piece: Bytes) -> Result<(), PortError> {
        let piece = match &mut self.sealing {
            None => piece,
            Some(sealing) => {
                sealing.write_all(&piece).map_err(unsealed)?;
                sealing.take()
            }
        };
        self.put(piece).await
    }

    /// Ends it: now it is there.
    pub(super) async fn finish(mut self) -> Result<(), PortError> {
        if let Some(sealing) = self.sealing.take() {
            self.put(sealing.finish().map_err(unsealed)?).await?;
        }
        self.upload.complete().await.map_err(|error| failed("store backup", error))?;
        Ok(())
    }

    /// Gives it up. The store forgets it in time where this fails, too.
    pub(super) async fn abort(mut self) {
        self.upload.abort().await.ok();
    }

    async fn put(&mut self, piece: Bytes) -> Result<(), PortError> {
        let stored = self.upload.put_part(piece.into()).await;
        stored.map_err(|error| failed("store backup", error))
    }
}

fn unsealed(error: io::Error) -> PortError {
    PortError::new(ErrorKind::Internal, "encrypt backup", error)
}
