//! An answer as it is kept, what it was made from, and whether that still holds.

use std::{collections::HashSet, sync::Arc};

use lectern_core::{
    answer::{Answer, Citation},
    auth::Caller,
    document::{Document, Version},
    ids::{CollectionId, DocumentId},
    passage::{Passage, ScoredPassage},
    time::Timestamp,
};
use lectern_tables::documents::DocumentsAndCollection;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{ANSWER_TTL, Caches, Epoch, Key, MAX_ANSWER_BYTES};

/// A kept answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptAnswer {
    /// The collection's epoch, read before the passages were looked for.
    epoch: Epoch,
    /// Until when it is kept.
    until: Timestamp,
    /// The answer.
    pub(crate) answer: Answer,
    /// The passages it was made from, with their scores: all that the model was shown, not only what it cites.
    passages: Vec<(Passage, f32)>,
    /// The places it cites, by which a damaged entry is noticed.
    cited: Vec<CitedPlace>,
}

/// A cited place: these bytes of this version have this hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CitedPlace {
    document_id: DocumentId,
    version: Version,
    start: usize,
    end: usize,
    sha256: String,
}

impl From<&Citation> for CitedPlace {
    fn from(citation: &Citation) -> Self {
        Self {
            document_id: citation.document_id.clone(),
            version: citation.version,
            start: citation.start,
            end: citation.end,
            sha256: hex::encode(Sha256::digest(&citation.quote)),
        }
    }
}

impl KeptAnswer {
    fn new(epoch: Epoch, until: Timestamp, answer: &Answer, passages: &[ScoredPassage]) -> Self {
        let passages = passages.iter().map(|found| (found.passage.clone(), found.score)).collect();
        let cited = answer.citations().iter().map(CitedPlace::from).collect();
        Self { epoch, until, answer: answer.clone(), passages, cited }
    }

    /// Returns the passages it was made from.
    pub(crate) fn passages(&self) -> Vec<ScoredPassage> {
        let scored = |(passage, score): &(Passage, f32)| ScoredPassage {
            passage: passage.clone(),
            score: *score,
        };
        self.passages.iter().map(scored).collect()
    }

    /// Returns the documents it was made from, each once.
    pub(crate) fn documents(&self) -> Vec<DocumentId> {
        let ids: HashSet<&DocumentId> = self.sources().map(|(id, _)| id).collect();
        ids.into_iter().cloned().collect()
    }

    /// Whether it may be given to `caller`, by the records as they were read after it was: the collection
    /// is in the same epoch, every document it was made from still shows that version to this caller, and the
    /// quotes are the bytes that were cited.
    pub(crate) fn holds(
        &self,
        caller: &Caller,
        collection_id: &CollectionId,
        records: &DocumentsAndCollection,
    ) -> bool {
        let Some(collection) = &records.collection else { return false };
        let shown = |(id, version): (&DocumentId, Version)| {
            let found = records.documents.iter().find(|document| document.id == *id);
            found.is_some_and(|document| is_shown(document, version, caller, collection_id))
        };
        Epoch::from(collection) == self.epoch && self.sources().all(shown) && self.is_intact()
    }

    fn sources(&self) -> impl Iterator<Item = (&DocumentId, Version)> {
        let passages =
            self.passages.iter().map(|(passage, _)| (&passage.document_id, passage.version));
        let cited = self.cited.iter().map(|place| (&place.document_id, place.version));
        passages.chain(cited)
    }

    fn is_intact(&self) -> bool {
        let citations = self.answer.citations();
        citations.len() == self.cited.len()
            && citations.iter().zip(&self.cited).all(|(citation, place)| {
                citation.end - citation.start == citation.quote.len()
                    && CitedPlace::from(citation) == *place
            })
    }
}

fn is_shown(
    document: &Document,
    version: Version,
    caller: &Caller,
    collection: &CollectionId,
) -> bool {
    document.shows(version) && document.collection == *collection && caller.may_see(&document.acl)
}

impl Caches {
    /// Returns the answer in memory, not yet verified.
    pub(crate) fn answer_in_memory(&self, key: &Key) -> Option<Arc<KeptAnswer>> {
        self.shared.answers.get(key, self.now())
    }

    /// Returns the answer in the table, not yet verified; it moves up into memory.
    pub(crate) async fn stored_answer(&self, key: &Key) -> Option<Arc<KeptAnswer>> {
        let bytes = self.stored(&[*key]).await.remove(key)?;
        // What an older or newer release wrote is not there.
        let kept: Arc<KeptAnswer> = Arc::new(serde_json::from_slice(&bytes).ok()?);
        self.shared.answers.put(*key, Arc::clone(&kept), bytes.len(), kept.until);
        Some(kept)
    }

    /// Keeps `answer`, made from `passages` that were looked for in or after `epoch`, in both tiers; the table's write waits for [`Caches::settle`].
    pub(crate) fn keep_answer(
        &self,
        key: Key,
        epoch: Epoch,
        answer: &Answer,
        passages: &[ScoredPassage],
    ) {
        let until = self.now() + ANSWER_TTL;
        let kept = KeptAnswer::new(epoch, until, answer, passages);
        let Ok(bytes) = serde_json::to_vec(&kept) else { return };
        self.shared.answers.put(key, Arc::new(kept), bytes.len(), until);
        if bytes.len() <= MAX_ANSWER_BYTES {
            self.write_later(key, bytes, until);
        }
    }

    /// Counts whether an answer came from the cache.
    pub(crate) fn count_answer(&self, is_hit: bool) {
        self.shared.counters.answers.add(usize::from(is_hit), usize::from(!is_hit));
    }
}

#[cfg(test)]
mod tests {
    use lectern_core::{
        extract::Extraction,
        passage::{ScoredPassage, Span},
    };

    use super::*;

    fn passage(text: &str) -> Passage {
        Passage {
            tenant: "acme".parse().unwrap(),
            collection: CollectionId::default_collection(),
            document_id: DocumentId::new(Timestamp::from_millis(1), 1),
            version: 3,
            ordinal: 0,
            document_name: "backup.md".into(),
            heading: String::new(),
            page: None,
            line: 1,
            span: Span { start: 7, end: 7 + text.len() },
            text: text.into(),
            text_sha256: String::new(),
            hostility: None,
            personal: None,
            language: "eng".into(),
            acl: vec!["*".into()],
            metadata: serde_json::Map::new(),
        }
    }

    #[test]
    fn an_entry_is_read_back_as_it_was_and_a_damaged_one_is_noticed() {
        let passage = passage("Backups run daily at 03:00 UTC.");
        let question = "When do backups run?".parse().unwrap();
        let found = [ScoredPassage { passage: passage.clone(), score: 1.0 }];
        let answer = Extraction::of(&question, &found).answer(Some(0.0));
        let epoch = Epoch { created_at: Timestamp::from_millis(1), generation: 4 };
        let found = [ScoredPassage { passage, score: 0.1 + 0.2 }];
        let kept = KeptAnswer::new(epoch, Timestamp::from_millis(9), &answer, &found);
        let json = serde_json::to_string(&kept).unwrap();
        let read: KeptAnswer = serde_json::from_str(&json).unwrap();
        assert_eq!((&read.answer, read.passages()), (&answer, found.to_vec()));
        assert!(read.is_intact() && !read.answer.is_refused());

        for (was, is) in [
            (r#""quote":"Backups run daily at 03:00"#, r#""quote":"Backups run daily at 04:00"#),
            (
                r#""version":3,"page":null,"line":1,"start""#,
                r#""version":4,"page":null,"line":1,"start""#,
            ),
            (r#""end":38,"quote""#, r#""end":39,"quote""#),
            (r#""sha256":""#, r#""sha256":"0"#),
        ] {
            let damaged = json.replacen(was, is, 1);
            assert_ne!(damaged, json, "{was}");
            let damaged: KeptAnswer = serde_json::from_str(&damaged).unwrap();
            assert!(!damaged.is_intact(), "{was} became {is}");
        }
    }
}
