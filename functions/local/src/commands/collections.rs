//! `lectern collections`: which there are, and their settings.

use lectern_core::ids::CollectionId;
use serde_json::{Map, Value, json};

use crate::{
    api::{Api, ApiError},
    failure::Failure,
    main_arguments::CollectionsCommand,
    output::{Output, one_line},
    text_table::{Align, text_table},
};

/// Characters of a name in a table.
const NAME_CHARS: usize = 40;
/// HTTP status of what is not there.
const NOT_FOUND: u16 = 404;

pub(super) async fn run(
    api: &Api,
    command: &CollectionsCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        CollectionsCommand::List => list(api, output).await,
        CollectionsCommand::Get { id } => {
            let collection: Value = api.get_json(&path(id), &[]).await?;
            show(&collection, output)
        }
        CollectionsCommand::Set { id, settings } => show(&set(api, id, settings).await?, output),
    }
}

async fn list(api: &Api, output: &Output) -> Result<(), Failure> {
    let listed: Value = api.get_json("/v1/collections", &[]).await?;
    if output.is_json() {
        return Ok(output.json(&listed)?);
    }
    let columns = [("ID", Align::Left), ("NAME", Align::Left), ("CREATED", Align::Left)];
    let text = |collection: &Value, field: &str| {
        collection[field].as_str().map_or_else(String::new, |text| one_line(text, NAME_CHARS))
    };
    let collections = listed["collections"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = collections
        .iter()
        .map(|collection| {
            ["id", "name", "created_at"].map(|field| text(collection, field)).to_vec()
        })
        .collect();
    Ok(text_table(&columns, &rows).into_iter().try_for_each(|line| output.line(line))?)
}

/// Changes the settings of a collection that is there, or creates it with them.
async fn set(
    api: &Api,
    id: &CollectionId,
    settings: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let change = json!({ "settings": settings });
    match api.patch_json(&path(id), &change).await {
        Err(error) if error.status() == Some(NOT_FOUND) => {
            let new = json!({ "id": id, "settings": settings });
            api.post_json("/v1/collections", &new).await
        }
        changed => changed,
    }
}

fn show(collection: &Value, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json(collection)?);
    }
    let settings = serde_json::to_string_pretty(&collection["settings"]).unwrap_or_default();
    output.note(format_args!("revision {}", collection["revision"]));
    Ok(output.line(settings)?)
}

fn path(id: &CollectionId) -> String {
    format!("/v1/collections/{id}")
}
