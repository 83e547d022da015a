//! Which files the model consists of, and whether a directory holds them.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use lectern_core::errors::{ErrorKind, PortError};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A file whose bytes are known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnedFile {
    /// Its name at every source: `model.safetensors`.
    pub name: &'static str,
    /// Its exact length.
    pub size_bytes: u64,
    /// The SHA-256 of its bytes, 64 lower-case hex digits.
    pub sha256: &'static str,
}

/// The weights as `sentence-transformers/all-MiniLM-L6-v2` publishes them: f32, safetensors.
pub const WEIGHTS: PinnedFile = PinnedFile {
    name: "model.safetensors",
    size_bytes: 90_868_376,
    sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
};

/// The WordPiece vocabulary, one entry a line, of BERT base uncased.
pub const VOCABULARY: PinnedFile = PinnedFile {
    name: "vocab.txt",
    size_bytes: 231_508,
    sha256: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
};

/// Hex digits of the digest that an installed file's name carries.
const DIGEST_IN_NAME: usize = 16;

/// Why the model cannot be installed or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file is not where it should be.
    #[error("model file `{path}` is missing; `lectern model install` fetches it")]
    Missing {
        /// Where it was expected.
        path: PathBuf,
    },
    /// A file has another length or digest than the published one.
    #[error("model file `{name}` is not the published one: {found} instead of {expected}")]
    Different {
        /// Its name.
        name: &'static str,
        /// What it should have: a length or a digest.
        expected: String,
        /// What it has.
        found: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The weights lack a tensor, or it has another shape.
    #[error("the weights hold no tensor `{0}` of the expected shape")]
    Tensor(String),
    /// The weights are no safetensors file.
    #[error("the weights cannot be read")]
    Weights(#[source] safetensors::SafeTensorError),
    /// The archive is damaged or lacks a file.
    #[error("the archive cannot be read")]
    Archive(#[source] zip::result::ZipError),
    /// The vocabulary lacks an entry every BERT vocabulary has.
    #[error("the vocabulary has no entry `{0}`")]
    Vocabulary(&'static str),
    /// The download failed for good.
    #[error("the download failed after {attempts} attempts")]
    Download {
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server answered with something else than the file.
    #[error("the server answered {0}")]
    Status(u16),
    /// The server sends more than the file can have.
    #[error("the download is larger than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: u64,
    },
    /// The URL or source is not one this installer knows.
    #[error("`{0}` is neither a URL nor an existing path")]
    Source(String),
    /// `pip` is absent, failed or took too long.
    #[error("python3 -m pip download failed: {reason}")]
    Pip {
        /// Its exit status or the time limit.
        reason: String,
    },
    /// A task panicked.
    #[error("the installation stopped half-way")]
    Panicked(#[source] tokio::task::JoinError),
}

impl ModelError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            return Self::Missing { path: path.to_owned() };
        }
        Self::Io { action, path: path.to_owned(), source }
    }
}

impl From<ModelError> for PortError {
    fn from(error: ModelError) -> Self {
        let kind = match error {
            ModelError::Missing { .. } => ErrorKind::NotFound,
            ModelError::Download { .. } => ErrorKind::Unavailable,
            ModelError::Different { .. } | ModelError::Source(_) => ErrorKind::Invalid,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, "open minilm", error)
    }
}

impl PinnedFile {
    /// Returns where the file lies in `directory` once installed. The name carries the digest's first 16
    /// digits: only a verified file ever gets it, so opening needs no second digest of 90 MB.
    #[must_use]
    pub fn path_in(&self, directory: &Path) -> PathBuf {
        let digest = &self.sha256[..DIGEST_IN_NAME];
        let (stem, extension) = self.name.rsplit_once('.').unwrap_or((self.name, "bin"));
        directory.join(format!("{stem}.{digest}.{extension}"))
    }

    /// Returns the bytes of the installed file.
    ///
    /// # Errors
    /// When it is missing, unreadable, or of another length.
    pub(super) fn read_from(&self, directory: &Path) -> Result<Vec<u8>, ModelError> {
        let path = self.path_in(directory);
        let metadata =
            fs::metadata(&path).map_err(|error| ModelError::io("inspect", &path, error))?;
        self.check_size(metadata.len())?;
        fs::read(&path).map_err(|error| ModelError::io("read", &path, error))
    }

    /// Whether `directory` holds the file at its full length.
    #[must_use]
    pub fn is_installed_in(&self, directory: &Path) -> bool {
        fs::metadata(self.path_in(directory)).is_ok_and(|file| file.len() == self.size_bytes)
    }

    pub(super) fn check_size(&self, found: u64) -> Result<(), ModelError> {
        if found == self.size_bytes {
            return Ok(());
        }
        Err(ModelError::Different {
            name: self.name,
            expected: format!("{} bytes", self.size_bytes),
            found: format!("{found} bytes"),
        })
    }

    /// Copies `source` into `directory` if its bytes are the published ones: written beside, synced, then
    /// renamed, so that a crash leaves either the whole file or none. `progress` hears of every piece.
    ///
    /// # Errors
    /// When a length or the digest differs, or the disk refuses.
    pub(super) fn place(
        &self,
        source: impl Read,
        directory: &Path,
        progress: &dyn Fn(u64),
    ) -> Result<PathBuf, ModelError> {
        let target = self.path_in(directory);
        let failed = |error| ModelError::io("write", &target, error);
        let mut copy = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        let mut digest = Sha256::new();
        let mut bounded = source.take(self.size_bytes + 1);
        let mut piece = vec![0_u8; 1 << 20];
        let mut copied = 0_u64;
        loop {
            let length = bounded.read(&mut piece).map_err(failed)?;
            if length == 0 {
                break;
            }
            digest.update(&piece[..length]);
            io::Write::write_all(&mut copy, &piece[..length]).map_err(failed)?;
            copied += length as u64;
            progress(copied);
        }
        self.check_size(copied)?;
        let found = hex::encode(digest.finalize());
        if found != self.sha256 {
            let expected = self.sha256.to_owned();
            return Err(ModelError::Different { name: self.name, expected, found });
        }
        copy.as_file().sync_all().map_err(failed)?;
        copy.persist(&target).map_err(|error| failed(error.error))?;
        Ok(target)
    }
}
