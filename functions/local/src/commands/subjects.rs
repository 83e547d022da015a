//! `lectern subjects`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::documents::confirmed;
use crate::{
    api::{Api, ApiError},
    failure::Failure,
    main_arguments::subjects::{SubjectName, SubjectsCommand},
    output::Output,
};

/// Most calls of one erasure, each of seconds.
const MAX_CALLS: usize = 1_000;
/// Most pages that are read of one subject: two million records.
const MAX_PAGES: usize = 10_000;
/// What pages have parts of.
const PARTS: [&str; 3] = ["conversations", "feedback", "usage"];

pub(super) async fn run(
    api: &Api,
    command: &SubjectsCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        SubjectsCommand::Find(name) => find(api, name, output).await,
        SubjectsCommand::Show { id } => Ok(output.json(&held(api, id.as_str()).await?)?),
        SubjectsCommand::Erase { id, yes } => erase(api, id.as_str(), *yes, output).await,
    }
}

async fn find(api: &Api, name: &SubjectName, output: &Output) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Found {
        id: String,
    }
    let given = [
        ("issuer", &name.issuer),
        ("subject", &name.subject),
        ("key_id", &name.key_id),
        ("visitor", &name.visitor),
    ];
    let query: Vec<(&str, &str)> =
        given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let found: Found = api.get_json("/v1/subjects", &query).await?;
    if output.is_json() {
        return Ok(output.json(&json!({ "id": found.id }))?);
    }
    Ok(output.line(found.id)?)
}

/// Reads all pages into one.
async fn held(api: &Api, id: &str) -> Result<Value, Failure> {
    let path = format!("/v1/subjects/{id}");
    let mut whole: Value = api.get_json(&path, &[]).await?;
    for _ in 0..MAX_PAGES {
        let Some(cursor) = whole["next"].as_str().map(str::to_owned) else { break };
        let mut page: Value = api.get_json(&path, &[("cursor", &cursor)]).await?;
        for part in PARTS {
            let more = page[part].as_array_mut().map(std::mem::take).unwrap_or_default();
            if let Some(all) = whole[part].as_array_mut() {
                all.extend(more);
            }
        }
        for part in ["truncated", "next"] {
            whole[part] = page[part].take();
        }
    }
    Ok(whole)
}

/// What one call erased.
#[derive(Deserialize)]
struct Receipt {
    done: bool,
    at: String,
    conversations_deleted: u64,
    messages_deleted: u64,
    feedback_deleted: u64,
    conversations_remaining: u64,
    feedback_remaining: u64,
}

async fn erase(api: &Api, id: &str, yes: bool, output: &Output) -> Result<(), Failure> {
    if !yes && !confirmed(&format!("erase all conversations and feedback of {id}? [y/N] "), output)?
    {
        return Err(Failure::Failed("nothing was erased".into()));
    }
    let path = format!("/v1/subjects/{id}");
    let (mut conversations, mut messages, mut feedback) = (0, 0, 0);
    for _ in 0..MAX_CALLS {
        let answered: Value = api.delete_json(&path).await?;
        let receipt: Receipt = serde_json::from_value(answered)
            .map_err(|error| ApiError::Unexpected(error.to_string()))?;
        conversations += receipt.conversations_deleted;
        messages += receipt.messages_deleted;
        feedback += receipt.feedback_deleted;
        if !receipt.done {
            continue;
        }
        if output.is_json() {
            return Ok(output.json(&json!({
                "id": id,
                "done": true,
                "at": receipt.at,
                "conversations_deleted": conversations,
                "messages_deleted": messages,
                "feedback_deleted": feedback,
                "conversations_remaining": receipt.conversations_remaining,
                "feedback_remaining": receipt.feedback_remaining,
            }))?);
        }
        output.line(format_args!(
            "erased {conversations} conversations with {messages} messages, and feedback on {feedback} answers; nothing is left"
        ))?;
        return Ok(());
    }
    Err(Failure::Failed(
        "there is more left, or it goes on: revoke its key and call this again".into(),
    ))
}
