use proptest::prelude::*;

use super::*;
use crate::{ids::DocumentId, time::Timestamp};

fn passage(number: u8, text: &str) -> Passage {
    Passage {
        tenant: "acme".parse().unwrap(),
        collection: "default".parse().unwrap(),
        document_id: DocumentId::new(Timestamp::from_millis(1), u128::from(number)),
        version: 1,
        ordinal: 0,
        document_name: "backup.md".into(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 100, end: 100 + text.len() },
        text: text.into(),
        text_sha256: String::new(),
        language: "eng".into(),
        acl: vec!["*".into()],
        metadata: serde_json::Map::new(),
    }
}

fn passages() -> Vec<Passage> {
    vec![
        passage(1, "Backups run daily at 03:00 UTC. They are encrypted with KMS."),
        passage(2, "Restores take four minutes on average."),
    ]
}

fn verified(draft: &str) -> Answer {
    verify(&Draft::new(draft.into()), &passages(), Unsupported::Mark)
}

#[test]
fn a_supported_sentence_cites_the_exact_span() {
    let answer = verified("Backups run daily at 03:00 UTC [1].");
    assert_eq!(answer.text(), "Backups run daily at 03:00 UTC [1].");
    assert_eq!(answer.sentences()[0].verdict, Verdict::Supported);
    let citation = &answer.citations()[0];
    assert_eq!((citation.start, citation.end), (100, 131));
    assert_eq!(citation.quote, "Backups run daily at 03:00 UTC.");
}

#[test]
fn an_invented_number_is_dropped_from_the_text() {
    let answer = verified("Backups run daily at 03:00 UTC [1]. The moon is made of cheese [7].");
    assert!(!answer.text().contains("[7]"));
    assert_eq!(answer.sentences()[1].verdict, Verdict::UnknownId);
    assert!(answer.sentences()[1].citations.is_empty());
}

#[test]
fn a_wrong_number_is_replaced_by_the_passage_that_says_it() {
    let answer = verified("Restores take four minutes on average [1].");
    assert_eq!(answer.citations()[0].document_id, passages()[1].document_id);
    assert_eq!(answer.sentences()[0].verdict, Verdict::Supported);
}

#[test]
fn a_changed_number_is_marked() {
    let answer = verified(
        "Backups run daily at 03:00 UTC [1]. Restores take ninety 90 minutes on average [2].",
    );
    assert_ne!(answer.sentences()[1].verdict, Verdict::Supported);
}

#[test]
fn nothing_supported_is_refused() {
    assert!(verified("Penguins live in Antarctica [1].").is_refused());
    assert!(verified("NO_ANSWER").is_refused());
    assert!(verified("").is_refused());
}

proptest! {
    #[test]
    fn every_kept_citation_is_a_substring_and_every_number_names_one(
            draft in "(Backups run daily|Restores take four minutes|[a-zA-Z\\[\\]0-9., ]|\\[[0-9]{1,2}\\]|\\. ){0,30}",
            policy in proptest::sample::select(vec![Unsupported::Mark, Unsupported::Cut, Unsupported::Refuse]),
        ) {
        let passages = passages();
        let answer = verify(&Draft::new(draft), &passages, policy);
        for citation in answer.citations() {
            let source = passages.iter().find(|passage| passage.document_id == citation.document_id).unwrap();
            let within = Span { start: citation.start - 100, end: citation.end - 100 };
            prop_assert_eq!(within.of(&source.text), Some(citation.quote.as_str()));
        }
        for sentence in answer.sentences() {
            prop_assert!(answer.text().get(sentence.start..sentence.end).is_some());
            for id in &sentence.citations {
                prop_assert!(answer.citations().iter().any(|citation| citation.id == *id));
            }
        }
    }
}
