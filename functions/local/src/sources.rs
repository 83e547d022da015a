//! Files and folders given on the command line.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use lectern_core::{ids::DocumentId, time::Timestamp};
use sha2::{Digest as _, Sha256};

/// Most files taken from one command line.
pub(crate) const MAX_FILES: usize = 100_000;

/// A file to ingest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What its document is called: the path as given.
    pub(crate) name: String,
}

impl SourceFile {
    /// Returns the id its document gets: derived from the absolute path, so that a changed file
    /// becomes a new version of the same document.
    pub(crate) fn document_id(&self) -> DocumentId {
        let absolute = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let digest = Sha256::digest(absolute.as_os_str().as_encoded_bytes());
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&digest[..16]);
        let mut moment = [0; 8];
        moment[3..].copy_from_slice(&digest[16..21]);
        DocumentId::new(
            Timestamp::from_millis(u64::from_be_bytes(moment)),
            u128::from_be_bytes(entropy),
        )
    }
}

/// Returns the files at `paths`, folders walked, hidden and ignored files (`.gitignore`) left out, in path order.
///
/// # Errors
/// Names the path that cannot be read, or that there are more than [`MAX_FILES`].
pub(crate) fn files_at(paths: &[PathBuf]) -> Result<Vec<SourceFile>, String> {
    let mut files = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(format!("{}: no such file or folder", path.display()));
        }
        for entry in WalkBuilder::new(path).require_git(false).build() {
            let entry = entry.map_err(|error| error.to_string())?;
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if is_file {
                files.push(source(entry.path()));
            }
            if files.len() > MAX_FILES {
                return Err(format!("more than {MAX_FILES} files; name fewer folders"));
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup();
    Ok(files)
}

/// Returns the file at `path` as a source.
pub(crate) fn source(path: &Path) -> SourceFile {
    let name = path.strip_prefix("./").unwrap_or(path).to_string_lossy().into_owned();
    SourceFile { path: path.to_owned(), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_folders_and_leaves_hidden_and_ignored_files_out() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("b.md", "b"),
            ("sub/a.txt", "a"),
            (".hidden", "h"),
            (".gitignore", "*.log"),
            ("x.log", "x"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = files_at(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> =
            found.iter().map(|file| file.path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["b.md", "a.txt"]);
        assert!(files_at(&[folder.path().join("none")]).is_err());
    }

    #[test]
    fn a_path_always_gets_the_same_id() {
        let one = source(Path::new("docs/a.md"));
        assert_eq!(one.document_id(), source(Path::new("./docs/a.md")).document_id());
        assert_ne!(one.document_id(), source(Path::new("docs/b.md")).document_id());
    }
}
