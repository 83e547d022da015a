//! Waits until documents are ready or failed.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::bodies::Document;
use crate::{
    api::{Api, ApiError, patiently},
    failure::Failure,
};

/// Documents looked at before the next pause.
const LOOKS: usize = 16;
/// Pause between two rounds in which nothing was settled.
const PAUSE_HERE: Duration = Duration::from_millis(50);
/// The same over a network, where each look counts against the key's rate.
const PAUSE_REMOTE: Duration = Duration::from_secs(2);
/// How long nothing may change before the command gives up. A batch of 256 chunks, after which progress
/// shows, takes a slow machine half a minute.
const STALLED: Duration = Duration::from_secs(900);

/// What became of a document.
#[derive(Debug)]
pub(crate) enum Settled {
    /// Ready, failed, or being deleted.
    Document(Box<Document>),
    /// Somebody deleted it meanwhile.
    Gone(String),
}

/// Looks at each document in turn until every one is settled, telling `each` about it.
///
/// # Errors
/// When the API refuses, `each` does, or nothing changes for [`STALLED`].
pub(crate) async fn until_settled(
    api: &Api,
    ids: Vec<String>,
    each: &mut dyn FnMut(Settled) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let pause = if matches!(api, Api::InProcess(_)) { PAUSE_HERE } else { PAUSE_REMOTE };
    let mut waiting: VecDeque<String> = ids.into();
    let mut seen: HashMap<String, (String, u64)> = HashMap::new();
    let mut changed_at = Instant::now();
    while !waiting.is_empty() {
        let mut settled_any = false;
        for _ in 0..LOOKS.min(waiting.len()) {
            let Some(id) = waiting.pop_front() else { break };
            match look(api, &id).await? {
                Settled::Document(document) if !document.is_settled() => {
                    let now = (document.state, document.progress.chunks_done);
                    if seen.insert(id.clone(), now.clone()) != Some(now) {
                        changed_at = Instant::now();
                    }
                    waiting.push_back(id);
                }
                settled => {
                    settled_any = true;
                    seen.remove(&id);
                    each(settled)?;
                }
            }
        }
        if settled_any {
            changed_at = Instant::now();
        } else if is_stalled(changed_at.elapsed()) {
            return Err(stalled(waiting.len()));
        } else {
            tokio::time::sleep(pause).await;
        }
    }
    Ok(())
}

async fn look(api: &Api, id: &str) -> Result<Settled, ApiError> {
    let path = format!("/v1/documents/{id}");
    match patiently(async || api.get_json::<Document>(&path, &[]).await).await {
        Ok(document) => Ok(Settled::Document(Box::new(document))),
        Err(error) if error.status() == Some(404) => Ok(Settled::Gone(id.to_owned())),
        Err(error) => Err(error),
    }
}

fn is_stalled(unchanged_for: Duration) -> bool {
    unchanged_for >= STALLED
}

fn stalled(documents: usize) -> Failure {
    Failure::Failed(format!(
        "{documents} documents have not moved for {} minutes; is a worker running? see `lectern documents list`",
        STALLED.as_secs() / 60
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use axum::{Json, Router, extract::Path, http::StatusCode, routing::get};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn looks_until_every_document_is_settled() {
        let looks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&looks);
        let show = async move |Path(id): Path<String>| {
            let look = counted.fetch_add(1, Ordering::Relaxed);
            if id == "gone" {
                return (StatusCode::NOT_FOUND, Json(json!({})));
            }
            let state = if look < 5 { "processing" } else { "ready" };
            let document = json!({
                "id": id, "name": "n", "state": state, "size_bytes": 1, "latest_version": 1,
                "failure": null, "progress": {"chunks_done": look, "chunks_total": 9}, "updated_at": "",
            });
            (StatusCode::OK, Json(document))
        };
        let api = Api::InProcess(Router::new().route("/v1/documents/{id}", get(show)));
        let mut settled = Vec::new();
        let ids = ["a", "gone", "b"].map(str::to_owned).to_vec();
        until_settled(&api, ids, &mut |one| {
            settled.push(match one {
                Settled::Gone(id) => format!("{id} gone"),
                Settled::Document(document) => format!("{} {}", document.id, document.state),
            });
            Ok(())
        })
        .await
        .unwrap();
        settled.sort();
        assert_eq!(settled, ["a ready", "b ready", "gone gone"]);
    }

    #[test]
    fn patience_ends() {
        assert!(!is_stalled(STALLED - Duration::from_millis(1)));
        assert!(is_stalled(STALLED));
        assert!(stalled(3).message().unwrap().starts_with("3 documents"));
    }
}
