//! Whether the index has what the records say: `index.passages`. A lost index answers as well as a whole one, and nothing else
//! notices that it is empty.

use std::time::Duration;

use lectern_core::{errors::chain, ids::DocumentId, passage::Scope, ports::PassageReader as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Finding,
    bodies::{Collection, Documents, Listed},
    facts::{Fact, Facts, asked},
    place::Place,
};
use crate::{
    api::{Api, ApiError, patiently},
    compose::Local,
    output::one_line,
};

/// Most documents that are looked at where the index is here: each is one count.
const SAMPLED_HERE: usize = 50;
/// Most documents that are looked at through the API: each is a text and a search, and a key has a rate.
const SAMPLED_THERE: usize = 10;
/// Pieces of a document's text that are searched for before it is lost: one may have no words.
const PIECES: usize = 3;
/// Bytes of a piece.
const PIECE_BYTES: usize = 300;
/// How long all of it may take.
const SAMPLE_TIME: Duration = Duration::from_secs(60);
/// Characters of a name.
const NAME_CHARS: usize = 40;

#[derive(Deserialize)]
struct Text {
    text: String,
    total_bytes: usize,
}

#[derive(Deserialize)]
struct Found {
    passages: Vec<Value>,
}

/// How a document's passages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There.
    Whole,
    /// There are fewer than there should be.
    Lost,
    /// They cannot be found by a search, and should not be.
    Untold,
}

/// Looks for passages of documents that answer questions.
pub(super) async fn passages(place: &Place, api: &Api, facts: &Facts) -> Finding {
    let (documents, collections) = match (&facts.documents, &facts.collections) {
        (Ok(documents), Ok(collections)) => (documents, collections),
        (Err(finding), _) | (_, Err(finding)) => return finding.clone(),
    };
    let answering: Vec<&Listed> = answering(documents);
    let most = if place.local.is_some() { SAMPLED_HERE } else { SAMPLED_THERE };
    let sampled = sample(&answering, most);
    if sampled.is_empty() {
        return Finding::skipped("there is no document that answers yet");
    }
    let looking = async {
        let mut states = Vec::new();
        for document in &sampled {
            states.push(match &place.local {
                Some(local) => counted(local, document).await?,
                None => searched(api, document, collections).await?,
            });
        }
        Ok(states)
    };
    let outcome = tokio::time::timeout(SAMPLE_TIME, looking).await;
    match outcome {
        Ok(Ok(states)) => judge(&sampled, &states, answering.len()),
        Ok(Err(finding)) => finding,
        Err(_) => {
            let found = format!("it cannot be told within {} s", SAMPLE_TIME.as_secs());
            Finding::failed(found, "docs/runbooks/index-down.md#5-it-is-slow")
        }
    }
}

/// Returns the documents that answer questions by their records.
fn answering(documents: &Documents) -> Vec<&Listed> {
    let answers = |document: &&Listed| {
        document.live_version.is_some()
            && !matches!(document.state.as_str(), "deleting" | "deleted")
    };
    documents.listed.iter().filter(answers).collect()
}

/// Returns at most so many, from all over.
fn sample<'a>(all: &[&'a Listed], most: usize) -> Vec<&'a Listed> {
    let taken = all.len().min(most);
    (0..taken).map(|at| all[at * all.len() / taken]).collect()
}

/// Returns how many passages its live version should have, as far as its record says.
fn wanted(document: &Listed) -> u64 {
    let is_told =
        document.state == "ready" && document.live_version == Some(document.latest_version);
    if is_told { document.progress.chunks_total.max(1) } else { 1 }
}

/// Counts a document's passages in the index.
async fn counted(local: &Local, document: &Listed) -> Fact<State> {
    let (Ok(id), Some(version)) = (document.id.parse::<DocumentId>(), document.live_version) else {
        return Ok(State::Lost);
    };
    let scope = Scope::document(&local.tenant, &id).with_versions(version, version);
    match local.edge.count(&scope).await {
        Ok(count) if count >= wanted(document) => Ok(State::Whole),
        Ok(_) => Ok(State::Lost),
        Err(error) => Err(Finding::failed(chain(&error), "docs/runbooks/index-down.md")),
    }
}

/// Searches a document for its own words.
async fn searched(api: &Api, document: &Listed, collections: &[Collection]) -> Fact<State> {
    match asked(finds_itself(api, document)).await? {
        true => Ok(State::Whole),
        false if withholds(document, collections) => Ok(State::Untold),
        false => Ok(State::Lost),
    }
}

async fn finds_itself(api: &Api, document: &Listed) -> Result<bool, ApiError> {
    let path = format!("/v1/documents/{}/text", document.id);
    let (mut start, mut total) = (0, 0);
    for piece in 0..PIECES {
        if piece > 0 {
            start = total * piece / PIECES;
        }
        let (from, to) = (start.to_string(), (start + PIECE_BYTES).to_string());
        let range = [("start", from.as_str()), ("end", to.as_str())];
        let read: Text = patiently(async || api.get_json(&path, &range).await).await?;
        total = read.total_bytes;
        let words = read.text.trim();
        if words.is_empty() {
            continue;
        }
        let body = json!({ "question": words, "collection": document.collection, "limit": 1,
            "filter": { "documents": [document.id] }, "cache": false });
        let found: Found = patiently(async || api.post_json("/v1/search", &body).await).await?;
        if !found.passages.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the collection keeps passages from searches for a reason.
fn withholds(document: &Listed, collections: &[Collection]) -> bool {
    let collection = collections.iter().find(|one| one.id == document.collection);
    collection.is_some_and(|Collection { settings, .. }| {
        let floor = settings["retrieval"]["min_confidence"].as_f64().unwrap_or_default();
        settings["safety"]["hostile"] == "withhold" || floor > 0.0
    })
}

fn judge(sampled: &[&Listed], states: &[State], all: usize) -> Finding {
    let count = |wanted| states.iter().filter(|state| **state == wanted).count();
    let looked_at = sampled.len() - count(State::Untold);
    let mut lost = sampled.iter().zip(states).filter(|(_, state)| **state == State::Lost);
    if let Some((first, _)) = lost.next() {
        let found = format!(
            "lost passages: {} of {looked_at} documents that should answer are not, or not whole, in the index, `{}` for one",
            count(State::Lost),
            one_line(&first.name, NAME_CHARS)
        );
        let next = "`lectern backup restore latest`: docs/runbooks/index-down.md#4-it-answers-and-has-nothing";
        return Finding::failed(found, next);
    }
    if looked_at == 0 {
        return Finding::skipped(
            "the collections keep passages from searches; run it where the data is",
        );
    }
    Finding::ok(format!("passages of {looked_at} of {all} documents that answer are in the index"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::production::Verdict;

    fn listed(id: usize, state: &str, live: Option<u32>) -> Listed {
        serde_json::from_value(json!({ "id": id.to_string(), "collection": "a", "name": "n", "state": state,
            "updated_at": "", "live_version": live, "latest_version": 2, "progress": { "chunks_total": 7 } }))
        .unwrap()
    }

    #[test]
    fn a_sample_is_bounded_and_from_all_over() {
        let documents: Vec<Listed> = (0..1_000).map(|id| listed(id, "ready", Some(2))).collect();
        let all: Vec<&Listed> = documents.iter().collect();
        let ids: Vec<&str> = sample(&all, 4).iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["0", "250", "500", "750"]);
        assert_eq!(sample(&all, SAMPLED_HERE).len(), SAMPLED_HERE);
        assert_eq!(sample(&all[..3], SAMPLED_HERE).len(), 3);
        assert!(sample(&[], SAMPLED_HERE).is_empty());
    }

    #[test]
    fn only_what_answers_is_looked_for_and_only_what_is_told_is_counted() {
        let listed = vec![
            listed(0, "ready", Some(2)),
            listed(1, "queued", Some(1)),
            listed(2, "queued", None),
            listed(3, "deleting", Some(2)),
        ];
        let documents = Documents { listed, is_cut: false };
        let answering = answering(&documents);
        let wanted: Vec<u64> = answering.iter().map(|one| wanted(one)).collect();
        assert_eq!(wanted, [7, 1]);
    }

    #[test]
    fn one_lost_document_fails() {
        let documents = [listed(0, "ready", Some(2)), listed(1, "ready", Some(2))];
        let sampled: Vec<&Listed> = documents.iter().collect();
        let verdict = |states: [State; 2]| judge(&sampled, &states, 9).verdict;
        assert_eq!(verdict([State::Whole, State::Whole]), Verdict::Ok);
        assert_eq!(verdict([State::Whole, State::Untold]), Verdict::Ok);
        assert_eq!(verdict([State::Untold, State::Untold]), Verdict::Skipped);
        let lost = judge(&sampled, &[State::Whole, State::Lost], 9);
        assert_eq!(lost.verdict, Verdict::Failed);
        assert!(lost.found.starts_with("lost passages: 1 of 2 documents"), "{lost:?}");
    }

    #[test]
    fn a_collection_that_withholds_is_not_blamed() {
        let collection = |settings| [Collection { id: "a".into(), settings }];
        let document = listed(0, "ready", Some(2));
        for (settings, expected) in [
            (
                json!({ "retrieval": { "min_confidence": 0.0 }, "safety": { "hostile": "mark" } }),
                false,
            ),
            (
                json!({ "retrieval": { "min_confidence": 0.5 }, "safety": { "hostile": "mark" } }),
                true,
            ),
            (
                json!({ "retrieval": { "min_confidence": 0.0 }, "safety": { "hostile": "withhold" } }),
                true,
            ),
        ] {
            assert_eq!(withholds(&document, &collection(settings)), expected);
        }
    }
}
