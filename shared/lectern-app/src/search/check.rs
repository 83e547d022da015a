//! Which candidates may be shown: those whose document's record says so.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use lectern_core::{
    auth::Caller,
    diversity::{Arrangement, arrange},
    document::Document,
    errors::PortError,
    ids::DocumentId,
    passage::ScoredPassage,
};

use super::{Found, Search, SearchRequest, SearchTimings, Similar, degraded, millis};
use crate::errors::FlowError;

/// How often a search that raced with a version switch is repeated.
const MAX_REPEATS: usize = 3;
/// Further documents whose records are read with those of the chosen passages, in case some are not shown. Doubles
/// with each round.
const SPARE_DOCUMENTS: usize = 4;

/// Passages that may be shown, arranged.
struct Shown {
    passages: Vec<ScoredPassage>,
    /// Whether a document lost all its passages to a switch that happened since the search.
    raced: bool,
}

impl Search {
    /// Keeps what the documents' records say may be shown.
    pub(crate) async fn check(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        similar: Similar,
    ) -> Result<Found, FlowError> {
        let started = Instant::now();
        let Similar { settings, query, ranked, wanted, mut degraded, .. } = similar;
        let mut shown = self.shown(caller, request, ranked, &wanted).await?;

        // A version was switched between the search and the check: neither version of that document
        // would be shown, so the search is repeated.
        for _ in 0..MAX_REPEATS {
            if !shown.raced {
                break;
            }
            let fused = self.fuse(self.passages.search(&query).await?, &settings);
            let remaining = request.time_budget.saturating_sub(started.elapsed());
            let ranked = self.rerank(&request.question, fused, &settings, remaining).await;
            if ranked.is_degraded && !degraded.contains(&degraded::RERANK) {
                degraded.push(degraded::RERANK);
            }
            shown = self.shown(caller, request, ranked.passages, &wanted).await?;
        }
        let timings = SearchTimings {
            embed: millis(similar.embedded),
            retrieve: millis(similar.retrieved + started.elapsed()),
            rerank: millis(similar.reranked),
        };
        let (passages, vector) = (shown.passages, query.dense);
        let keeps_question = settings.audit.questions;
        Ok(Found { passages, vector, degraded, timings, cache: similar.cache, keeps_question })
    }

    /// Arranges the candidates, reads the records of those chosen, leaves out what may not be shown, and again
    /// until everything chosen may. Nearly always one read, of few records.
    async fn shown(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        mut ranked: Vec<ScoredPassage>,
        wanted: &Arrangement,
    ) -> Result<Shown, FlowError> {
        let mut read: HashSet<DocumentId> = HashSet::new();
        let mut spare = SPARE_DOCUMENTS;
        let mut raced = false;
        loop {
            let places = arrange(&ranked, wanted);
            let chosen = places.iter().map(|place| &ranked[*place]);
            let mut unread = unread(chosen, &read);
            if unread.is_empty() {
                let passages = places.into_iter().map(|place| ranked[place].clone()).collect();
                return Ok(Shown { passages, raced });
            }
            let more: HashSet<DocumentId> = read.iter().chain(&unread).cloned().collect();
            unread.extend(self::unread(ranked.iter(), &more).into_iter().take(spare));
            spare *= 2;

            let records = self.records(caller, &unread).await?;
            let is_unread: HashSet<&DocumentId> = unread.iter().collect();
            let (kept, dropped): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|found| {
                !is_unread.contains(&found.passage.document_id)
                    || is_shown(caller, request, &records, found)
            });
            raced |= has_raced(caller, &records, &kept, &dropped);
            ranked = kept;
            read.extend(unread);
        }
    }

    async fn records(
        &self,
        caller: &Caller,
        ids: &[DocumentId],
    ) -> Result<HashMap<DocumentId, Document>, PortError> {
        let documents = self.tables.documents().get_many(&caller.tenant, ids).await?;
        Ok(documents.into_iter().map(|document| (document.id.clone(), document)).collect())
    }
}

/// Returns the documents of some passages that are not in `read`, each once, in order.
fn unread<'a>(
    passages: impl Iterator<Item = &'a ScoredPassage>,
    read: &HashSet<DocumentId>,
) -> Vec<DocumentId> {
    let mut seen = HashSet::new();
    let ids = passages.map(|found| &found.passage.document_id);
    ids.filter(|id| !read.contains(*id) && seen.insert(*id)).cloned().collect()
}

fn is_shown(
    caller: &Caller,
    request: &SearchRequest,
    records: &HashMap<DocumentId, Document>,
    found: &ScoredPassage,
) -> bool {
    let record = records.get(&found.passage.document_id);
    record.is_some_and(|document| {
        document.shows(found.passage.version)
            && document.collection == request.collection
            && may_see(caller, document)
    })
}

/// Whether a document that the caller may see has a newer version than all of its passages that were found.
fn has_raced(
    caller: &Caller,
    records: &HashMap<DocumentId, Document>,
    kept: &[ScoredPassage],
    dropped: &[ScoredPassage],
) -> bool {
    dropped.iter().any(|found| {
        let id = &found.passage.document_id;
        let is_newer = |document: &Document| {
            document.live_version.is_some_and(|live| live > found.passage.version)
        };
        records.get(id).is_some_and(|document| is_newer(document) && may_see(caller, document))
            && !kept.iter().any(|other| other.passage.document_id == *id)
    })
}

/// The ACL is filtered in the index; the record's, which may be newer, decides.
fn may_see(caller: &Caller, document: &Document) -> bool {
    caller.may_see(&document.acl)
}
