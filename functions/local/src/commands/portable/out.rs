//! `lectern export`: a collection becomes a folder.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use lectern_app::{
    errors::FlowError,
    export::{Content, Export},
};
use lectern_core::{
    auth::Caller,
    document::{Document, Version},
    ids::CollectionId,
};
use serde::Serialize;

use super::{
    at, here,
    lines::{CollectionFile, DocumentLine, PassageLine, SCHEMA},
};
use crate::{failure::Failure, output::Output, session::Session};

const EXPORTING: &str = "exporting {wide_bar} {pos}/{len} documents, {eta} left";
/// Characters of a document's name that its file's name keeps: with four bytes each they fit what file systems take.
const NAME_CHARS: usize = 56;

/// Writes a collection to `folder`, which must be empty or not be there.
///
/// # Errors
/// When the data is elsewhere, there is no such collection, or the folder cannot be written.
pub(crate) async fn export(
    session: &Session,
    collection: &CollectionId,
    folder: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let local = here(session)?;
    let back_up = &local.back_up;
    let export = Export {
        tables: back_up.tables.clone(),
        blobs: back_up.blobs.clone(),
        reader: std::sync::Arc::clone(&back_up.reader),
    };
    let caller = Caller::operator(local.tenant.clone());
    let found = export.collection(&caller, collection).await?;
    let bar = output.progress(found.document_count, EXPORTING);
    let mut target = Folder::new(folder)?;
    let mut cursor = None;
    loop {
        let (page, next) = export.documents(&caller, collection, cursor.as_ref()).await?;
        for (document, version) in page {
            target.document(&export, document, version).await?;
            bar.inc(1);
        }
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    bar.finish_and_clear();
    let file = CollectionFile {
        schema: SCHEMA,
        id: found.id,
        name: found.name,
        settings: found.settings,
        embedding_model: back_up.model.as_ref().map(|model| model.id.clone()),
        documents: target.documents,
        passages: target.passages,
        exported_at: back_up.clock.now().to_rfc3339(),
    };
    target.close(&file)?;
    if output.is_json() {
        return Ok(output.json(&file)?);
    }
    Ok(output.line(format_args!(
        "{} documents, {} passages of `{collection}` in {}",
        file.documents,
        file.passages,
        folder.display()
    ))?)
}

/// A folder being written.
struct Folder<'path> {
    path: &'path Path,
    document_lines: BufWriter<File>,
    passage_lines: BufWriter<File>,
    documents: u64,
    passages: u64,
}

impl<'path> Folder<'path> {
    fn new(path: &'path Path) -> Result<Self, Failure> {
        fs::create_dir_all(path).map_err(at(path))?;
        if fs::read_dir(path).map_err(at(path))?.next().is_some() {
            let reason = format!("{} is not empty: name a new folder", path.display());
            return Err(Failure::Usage(reason));
        }
        for folder in ["files", "texts"] {
            fs::create_dir(path.join(folder)).map_err(at(path))?;
        }
        let create = |name: &str| File::create(path.join(name)).map_err(at(path));
        Ok(Self {
            path,
            document_lines: BufWriter::new(create("documents.jsonl")?),
            passage_lines: BufWriter::new(create("passages.jsonl")?),
            documents: 0,
            passages: 0,
        })
    }

    async fn document(
        &mut self,
        export: &Export,
        document: Document,
        version: Version,
    ) -> Result<(), Failure> {
        self.documents += 1;
        let content = export.content(&document, version).await.map_err(FlowError::from)?;
        let Content { original, text } = content;
        let name = format!("{:06}-{}", self.documents, file_name(&document.name));
        let mut line = DocumentLine::of(document.clone(), version);
        let written = |folder: &str, name: String, bytes: Option<bytes::Bytes>| {
            let Some(bytes) = bytes else { return Ok(None) };
            let relative = format!("{folder}/{name}");
            let path = self.path.join(&relative);
            fs::write(&path, &bytes).map_err(at(&path))?;
            Ok::<_, Failure>(Some(relative))
        };
        line.file = written("files", name.clone(), original)?;
        line.text = written("texts", format!("{name}.txt"), text)?;
        let mut from = None;
        let mut passages: Vec<PassageLine> = Vec::new();
        loop {
            let (page, next) =
                export.passages(&document, version, from).await.map_err(FlowError::from)?;
            passages.extend(page.into_iter().map(PassageLine::from));
            from = next;
            if from.is_none() {
                break;
            }
        }
        passages.sort_by_key(|passage| passage.ordinal);
        for passage in &passages {
            json_line(&mut self.passage_lines, passage).map_err(at(self.path))?;
        }
        line.passages = passages.len() as u64;
        self.passages += line.passages;
        json_line(&mut self.document_lines, &line).map_err(at(self.path))
    }

    /// Brings everything to the disk, then says that it is whole.
    fn close(self, file: &CollectionFile) -> Result<(), Failure> {
        let at = at(self.path);
        for lines in [self.document_lines, self.passage_lines] {
            let file = lines.into_inner().map_err(|error| at(error.into_error()))?;
            file.sync_all().map_err(&at)?;
        }
        let bytes = serde_json::to_vec_pretty(file).map_err(|error| at(error.into()))?;
        fs::write(self.path.join("collection.json"), bytes).map_err(&at)
    }
}

fn json_line<T: Serialize>(lines: &mut BufWriter<File>, line: &T) -> std::io::Result<()> {
    serde_json::to_writer(&mut *lines, line)?;
    lines.write_all(b"\n")
}

/// Returns a name that every file system takes, with the ending it had.
fn file_name(name: &str) -> String {
    let kept = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let safe: Vec<char> =
        name.chars().map(|letter| if kept(letter) { letter } else { '_' }).collect();
    safe[safe.len().saturating_sub(NAME_CHARS)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_stay_inside_the_folder() {
        assert_eq!(file_name("backup.md"), "backup.md");
        assert_eq!(file_name("../../etc/passwd"), ".._.._etc_passwd");
        assert_eq!(file_name("پشتیبان نسخه.pdf"), "پشتیبان_نسخه.pdf");
        assert_eq!(file_name(&format!("{}.pdf", "a".repeat(300))).chars().count(), NAME_CHARS);
    }
}
