//! What no backup needs is removed.

use std::{collections::HashSet, time::Duration};

use futures::TryStreamExt as _;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::BackupId,
    time::Timestamp,
};
use object_store::{Error as StoreError, ObjectMeta, ObjectStoreExt as _, path::Path};
use tracing::warn;

use super::{
    BackUp,
    records::{Kind, OriginalLine},
    store::{Store, failed},
};

const OPERATION: &str = "prune backups";

/// What was, or would be, removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// Parts, files and checkpoints.
    pub(super) objects: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Those that the store holds on to.
    pub(super) locked: u64,
}

impl BackUp {
    /// Returns the places of everything a backup needs.
    pub(super) async fn needed_by(
        &self,
        store: &Store,
        id: &BackupId,
        sha256: &str,
    ) -> Result<HashSet<Path>, PortError> {
        let unreadable = || {
            let reason = format!(
                "the backup {id} is kept and cannot be read, so that nothing is removed; `lectern backup verify {id}` says what is wrong with it"
            );
            PortError::new(ErrorKind::Conflict, OPERATION, reason)
        };
        let manifest = store.trusted_manifest(id, sha256).await?.map_err(|_| unreadable())?;
        let store = &store.of(&manifest).map_err(|_| unreadable())?;
        let mut needed = HashSet::new();
        for part in manifest.parts {
            if part.kind == Kind::Original {
                let lines = store.lines(&part.sha256).await.map_err(|error| match error.kind {
                    ErrorKind::NotFound | ErrorKind::Invalid => unreadable(),
                    _ => error,
                })?;
                let files = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
                needed.extend(files.map(|line: OriginalLine| store.file(&line.sha256)));
            }
            needed.insert(store.part(&part.sha256));
        }
        Ok(needed)
    }

    /// Removes parts, files and checkpoints that nobody needs and nobody stored for as long as `grace`.
    pub(super) async fn sweep(
        &self,
        store: &Store,
        needed: &HashSet<Path>,
        grace: Duration,
        is_dry_run: bool,
    ) -> Result<Swept, PortError> {
        let (now, mut swept) = (self.clock.now(), Swept::default());
        for folder in store.folders() {
            let listed = store.objects.list(Some(&folder));
            let garbage = listed.try_filter(|meta| {
                let is_old = grace.is_zero() || age(meta, now) > grace;
                std::future::ready(is_old && !needed.contains(&meta.location))
            });
            // All of them, and never while their listing is read: some stores list what was there before.
            let garbage: Vec<ObjectMeta> =
                garbage.try_collect().await.map_err(|error| failed(OPERATION, error))?;
            for meta in garbage {
                swept.objects += 1;
                swept.bytes += meta.size;
                if !is_dry_run && !store.let_go(&meta.location).await? {
                    swept.locked += 1;
                }
            }
        }
        Ok(swept)
    }
}

impl Store {
    /// Removes an object; returns whether the store let it go. Object Lock holds on to it for its time.
    pub(super) async fn let_go(&self, place: &Path) -> Result<bool, PortError> {
        match self.objects.delete(place).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(true),
            Err(StoreError::PermissionDenied { .. }) => {
                warn!("the store holds on to an object that no backup needs");
                Ok(false)
            }
            Err(error) => Err(failed(OPERATION, error)),
        }
    }
}

fn age(meta: &ObjectMeta, now: Timestamp) -> Duration {
    let stored = u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or(0);
    now.since(Timestamp::from_millis(stored))
}
