//! `lectern ingest`: files become documents, and the command waits until they answer.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use futures::{StreamExt as _, stream};
use indicatif::ProgressBar;
use lectern_core::ids::CollectionId;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::{
    bodies::{Accepted, Document},
    documents::for_each_document,
    waiting::{Settled, until_settled},
};
use crate::{
    api::{Api, ApiError, patiently},
    failure::{FAILED, Failure},
    main_arguments::IngestArguments,
    output::{Output, one_line},
    session::Session,
    sources::{SourceFile, files_at},
};

/// Files on their way at the same time.
const UPLOADS_AT_ONCE: usize = 4;
/// Bytes of a file that its type is told from.
const HEAD_BYTES: u64 = 64 * 1024;
/// Characters of a line about one file.
const LINE_CHARS: usize = 300;
const UPLOADING: &str = "uploading {wide_bar} {pos}/{len} files, {eta} left";
const INDEXING: &str = "indexing  {wide_bar} {pos}/{len} documents, {msg}";

/// What became of one file.
enum Upload {
    Accepted(Accepted),
    /// Found in a folder, and of a type that is not read.
    Unreadable,
    Refused(ApiError),
}

/// What became of all files.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    unchanged: usize,
    skipped: usize,
    failed: usize,
    ready: usize,
    chunks: u64,
}

pub(super) async fn run(
    session: &Session,
    collection: &CollectionId,
    options: &IngestArguments,
    output: &Output,
) -> Result<(), Failure> {
    session.tell_notices(output);
    let paths = options.paths.clone();
    let listed = tokio::task::spawn_blocking(move || files_at(&paths)).await;
    let files =
        listed.map_err(|panic| Failure::Failed(panic.to_string()))?.map_err(Failure::Failed)?;
    let ingesting = ingest(&session.api, collection, options, &files, output);
    let tally = session.drive(ingesting).await?;
    report(&tally, options.no_wait, output)?;
    if tally.failed > 0 { Err(Failure::Said(FAILED)) } else { Ok(()) }
}

async fn ingest(
    api: &Api,
    collection: &CollectionId,
    options: &IngestArguments,
    files: &[SourceFile],
    output: &Output,
) -> Result<Tally, Failure> {
    ensure_collection(api, collection, output).await?;
    let known = if options.as_new { HashMap::new() } else { names(api, collection).await? };
    let mut tally = Tally::default();
    let accepted = upload_all(api, collection, options, files, &known, &mut tally, output).await?;
    if options.no_wait {
        return Ok(tally);
    }
    let bar = output.progress(accepted.len() as u64, INDEXING);
    let mut failures = Vec::new();
    until_settled(api, accepted, &mut |settled| {
        bar.inc(1);
        settle(&settled, &mut tally, &mut failures);
        bar.set_message(format!("{} chunks", tally.chunks));
        tell_settled(&settled, &bar, output)
    })
    .await?;
    bar.finish_and_clear();
    failures.iter().for_each(|failure| output.complain(failure));
    Ok(tally)
}

async fn upload_all(
    api: &Api,
    collection: &CollectionId,
    options: &IngestArguments,
    files: &[SourceFile],
    known: &HashMap<String, String>,
    tally: &mut Tally,
    output: &Output,
) -> Result<Vec<String>, Failure> {
    let named: HashSet<&PathBuf> = options.paths.iter().filter(|path| path.is_file()).collect();
    let bar = output.progress(files.len() as u64, UPLOADING);
    let uploads = stream::iter(files).map(async |file| {
        let id = known.get(&file.name).map(String::as_str);
        (file, upload(api, collection, file, id, named.contains(&file.path)).await)
    });
    let mut uploads = std::pin::pin!(uploads.buffer_unordered(UPLOADS_AT_ONCE));
    let mut ids = Vec::new();
    while let Some((file, outcome)) = uploads.next().await {
        bar.inc(1);
        match outcome {
            Upload::Accepted(accepted) => {
                tally.accepted += usize::from(accepted.created);
                tally.unchanged += usize::from(!accepted.created);
                tell_json(output, &accepted_line(file, &accepted))?;
                ids.push(accepted.id);
            }
            Upload::Unreadable => {
                tally.skipped += 1;
                tell_json(
                    output,
                    &json!({"event": "skipped", "path": file.path, "reason": "unsupported_media_type"}),
                )?;
            }
            Upload::Refused(error) if is_hopeless(&error) => return Err(error.into()),
            Upload::Refused(error) => {
                tally.failed += 1;
                let message = error.to_string();
                tell_json(
                    output,
                    &json!({"event": "refused", "path": file.path, "detail": message}),
                )?;
                bar.suspend(|| {
                    output.complain(format_args!("{}: {message}", file.path.display()));
                });
            }
        }
    }
    bar.finish_and_clear();
    // The same bytes under two names are one document.
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

async fn upload(
    api: &Api,
    collection: &CollectionId,
    file: &SourceFile,
    document_id: Option<&str>,
    was_named: bool,
) -> Upload {
    // A person who names a file wants to hear why it is not taken; a folder may hold anything.
    if !was_named && !may_be_readable(&file.path, &file.name).await {
        return Upload::Unreadable;
    }
    let mut query = vec![("name", file.name.as_str()), ("collection", collection.as_str())];
    query.extend(document_id.map(|id| ("document_id", id)));
    match patiently(async || api.upload_file(&file.path, &query).await).await {
        Ok(accepted) => Upload::Accepted(accepted),
        Err(error) if error.status() == Some(415) && !was_named => Upload::Unreadable,
        Err(error) => Upload::Refused(error),
    }
}

/// Looks at a file's first bytes, so that gigabytes of video are not sent to be refused. `true` in doubt.
async fn may_be_readable(path: &Path, name: &str) -> bool {
    let Ok(file) = tokio::fs::File::open(path).await else { return true };
    let mut head = Vec::new();
    if file.take(HEAD_BYTES).read_to_end(&mut head).await.is_err() {
        return true;
    }
    // A container tells its type at its end.
    head.starts_with(b"PK")
        || match lectern_parse::sniff(&head, name) {
            Ok(_) => true,
            Err(error) => error.code() != "unsupported_media_type",
        }
}

/// Whether every further upload would fail the same way.
fn is_hopeless(error: &ApiError) -> bool {
    error.is_unreachable() || matches!(error.status(), Some(401 | 403 | 429))
}

async fn ensure_collection(
    api: &Api,
    collection: &CollectionId,
    output: &Output,
) -> Result<(), Failure> {
    match api.get_json::<Value>(&format!("/v1/collections/{collection}"), &[]).await {
        Err(error) if error.status() == Some(404) => {
            api.post_json::<Value>("/v1/collections", &json!({ "id": collection })).await?;
            output.note(format_args!("created the collection `{collection}`"));
            Ok(())
        }
        other => Ok(other.map(|_| ())?),
    }
}

/// Returns the collection's documents by name; of several of one name the newest.
async fn names(api: &Api, collection: &CollectionId) -> Result<HashMap<String, String>, Failure> {
    let mut names = HashMap::new();
    for_each_document(api, collection, usize::MAX, &mut |document| {
        let read: Document = serde_json::from_value(document)
            .map_err(|error| ApiError::Unexpected(error.to_string()))?;
        names.entry(read.name).or_insert(read.id);
        Ok(())
    })
    .await?;
    Ok(names)
}

fn accepted_line(file: &SourceFile, accepted: &Accepted) -> Value {
    json!({
        "event": "accepted", "path": file.path, "id": accepted.id,
        "version": accepted.version, "created": accepted.created,
    })
}

fn settle(settled: &Settled, tally: &mut Tally, failures: &mut Vec<String>) {
    let Settled::Document(document) = settled else { return };
    if let Some(failure) = &document.failure {
        tally.failed += 1;
        let line = format!("{}: {} ({})", document.name, failure.detail, failure.code);
        failures.push(one_line(&line, LINE_CHARS));
    } else {
        tally.ready += 1;
        tally.chunks += document.progress.chunks_total;
    }
}

fn tell_settled(settled: &Settled, bar: &ProgressBar, output: &Output) -> Result<(), Failure> {
    let line = match settled {
        Settled::Gone(id) => json!({"event": "gone", "id": id}),
        Settled::Document(document) => json!({
            "event": document.state, "id": document.id, "name": document.name,
            "version": document.latest_version, "chunks": document.progress.chunks_total,
            "failure": document.failure,
        }),
    };
    bar.suspend(|| tell_json(output, &line))
}

fn tell_json(output: &Output, line: &Value) -> Result<(), Failure> {
    if output.is_json() { Ok(output.json(line)?) } else { Ok(()) }
}

fn report(tally: &Tally, no_wait: bool, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json(&json!({
            "event": "summary", "accepted": tally.accepted, "unchanged": tally.unchanged,
            "skipped": tally.skipped, "failed": tally.failed, "ready": tally.ready, "chunks": tally.chunks,
        }))?);
    }
    let mut line = format!("{} accepted, {} unchanged", tally.accepted, tally.unchanged);
    if !no_wait {
        line = format!("{line}, {} ready with {} chunks", tally.ready, tally.chunks);
    }
    if tally.failed > 0 {
        line = format!("{line}, {} failed", tally.failed);
    }
    if tally.skipped > 0 {
        line = format!("{line}; {} of unreadable types left out", tally.skipped);
    }
    Ok(output.line(line)?)
}

#[cfg(test)]
mod tests;
