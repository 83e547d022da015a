//! A question whose answer is known, asked as everybody asks: plant a document → ask → compare the citation.
//!
//! What only pings say works may still answer nothing: an index that lost its passages, a model that takes calls and fails them,
//! records that no longer fit the files. The document belongs to a tenant of its own, which is in no backup.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lectern_core::{
    auth::Caller,
    document::{Document, DocumentState, Metadata},
    errors::chain,
    ids::{CollectionId, TenantId},
    passage::Scope,
};
use lectern_tables::{Tables, collections::Collection};
use tokio::sync::{Mutex, mpsc};
use tracing::warn;

use crate::{
    ask::{Ask, AskRequest, Asked, EVENT_BUFFER},
    errors::FlowError,
    health::{Check, Status},
    search::millis,
    upload::{NewDocument, Upload},
};

/// The tenant it belongs to.
pub const TENANT: &str = "lectern-canary";
/// Name of the document.
const NAME: &str = "canary.md";
const TEXT: &str = "# The canary\n\nThe canary of this deployment sings at 04:17 every morning. Nobody else hears it.\n";
const QUESTION: &str = "At what time does the canary of this deployment sing?";
/// What every right answer cites.
const FACT: &str = "04:17";
/// How long the document stands before it is planted anew.
const STANDS: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the answer may take.
const TIME: Duration = Duration::from_secs(10);
/// How long what was found holds: a question costs what questions cost.
const HOLDS: Duration = Duration::from_secs(30);

/// Asks. Clones share what was found.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Answers.
    pub ask: Ask,
    /// Plants the document where it is missing; where somebody else does, nothing.
    pub upload: Option<Upload>,
    found: Arc<Mutex<Option<(Instant, Check)>>>,
}

/// What became of the question.
#[derive(Clone, Copy, Debug)]
enum Heard {
    /// It was not asked: its document is not there yet.
    NotYet(&'static str),
    /// It was asked, and cost what a question costs.
    Asked(Status, Option<&'static str>),
}

/// Stores the document if it is not there, or stands there for a day: so ingestion is asked as well, and a restored index gets it
/// again. Returns whether it did.
///
/// # Errors
/// When a port fails.
pub async fn plant(upload: &Upload) -> Result<bool, FlowError> {
    let (tenant, collection) = (tenant(), CollectionId::default_collection());
    let now = upload.clock.now();
    let planted = document(&upload.tables).await?;
    if planted.as_ref().is_some_and(|document| now.since(document.updated_at) < STANDS) {
        return Ok(false);
    }
    let place = Collection::new(tenant.clone(), collection.clone(), "Canary".into(), now);
    upload.tables.collections().create_if_absent(&place).await?;
    let new = NewDocument {
        collection,
        document_id: planted.map(|document| document.id),
        new_id: None,
        name: NAME.into(),
        // Other bytes each time, or it would be the document that is there.
        bytes: format!("{TEXT}\nPlanted at second {}.\n", now.as_secs()).into(),
        acl: Vec::new(),
        metadata: Metadata::new(),
    };
    upload.upload(&Caller::operator(tenant), new).await?;
    Ok(true)
}

async fn document(tables: &Tables) -> Result<Option<Document>, FlowError> {
    let collection = CollectionId::default_collection();
    let page = tables.documents().list(&tenant(), &collection, None, 1, None).await?;
    Ok(page.items.into_iter().next())
}

fn tenant() -> TenantId {
    TENANT.parse().expect("the name is a slug")
}

impl Canary {
    /// Returns what asks through these.
    #[must_use]
    pub fn new(ask: Ask, upload: Option<Upload>) -> Self {
        Self { ask, upload, found: Arc::default() }
    }

    /// Returns how the question was answered, now or within the last half minute.
    pub async fn check(&self) -> Check {
        let mut found = self.found.lock().await;
        if let Some((at, check)) = &*found
            && at.elapsed() < HOLDS
        {
            return check.clone();
        }
        let started = Instant::now();
        let heard = self.listen().await.unwrap_or_else(|error| {
            warn!(error = %chain(&error), "the canary was not answered");
            Heard::Asked(Status::Down, Some("questions are answered with an error: see the log"))
        });
        let (status, detail) = match heard {
            Heard::NotYet(detail) => (Status::Degraded, Some(detail)),
            Heard::Asked(status, detail) => (status, detail),
        };
        let latency_ms = millis(started.elapsed());
        let check = Check {
            name: "canary",
            status,
            latency_ms,
            age_seconds: None,
            quota_left: None,
            detail,
        };
        // What is not there yet is soon, and looking for it costs nothing.
        if matches!(heard, Heard::Asked(..)) {
            *found = Some((Instant::now(), check.clone()));
        }
        check
    }

    async fn listen(&self) -> Result<Heard, FlowError> {
        if let Some(upload) = &self.upload {
            plant(upload).await?;
        }
        let Some(document) = document(&self.ask.tables).await? else {
            return Ok(Heard::NotYet("its document is being planted: ask again in a minute"));
        };
        if document.live_version.is_none() {
            let detail = match document.state {
                DocumentState::Failed => "its document could not be ingested: see the log",
                _ => "its document waits to be ingested: ask again in a minute",
            };
            return Ok(Heard::NotYet(detail));
        }
        let tenant = tenant();
        let asked = self.asked(Caller::operator(tenant.clone())).await?;
        let is_cited =
            asked.answer.citations().iter().any(|citation| {
                citation.document_id == document.id && citation.quote.contains(FACT)
            });
        if is_cited && asked.degraded.is_empty() {
            return Ok(Heard::Asked(Status::Ok, None));
        }
        if is_cited {
            let detail = "the answer had to do without a stage: see `checks`";
            return Ok(Heard::Asked(Status::Degraded, Some(detail)));
        }
        let scope = Scope::document(&tenant, &document.id);
        let detail = if self.ask.search.passages.count(&scope).await? == 0 {
            "the index has lost passages whose documents are ready: see docs/runbooks/data-loss.md"
        } else {
            "the answer does not cite what it is known to stand in"
        };
        Ok(Heard::Asked(Status::Down, Some(detail)))
    }

    async fn asked(&self, caller: Caller) -> Result<Asked, FlowError> {
        let request = AskRequest {
            collection: CollectionId::default_collection(),
            question: QUESTION.parse().expect("the question is one"),
            filter: None,
            mmr: None,
            session_id: None,
            time_budget: TIME,
            cache: false,
        };
        let (events, mut heard) = mpsc::channel(EVENT_BUFFER);
        let listening = async { while heard.recv().await.is_some() {} };
        let asking = async {
            let asked = self.ask.ask(&caller, &request, &events).await;
            drop(events);
            asked
        };
        let (asked, ()) = tokio::join!(asking, listening);
        asked
    }
}
