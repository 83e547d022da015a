//! The files below a folder.

use std::{fs, path::Path};

use super::{GoldenError, MAX_FILES};
use crate::eval::golden::{Content, GoldenDocument};

/// Returns every file below `folder` as a document, hidden ones left out, by name.
pub(super) fn below(folder: &Path) -> Result<Vec<GoldenDocument>, GoldenError> {
    let mut documents = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let unreadable = |source| GoldenError::Unreadable { path: next.clone(), source };
        for entry in fs::read_dir(&next).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            if documents.len() == MAX_FILES {
                return Err(GoldenError::TooManyFiles { path: folder.to_owned() });
            }
            let relative = path.strip_prefix(folder).unwrap_or(&path);
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            documents.push(GoldenDocument { id: parts.join("/"), content: Content::File(path) });
        }
    }
    documents.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(documents)
}
