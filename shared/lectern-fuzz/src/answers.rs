//! Drafts and questions: whatever a model or a person writes, quotes are the bytes at their offsets.

use lectern_core::{
    answer::{Answer, Draft},
    citations::verify,
    extract::Extraction,
    followup::{self, Earlier},
    ids::{CollectionId, DocumentId},
    passage::{EVERYBODY, Passage, ScoredPassage, Span},
    question::Question,
    settings::Unsupported,
    time::Timestamp,
};

use crate::SEPARATOR;

/// Where a passage begins in its document.
const OFFSET: usize = 100;
/// Most passages: as many as a prompt has.
const MAX_PASSAGES: usize = 20;

/// A draft, then passages.
pub(crate) fn citations(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split(SEPARATOR);
    let draft = Draft::new(parts.next().unwrap_or_default().to_owned());
    let passages: Vec<Passage> = parts.take(MAX_PASSAGES).enumerate().map(passage).collect();
    for policy in [Unsupported::Mark, Unsupported::Cut, Unsupported::Refuse] {
        check(&verify(&draft, &passages, policy), &passages);
    }
}

/// A question, earlier ones, then passages.
pub(crate) fn questions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split(SEPARATOR);
    let Ok(question) = parts.next().unwrap_or_default().parse::<Question>() else { return };
    let earlier = parts.next().unwrap_or_default();
    let earlier: Vec<Earlier<'_>> =
        earlier.lines().map(|question| Earlier { question, standalone: None }).collect();
    let _ = followup::read(&earlier, &question);
    let found: Vec<ScoredPassage> = parts
        .take(MAX_PASSAGES)
        .enumerate()
        .map(|part| ScoredPassage { passage: passage(part), score: 1.0 })
        .collect();
    let answer = Extraction::of(&question, &found).answer(None);
    let passages: Vec<Passage> = found.into_iter().map(|one| one.passage).collect();
    check(&answer, &passages);
}

fn check(answer: &Answer, passages: &[Passage]) {
    let mut end = 0;
    for sentence in answer.sentences() {
        assert!(sentence.start >= end && sentence.start < sentence.end, "sentences stand in order");
        assert!(answer.text().get(sentence.start..sentence.end).is_some(), "of whole characters");
        end = sentence.end;
        for id in &sentence.citations {
            assert!(
                answer.citations().iter().any(|citation| citation.id == *id),
                "no invented number"
            );
        }
    }
    for citation in answer.citations() {
        let source = passages.iter().find(|passage| passage.document_id == citation.document_id);
        let source = source.expect("a citation is of a passage that was given");
        let (start, end) = (citation.start - source.span.start, citation.end - source.span.start);
        assert_eq!(source.text.get(start..end), Some(&*citation.quote), "byte for byte");
    }
}

fn passage((number, text): (usize, &str)) -> Passage {
    Passage {
        tenant: "fuzz".parse().unwrap(),
        collection: CollectionId::default_collection(),
        document_id: DocumentId::new(Timestamp::from_millis(1), number as u128),
        version: 1,
        ordinal: 0,
        document_name: "a.md".to_owned(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: OFFSET, end: OFFSET + text.len() },
        text: text.to_owned(),
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: "eng".to_owned(),
        acl: vec![EVERYBODY.to_owned()],
        metadata: serde_json::Map::new(),
    }
}
