//! `lectern export` and `lectern import`: a collection as a folder that people and programs can read.
//!
//! | file | holds |
//! |---|---|
//! | `collection.json` | the collection and its settings, whose vectors the passages have; written last: without it an export is not whole |
//! | `documents.jsonl` | a line per document: record, and where its file and text are |
//! | `files/` | files as they were uploaded |
//! | `texts/` | canonical texts, to which the spans of passages belong |
//! | `passages.jsonl` | a line per passage, with its vector as numbers, in the order of the documents |

mod lines;
mod out;
mod reading;
mod records;
mod whole;

use std::path::Path;

use lectern_app::upload::NewDocument;
use lectern_core::{auth::Caller, ids::CollectionId, ports::Embedder as _};

use super::waiting::{Settled, until_settled};
use crate::{
    compose::Local, failure::Failure, main_arguments::portable::ImportArguments, output::Output,
    session::Session,
};
use lines::Vectors;

/// Documents on their way at the same time: so many texts and vectors are in memory.
const BATCH: usize = 32;

pub(super) use self::out::export;

/// Imports a folder that `lectern export` wrote, or records of another system.
///
/// # Errors
/// When the data is elsewhere, the source cannot be read, or a document is refused or fails.
pub(super) async fn import(
    session: &Session,
    collection: &CollectionId,
    options: &ImportArguments,
    output: &Output,
) -> Result<(), Failure> {
    let import = Import {
        local: here(session)?,
        session,
        collection,
        caller: Caller::operator(here(session)?.tenant.clone()),
        output,
    };
    let importing = async {
        if options.source.is_dir() {
            import.folder(&options.source).await
        } else {
            import.records(options).await
        }
    };
    let tally = session.drive(importing).await?;
    tally.tell(output)
}

/// Returns the data directory that a command works in.
fn here(session: &Session) -> Result<&Local, Failure> {
    session.local.as_ref().ok_or_else(|| {
        let reason = "collections are exported and imported where the data is: leave --api and LECTERN_API_URL out, and name the directory with --data";
        Failure::Usage(reason.into())
    })
}

/// An import under way.
struct Import<'session> {
    local: &'session Local,
    session: &'session Session,
    collection: &'session CollectionId,
    caller: Caller,
    output: &'session Output,
}

/// What became of an import.
#[derive(Debug, Default)]
struct Tally {
    ready: usize,
    unchanged: usize,
    failed: usize,
    chunks: u64,
    vectors_used: u64,
}

/// A document to import, with the vectors that came with it.
struct Incoming {
    new: NewDocument,
    vectors: Vectors,
}

impl Import<'_> {
    /// Uploads documents and waits until they answer.
    async fn batch(&self, batch: Vec<Incoming>, tally: &mut Tally) -> Result<(), Failure> {
        let known = self.local.known_vectors.as_ref();
        let (mut news, mut vectors) = (Vec::with_capacity(batch.len()), Vectors::new());
        for Incoming { new, vectors: own } in batch {
            news.push(new);
            vectors.extend(own);
        }
        if let Some(known) = known {
            known.know(vectors);
        }
        let mut waiting = Vec::new();
        for mut new in news {
            // One that is there already, from an import before, gets a new version when it changed.
            if let Some(id) = &new.new_id {
                let documents = self.local.upload.tables.documents();
                let found = documents.get(&self.caller.tenant, id).await;
                if found.map_err(lectern_app::errors::FlowError::from)?.is_some() {
                    new.document_id = new.new_id.clone();
                }
            }
            let name = new.name.clone();
            match self.local.upload.upload(&self.caller, new).await {
                Ok(uploaded) if uploaded.created => waiting.push(uploaded.document.id.to_string()),
                Ok(_) => tally.unchanged += 1,
                Err(error) => {
                    tally.failed += 1;
                    self.output.complain(format_args!("{name}: {error}"));
                }
            }
        }
        until_settled(&self.session.api, waiting, &mut |settled| {
            match settled {
                Settled::Document(document) if document.failure.is_none() => {
                    tally.ready += 1;
                    tally.chunks += document.progress.chunks_total;
                }
                Settled::Document(document) => {
                    tally.failed += 1;
                    let detail = document.failure.map_or_else(String::new, |one| one.detail);
                    self.output.complain(format_args!("{}: {detail}", document.name));
                }
                Settled::Gone(_) => tally.failed += 1,
            }
            Ok(())
        })
        .await?;
        tally.vectors_used = known.map_or(0, |known| known.used());
        Ok(())
    }

    /// Whether vectors of this model are those of the model in use here.
    fn has_model(&self, model: &str) -> bool {
        let known = self.local.known_vectors.as_ref();
        known.is_some_and(|known| known.model().id == model)
    }
}

impl Tally {
    fn tell(&self, output: &Output) -> Result<(), Failure> {
        if output.is_json() {
            output.json(&serde_json::json!({
                "ready": self.ready, "unchanged": self.unchanged, "failed": self.failed,
                "chunks": self.chunks, "vectors_used": self.vectors_used,
            }))?;
        } else {
            output.line(format_args!(
                "{} documents imported, {} unchanged, {} failed; {} passages, {} vectors taken over",
                self.ready, self.unchanged, self.failed, self.chunks, self.vectors_used
            ))?;
        }
        let failed = Failure::Said(crate::failure::FAILED);
        if self.failed == 0 { Ok(()) } else { Err(failed) }
    }
}

/// Returns a failure that names the file.
fn at(path: &Path) -> impl Fn(std::io::Error) -> Failure + '_ {
    move |error| Failure::Failed(format!("{}: {error}", path.display()))
}
