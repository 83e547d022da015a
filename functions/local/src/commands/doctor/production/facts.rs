//! What was asked of the API, once for all lines.

use std::time::Duration;

use lectern_core::{errors::chain, ids::CollectionId};

use super::{
    Finding,
    bodies::{
        Backup, BackupPage, Collection, CollectionList, DocumentPage, Documents, Key, KeyPage,
        Listed, Probe, Readiness,
    },
    place::Place,
};
use crate::{
    api::{Api, ApiError, patiently},
    commands::budget::Budget,
    compose::Local,
};

/// How long a question to the API, with its pages, may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Pause before `/ready` is asked a second time: what it found holds for two seconds, and a connection that had to be opened
/// first is slow, not down.
const READY_PAUSE: Duration = Duration::from_millis(2_500);
/// Most of a page.
const PAGE: usize = 100;
/// Most pages of keys.
const MAX_KEY_PAGES: usize = 100;
/// Most collections whose documents are listed.
pub(super) const MAX_COLLECTIONS: usize = 50;
/// Most documents that are listed, newest first.
pub(super) const MAX_LISTED: usize = 2_000;

/// What was answered, or what a line says instead.
pub(super) type Fact<T> = Result<T, Finding>;

/// What was asked of the API.
pub(super) struct Facts {
    /// How the dependencies are.
    pub(super) ready: Fact<Vec<Probe>>,
    /// The keys of the account.
    pub(super) keys: Fact<Vec<Key>>,
    /// What may be spent.
    pub(super) budget: Fact<Budget>,
    /// The newest backups.
    pub(super) backups: Fact<Vec<Backup>>,
    /// The collections.
    pub(super) collections: Fact<Vec<Collection>>,
    /// The documents.
    pub(super) documents: Fact<Documents>,
}

impl Facts {
    /// Asks everything.
    pub(super) async fn gather(place: &Place, api: &Api) -> Self {
        let collections = asked(api.get_json::<CollectionList>("/v1/collections", &[])).await;
        let collections = collections.map(|list| list.collections);
        let documents = match &collections {
            Ok(collections) => listed(place, api, collections).await,
            Err(finding) => Err(finding.clone()),
        };
        let backups = [("limit", "100")];
        let backups = asked(api.get_json::<BackupPage>("/v1/backups", &backups)).await;
        Self {
            ready: ready(api).await,
            keys: asked(keys(api)).await,
            budget: asked(api.get_json("/v1/budget", &[])).await,
            backups: backups.map(|page| page.backups),
            collections,
            documents,
        }
    }
}

/// Returns what a line makes of a fact, or what is said instead.
pub(super) fn of<T>(fact: &Fact<T>, judge: impl FnOnce(&T) -> Finding) -> Finding {
    fact.as_ref().map_or_else(Clone::clone, judge)
}

/// Waits for an answer, for a while.
pub(super) async fn asked<T>(call: impl Future<Output = Result<T, ApiError>>) -> Fact<T> {
    within(ANSWER_TIME, call).await
}

/// Waits for an answer, no longer than `longest`.
pub(super) async fn within<T>(
    longest: Duration,
    call: impl Future<Output = Result<T, ApiError>>,
) -> Fact<T> {
    match tokio::time::timeout(longest, call).await {
        Ok(answer) => answer.map_err(|error| refused(&error)),
        Err(_) => {
            let found = format!("there was no answer within {} s", longest.as_secs());
            Err(Finding::failed(found, "see the server's log: docs/runbooks/high-latency.md"))
        }
    }
}

/// Returns what is said where the API gave no answer: nothing, where the key is not one for it.
pub(super) fn refused(error: &ApiError) -> Finding {
    match error.status() {
        Some(401 | 403) => Finding::skipped(format!("the key may not ask: {error}")),
        _ => Finding::failed(
            error.to_string(),
            "see the server's log: docs/runbooks/high-error-rate.md",
        ),
    }
}

/// Asks how the dependencies are, twice where one is not well.
async fn ready(api: &Api) -> Fact<Vec<Probe>> {
    // A server that is not ready still says why.
    let ask = async || api.get("/ready").await?.json::<Readiness>().await;
    let first = asked(ask()).await?.checks;
    if first.iter().all(|probe| probe.status == "ok") {
        return Ok(first);
    }
    tokio::time::sleep(READY_PAUSE).await;
    Ok(asked(ask()).await?.checks)
}

async fn keys(api: &Api) -> Result<Vec<Key>, ApiError> {
    let (mut keys, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..MAX_KEY_PAGES {
        let mut query = vec![("limit", "100")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: KeyPage = patiently(async || api.get_json("/v1/keys", &query).await).await?;
        keys.extend(page.keys);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(keys)
}

/// Lists documents: through the table where it is here, because no key sees those that are closed to it.
async fn listed(place: &Place, api: &Api, collections: &[Collection]) -> Fact<Documents> {
    let mut documents =
        Documents { is_cut: collections.len() > MAX_COLLECTIONS, ..Documents::default() };
    for collection in collections.iter().take(MAX_COLLECTIONS) {
        let mut cursor = None;
        loop {
            let DocumentPage { documents: page, next_cursor } = match &place.local {
                Some(local) => page_here(local, &collection.id, cursor).await?,
                None => asked(page_there(api, &collection.id, cursor)).await?,
            };
            let room = MAX_LISTED - documents.listed.len();
            documents.is_cut |= page.len() > room || (page.len() == room && next_cursor.is_some());
            documents.listed.extend(page.into_iter().take(room));
            cursor = next_cursor;
            if cursor.is_none() || documents.listed.len() == MAX_LISTED {
                break;
            }
        }
    }
    Ok(documents)
}

async fn page_there(
    api: &Api,
    collection: &str,
    cursor: Option<String>,
) -> Result<DocumentPage, ApiError> {
    let mut query = vec![("collection", collection), ("limit", "100")];
    query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
    patiently(async || api.get_json("/v1/documents", &query).await).await
}

async fn page_here(local: &Local, collection: &str, cursor: Option<String>) -> Fact<DocumentPage> {
    let id: CollectionId = collection.parse().map_err(|_| {
        let found = format!("a collection is called `{collection}`, which no collection can be");
        Finding::failed(found, "restore the directory: docs/runbooks/data-loss.md")
    })?;
    let all = local.ask.tables.documents();
    let page = all.list(&local.tenant, &id, None, PAGE, cursor.as_deref()).await;
    let page = page.map_err(|error| {
        Finding::failed(chain(&error), "restore the directory: docs/runbooks/data-loss.md")
    })?;
    let documents = page.items.into_iter().map(Listed::from).collect();
    Ok(DocumentPage { documents, next_cursor: page.next })
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, extract::Query, http::StatusCode, routing::get};
    use serde_json::{Value, json};

    use super::*;
    use crate::commands::doctor::production::Verdict;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_come_fails_in_time() {
        let never = std::future::pending::<Result<(), ApiError>>();
        let finding = within(Duration::from_secs(3), never).await.unwrap_err();
        assert_eq!(finding.verdict, Verdict::Failed);
        assert!(finding.found.contains("3 s"), "{finding:?}");
    }

    #[tokio::test]
    async fn what_the_key_may_not_ask_is_skipped_and_what_breaks_fails() {
        for (status, verdict) in [
            (StatusCode::FORBIDDEN, Verdict::Skipped),
            (StatusCode::UNAUTHORIZED, Verdict::Skipped),
            (StatusCode::INTERNAL_SERVER_ERROR, Verdict::Failed),
        ] {
            let api = Api::InProcess(Router::new().route("/x", get(async move || status)));
            let finding = asked(api.get_json::<Value>("/x", &[])).await.unwrap_err();
            assert_eq!(finding.verdict, verdict, "{status}");
        }
    }

    #[tokio::test]
    async fn documents_are_listed_up_to_a_bound() {
        let page = async |Query(query): Query<Vec<(String, String)>>| {
            let cursor = query.iter().find(|(name, _)| name == "cursor");
            let from: usize = cursor.map_or(0, |(_, from)| from.parse().unwrap());
            let document = |number: usize| {
                json!({ "id": number.to_string(), "collection": "a", "name": "n", "state": "ready", "updated_at": "",
                    "live_version": 1, "latest_version": 1, "progress": { "chunks_total": 1 } })
            };
            let documents: Vec<Value> = (from..from + PAGE).map(document).collect();
            Json(json!({ "documents": documents, "next_cursor": (from + PAGE).to_string() }))
        };
        let api = Api::InProcess(Router::new().route("/v1/documents", get(page)));
        let place = Place::for_tests(api.clone());
        let collections = [Collection { id: "a".into(), settings: Value::Null }];
        let documents = listed(&place, &api, &collections).await.unwrap();
        assert_eq!((documents.listed.len(), documents.is_cut), (MAX_LISTED, true));
        assert_eq!(documents.listed.last().unwrap().id, (MAX_LISTED - 1).to_string());
    }
}
