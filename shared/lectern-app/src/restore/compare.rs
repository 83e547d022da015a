//! Is what was restored what the backup is of? It is read the way a backup is made, and its digest compared.

use std::time::Duration;

use lectern_tables::{backups::BackupCounts, restores::Restoration};

use super::{Restore, RestoreError};
use crate::back_up::{BackUpError, State, manifest::Manifest};

/// The first schema whose lines are those of today.
const DIGESTS_SINCE: u32 = 5;
/// Longest time a comparison may take; what it is of is as large as a backup of it.
const LONGEST: Duration = Duration::from_secs(20 * 60 * 60);

impl Restore {
    pub(super) async fn compare(
        &self,
        manifest: &Manifest,
        restoration: &mut Restoration,
    ) -> Result<(), RestoreError> {
        let (target, originals) = (restoration.target(), manifest.originals);
        let state = self.back_up.state_of(&target, originals, LONGEST).await;
        let State { counts, digest } = state.map_err(|error| match error {
            BackUpError::Port(error) => RestoreError::Port(error),
            BackUpError::OutOfTime => RestoreError::OutOfTime,
        })?;
        let expected = BackupCounts { keys: 0, ..manifest.counts };
        let keys = restoration.counts.keys;
        restoration.counts = BackupCounts { keys, ..counts };
        let found = BackupCounts { keys: 0, ..counts };
        if expected != found {
            let reason = format!("{found:?} instead of {expected:?}");
            return Err(RestoreError::Different(reason));
        }
        // Vectors made anew are others; older schemas have digests of lines in another form, or none.
        let is_comparable = self.has_same_model(manifest.embedding_model.as_ref())
            && manifest.schema >= DIGESTS_SINCE;
        match &manifest.state_digest {
            Some(expected) if is_comparable && *expected != digest => {
                Err(RestoreError::Different(format!("digest {digest} instead of {expected}")))
            }
            _ => Ok(()),
        }
    }
}
