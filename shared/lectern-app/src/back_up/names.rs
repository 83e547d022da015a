//! Under which names backups are kept.
//!
//! | name | holds |
//! |---|---|
//! | `parts/{tenant}/{sha256}.jsonl.zst` | lines of one kind, compressed; named by the SHA-256 of these very bytes |
//! | `files/{tenant}/{sha256}` | a file as it was uploaded |
//! | `manifests/{tenant}/{backup}-{sha256}.json` | which parts a backup is made of; the hash is of these very bytes, so that a store alone says whether they are what was written |
//! | `checkpoints/{tenant}/{backup}.json.zst` | how far a backup is that runs, or was killed |
//!
//! Where backups are encrypted (`seal`), names of parts, files and checkpoints end with `.{recipient}.age`, too, the first eight
//! hexadecimal digits of the SHA-256 of the recipient.
//!
//! `{tenant}` is the account, whatever incarnation of its data was backed up.

use lectern_core::ids::BackupId;
use object_store::path::Path;

use super::store::Store;

const PARTS: &str = "parts";
const FILES: &str = "files";
const CHECKPOINTS: &str = "checkpoints";

impl Store {
    pub(crate) fn part(&self, sha256: &str) -> Path {
        self.place(PARTS, format!("{sha256}.jsonl.zst"))
    }

    pub(crate) fn file(&self, sha256: &str) -> Path {
        self.place(FILES, sha256.to_owned())
    }

    pub(crate) fn manifest(&self, id: &BackupId, sha256: &str) -> Path {
        Path::from_iter(["manifests", self.tenant.as_str(), &format!("{id}-{sha256}.json")])
    }

    pub(crate) fn checkpoint(&self, id: &BackupId) -> Path {
        self.place(CHECKPOINTS, format!("{id}.json.zst"))
    }

    fn place(&self, folder: &str, mut name: String) -> Path {
        if let Some(seal) = &self.seal {
            name.push_str(&seal.ending());
        }
        Path::from_iter([folder, self.tenant.as_str(), &name])
    }

    /// Returns where parts, files and checkpoints are, for who removes those that nobody needs.
    pub(crate) fn folders(&self) -> [Path; 3] {
        [PARTS, FILES, CHECKPOINTS].map(|folder| Path::from_iter([folder, self.tenant.as_str()]))
    }
}
