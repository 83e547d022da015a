//! `lectern import FOLDER`: what `lectern export` wrote becomes a collection again.

use std::{
    fs,
    path::{Component, Path},
};

use bytes::Bytes;
use lectern_app::upload::NewDocument;
use serde::de::DeserializeOwned;

use super::{
    BATCH, Import, Incoming, Tally, at,
    lines::{CollectionFile, DocumentLine, PassageLine, SCHEMA, Vectors},
    reading::JsonLines,
};
use crate::failure::Failure;

const IMPORTING: &str = "importing {wide_bar} {pos}/{len} documents, {eta} left";

impl Import<'_> {
    pub(super) async fn folder(&self, folder: &Path) -> Result<Tally, Failure> {
        let about: CollectionFile = read_json(&folder.join("collection.json"))?;
        if about.schema > SCHEMA {
            let reason = "the folder was written by a newer release of Lectern: install that one";
            return Err(Failure::Failed(reason.into()));
        }
        let takes_vectors = about.embedding_model.as_deref().is_some_and(|id| self.has_model(id));
        if !takes_vectors && about.embedding_model.is_some() {
            self.output.note("its vectors are of another model than the one in use here: passages are embedded anew");
        }
        self.ensure_collection(Some(&about)).await?;

        let bar = self.output.progress(about.documents, IMPORTING);
        let mut documents = JsonLines::open(&folder.join("documents.jsonl"))?;
        let mut passages = PassagesFile::open(folder)?;
        let (mut tally, mut batch) = (Tally::default(), Vec::new());
        while let Some(line) = next_line::<DocumentLine>(&mut documents, folder)? {
            let vectors = passages.vectors(&line, takes_vectors)?;
            batch.push(self.incoming(folder, line, vectors)?);
            if batch.len() == BATCH {
                self.batch(std::mem::take(&mut batch), &mut tally).await?;
                bar.inc(BATCH as u64);
            }
        }
        self.batch(batch, &mut tally).await?;
        bar.finish_and_clear();
        Ok(tally)
    }

    fn incoming(
        &self,
        folder: &Path,
        line: DocumentLine,
        vectors: Vectors,
    ) -> Result<Incoming, Failure> {
        // Where the file was lost, its text is better than nothing.
        let (place, name) = match (&line.file, &line.text) {
            (Some(file), _) => (file, line.name.clone()),
            (None, Some(text)) => (text, format!("{}.txt", line.name)),
            (None, None) => {
                let reason = format!("{}: the export has neither its file nor its text", line.name);
                return Err(Failure::Failed(reason));
            }
        };
        let path = folder.join(inside(place)?);
        let bytes = Bytes::from(fs::read(&path).map_err(at(&path))?);
        let new = NewDocument {
            collection: self.collection.clone(),
            document_id: None,
            new_id: Some(line.id),
            name,
            bytes,
            acl: line.acl,
            metadata: line.metadata,
        };
        Ok(Incoming { new, vectors })
    }

    /// Makes the collection where it is not there, with the settings it had.
    pub(super) async fn ensure_collection(
        &self,
        about: Option<&CollectionFile>,
    ) -> Result<(), Failure> {
        let collections = &self.local.collections;
        match collections.get(&self.caller, self.collection).await {
            Ok(_) => return Ok(()),
            Err(lectern_app::errors::FlowError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let name = about.map_or_else(|| self.collection.to_string(), |about| about.name.clone());
        let settings = about.map(|about| about.settings.clone()).unwrap_or_default();
        collections.create(&self.caller, self.collection, &name, settings).await?;
        self.output.note(format_args!("created the collection `{}`", self.collection));
        Ok(())
    }
}

/// `passages.jsonl`, read along with the documents.
struct PassagesFile<'folder> {
    folder: &'folder Path,
    lines: JsonLines,
}

impl<'folder> PassagesFile<'folder> {
    fn open(folder: &'folder Path) -> Result<Self, Failure> {
        Ok(Self { folder, lines: JsonLines::open(&folder.join("passages.jsonl"))? })
    }

    /// Reads as many lines as the document has passages; returns their vectors if they are of use.
    fn vectors(&mut self, document: &DocumentLine, are_taken: bool) -> Result<Vectors, Failure> {
        let mut vectors = Vectors::new();
        for _ in 0..document.passages {
            let line = next_line::<PassageLine>(&mut self.lines, self.folder)?;
            let passage = line.filter(|passage| passage.document_id == document.id);
            let passage = passage.ok_or_else(|| {
                Failure::Failed(format!("passages.jsonl has not those of {}", document.name))
            })?;
            if are_taken {
                let text = passage.embedded_text();
                vectors.extend(passage.vector.map(|vector| (text, vector)));
            }
        }
        Ok(vectors)
    }
}

fn next_line<T: DeserializeOwned>(
    lines: &mut JsonLines,
    folder: &Path,
) -> Result<Option<T>, Failure> {
    let Some((_, line)) = lines.next()? else { return Ok(None) };
    let parsed = serde_json::from_str(&line);
    parsed.map(Some).map_err(|error| Failure::Failed(format!("{}: {error}", folder.display())))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::Failed(format!(
            "{}: {error}; an export that was interrupted has none",
            path.display()
        ))
    })?;
    let parsed = serde_json::from_slice(&bytes);
    parsed.map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
}

/// Returns a path of a folder that leads nowhere else.
fn inside(relative: &str) -> Result<&Path, Failure> {
    let path = Path::new(relative);
    let is_plain = |component: Component<'_>| matches!(component, Component::Normal(_));
    if path.components().all(is_plain) {
        return Ok(path);
    }
    Err(Failure::Failed(format!("{relative}: leads out of the folder")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_names_a_file_elsewhere() {
        assert!(inside("files/000001-backup.md").is_ok());
        for outside in ["/etc/passwd", "files/../../secret", ".."] {
            assert!(inside(outside).is_err(), "{outside}");
        }
    }
}
