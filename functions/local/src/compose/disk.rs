//! Files and backups on the disk, which stay there through a power cut.
//!
//! A file that arrives is on the disk before somebody is told that it was accepted. Of a backup or a restoration, thousands of
//! small files at once, each alone need not be: the filesystem is told once, before anybody is told that they are there.

use std::{path::Path, sync::Arc};

use lectern_app::{
    back_up::BackupStore,
    blobs::{Barrier, Blobs, Bulk},
};
use lectern_core::errors::{ErrorKind, PortError};
use object_store::{ObjectStore, local::LocalFileSystem};

/// Returns the store of files in a directory, and the same for who writes many.
pub(super) fn files(directory: &Path) -> Result<(Blobs, Option<Bulk>), PortError> {
    let bulk = barrier(directory).map(|barrier| {
        let blobs = Blobs::new(opened(directory, false)?, None);
        Ok::<_, PortError>(Bulk { blobs, barrier })
    });
    let blobs = Blobs::new(opened(directory, true)?, None);
    Ok((blobs, bulk.transpose()?))
}

/// Returns the store of backups in a directory.
pub(super) fn backups(directory: &Path) -> Result<BackupStore, PortError> {
    let barrier = barrier(directory);
    let objects = opened(directory, barrier.is_none())?;
    Ok(BackupStore { objects, seal: None, barrier })
}

fn opened(directory: &Path, each_stays: bool) -> Result<Arc<dyn ObjectStore>, PortError> {
    let store = LocalFileSystem::new_with_prefix(directory)
        .map_err(|error| PortError::new(ErrorKind::Unavailable, "open blobs", error))?;
    Ok(Arc::new(store.with_fsync(each_stays)))
}

/// Returns what makes all files of the directory's filesystem stay, `None` where only each file can be told to.
fn barrier(directory: &Path) -> Option<Arc<dyn Barrier>> {
    #[cfg(target_os = "linux")]
    return Some(Arc::new(linux::Disk(directory.to_owned())));
    #[cfg(not(target_os = "linux"))]
    {
        let _ = directory;
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs::File, path::PathBuf};

    use async_trait::async_trait;
    use lectern_app::blobs::Barrier;
    use lectern_core::errors::{ErrorKind, PortError};

    const OPERATION: &str = "sync files";

    /// The filesystem that a directory is on.
    #[derive(Debug)]
    pub(super) struct Disk(pub(super) PathBuf);

    #[async_trait]
    impl Barrier for Disk {
        /// `syncfs(2)`: since Linux 5.8 it also fails when something could not be written since it was asked last.
        async fn sync(&self) -> Result<(), PortError> {
            let directory = self.0.clone();
            let synced = tokio::task::spawn_blocking(move || {
                rustix::fs::syncfs(File::open(directory)?).map_err(std::io::Error::from)
            });
            let synced = synced
                .await
                .map_err(|panic| PortError::new(ErrorKind::Internal, OPERATION, panic))?;
            synced.map_err(|error| PortError::new(ErrorKind::Unavailable, OPERATION, error))
        }
    }
}
