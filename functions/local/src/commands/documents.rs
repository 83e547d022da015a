//! `lectern documents`: list, show, delete, retry.

use std::io::{self, BufRead as _, IsTerminal as _};

use lectern_core::ids::{CollectionId, DocumentId};
use serde_json::{Value, json};

use super::{
    backup,
    bodies::{Document, DocumentPage},
    waiting::{Settled, until_settled},
};
use crate::{
    api::{Api, ApiError, patiently},
    failure::{FAILED, Failure},
    main_arguments::DocumentsCommand,
    output::{Output, harmless, one_line},
    session::Session,
    text_table::{Align, text_table},
};

/// Documents of one page of a listing: the most the API gives.
const PAGE: usize = 100;
/// Characters of a name in a table.
const NAME_CHARS: usize = 60;
/// Characters of a reason.
const REASON_CHARS: usize = 300;

pub(super) async fn run(
    session: &Session,
    collection: &CollectionId,
    command: &DocumentsCommand,
    output: &Output,
) -> Result<(), Failure> {
    let api = &session.api;
    match command {
        DocumentsCommand::List { limit } => list(api, collection, *limit as usize, output).await,
        DocumentsCommand::Show { id } => {
            let document: Value = api.get_json(&path(id)?, &[]).await?;
            show(&document, output)
        }
        DocumentsCommand::Delete { id, yes, from_backups: false } => {
            delete(api, id, *yes, output).await
        }
        DocumentsCommand::Delete { id, yes, from_backups: true } => {
            if session.local.is_none() {
                let reason = "--from-backups works where the data is, with --data; a deployment's function does it with the task `erase`, see docs/BACKUPS.md";
                return Err(Failure::Usage(reason.into()));
            }
            delete(api, id, *yes, output).await?;
            let id = id.parse().map_err(|error| Failure::Usage(format!("{id}: {error}")))?;
            backup::erase(session, &id, output).await
        }
        DocumentsCommand::Retry { id } => session.drive(retry(api, id, output)).await,
    }
}

/// Hands up to `limit` documents of a collection to `each`, newest first, as the API's JSON.
///
/// # Errors
/// When the API refuses or `each` does.
pub(super) async fn for_each_document(
    api: &Api,
    collection: &CollectionId,
    limit: usize,
    each: &mut dyn FnMut(Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut left = limit;
    let mut cursor: Option<String> = None;
    while left > 0 {
        let size = left.min(PAGE).to_string();
        let mut query = vec![("collection", collection.as_str()), ("limit", size.as_str())];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: DocumentPage =
            patiently(async || api.get_json("/v1/documents", &query).await).await?;
        for document in page.documents.into_iter().take(left) {
            left -= 1;
            each(document)?;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(())
}

async fn list(
    api: &Api,
    collection: &CollectionId,
    limit: usize,
    output: &Output,
) -> Result<(), Failure> {
    let mut documents = Vec::new();
    for_each_document(api, collection, limit, &mut |document| {
        documents.push(document);
        Ok(())
    })
    .await?;
    if output.is_json() {
        return Ok(output.json(&json!({ "documents": documents }))?);
    }
    let rows: Vec<Vec<String>> = documents
        .into_iter()
        .map(|document| parse(document).map(|one| row(&one)))
        .collect::<Result<_, _>>()?;
    if rows.is_empty() {
        output.note(format_args!("the collection `{collection}` has no documents"));
        return Ok(());
    }
    let columns = [
        ("ID", Align::Left),
        ("NAME", Align::Left),
        ("VERSION", Align::Right),
        ("CHUNKS", Align::Right),
        ("BYTES", Align::Right),
        ("STATE", Align::Left),
    ];
    text_table(&columns, &rows).into_iter().try_for_each(|line| output.line(line))?;
    Ok(())
}

fn row(document: &Document) -> Vec<String> {
    vec![
        document.id.clone(),
        one_line(&document.name, NAME_CHARS),
        document.latest_version.to_string(),
        document.progress.chunks_total.to_string(),
        document.size_bytes.to_string(),
        state(document),
    ]
}

/// Returns the state with what is behind it: `failed: …`, `processing 3/12`.
fn state(document: &Document) -> String {
    let name = harmless(&document.state);
    let progress = document.progress;
    match &document.failure {
        Some(failure) => {
            let reason = format!("{} ({})", failure.detail, failure.code);
            format!("{name}: {}", one_line(&reason, REASON_CHARS))
        }
        None if name == "processing" && progress.chunks_total > 0 => {
            format!("{name} {}/{}", progress.chunks_done, progress.chunks_total)
        }
        None => name,
    }
}

fn show(document: &Value, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json(document)?);
    }
    let read = parse(document.clone())?;
    for (name, value) in document.as_object().into_iter().flatten() {
        let text = match (name.as_str(), value) {
            ("state", _) => state(&read),
            // The state and the progress say it.
            ("failure", _) | (_, Value::Null) => continue,
            ("progress", _) => {
                format!("{} of {} chunks", read.progress.chunks_done, read.progress.chunks_total)
            }
            (_, Value::String(text)) => harmless(text),
            (_, other) => harmless(&other.to_string()),
        };
        output.line(format_args!("{:<15} {text}", harmless(name)))?;
    }
    Ok(())
}

async fn delete(api: &Api, id: &str, yes: bool, output: &Output) -> Result<(), Failure> {
    let path = path(id)?;
    if !yes {
        let document: Document = api.get_json(&path, &[]).await?;
        let name = one_line(&document.name, NAME_CHARS);
        if !confirmed(&format!("delete `{name}` with all its versions? [y/N] "), output)? {
            return Err(Failure::Failed("nothing was deleted".into()));
        }
    }
    let receipt: Value = api.delete_json(&path).await?;
    if output.is_json() {
        return Ok(output.json(&receipt)?);
    }
    let field = |name: &str| receipt.get(name).map_or_else(String::new, plain);
    output.line(format_args!("deleted {} at {}", field("document_id"), field("deleted_at")))?;
    output.line(format_args!(
        "passages removed: {}, left in the index: {}; files removed: {}",
        field("passages_deleted"),
        field("passages_remaining"),
        field("blobs_deleted")
    ))?;
    let backups = receipt["backups"].as_array().map_or(&[][..], Vec::as_slice);
    for backup in backups {
        let expires = backup["expires_at"]
            .as_str()
            .map_or("until pruned".into(), |at| format!("until {}", harmless(at)));
        output.line(format_args!("in the backup {} {expires}", plain(&backup["id"])))?;
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), harmless)
}

pub(super) fn confirmed(question: &str, output: &Output) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage("nobody can be asked here: pass --yes".into()));
    }
    output.complain(question);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

async fn retry(api: &Api, id: &str, output: &Output) -> Result<(), Failure> {
    let _requeued: Value = api.post(&format!("{}/retry", path(id)?)).await?;
    let mut failed = false;
    until_settled(api, vec![id.to_owned()], &mut |settled| {
        let Settled::Document(document) = settled else {
            return Err(Failure::Failed("somebody deleted the document meanwhile".into()));
        };
        failed = document.failure.is_some();
        if output.is_json() {
            let line = json!({
                "id": document.id, "state": document.state, "failure": document.failure,
            });
            return Ok(output.json(&line)?);
        }
        Ok(output.line(format_args!(
            "{}: {}",
            one_line(&document.name, NAME_CHARS),
            state(&document)
        ))?)
    })
    .await?;
    if failed { Err(Failure::Said(FAILED)) } else { Ok(()) }
}

fn path(id: &str) -> Result<String, Failure> {
    let id: DocumentId = id.parse().map_err(|error| {
        Failure::Usage(format!("`{}` is no document id: it {error}", harmless(id)))
    })?;
    Ok(format!("/v1/documents/{id}"))
}

fn parse(document: Value) -> Result<Document, ApiError> {
    serde_json::from_value(document).map_err(|error| ApiError::Unexpected(error.to_string()))
}

#[cfg(test)]
mod tests;
