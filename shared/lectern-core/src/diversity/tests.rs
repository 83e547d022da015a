use proptest::prelude::*;

use super::*;
use crate::{
    passage::{Passage, Span},
    time::Timestamp,
};

fn found(document: u64, text: &str, score: f32) -> ScoredPassage {
    let passage = Passage {
        tenant: "acme".parse().unwrap(),
        collection: "default".parse().unwrap(),
        document_id: DocumentId::new(Timestamp::from_millis(document), u128::from(document)),
        version: 1,
        ordinal: 0,
        document_name: String::new(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 0, end: text.len() },
        text: text.to_owned(),
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: "eng".into(),
        acl: vec![],
        metadata: serde_json::Map::new(),
    };
    ScoredPassage { passage, score }
}

fn plain(limit: usize) -> Arrangement {
    Arrangement { limit, collapse: 0.0, mmr: None, per_document: None, grouped: false }
}

const BACKUPS: &str = "Backups are written at night and kept in another region for a whole month";
const LUNCH: &str = "Lunch is served in the canteen on the ground floor from noon until two";

fn four() -> Vec<ScoredPassage> {
    vec![
        found(1, BACKUPS, 4.0),
        found(2, &format!("{BACKUPS}."), 3.9),
        found(1, "Backups are encrypted before they leave the region they were made in", 3.0),
        found(3, LUNCH, 2.9),
    ]
}

#[test]
fn without_wishes_the_ranking_stands() {
    assert_eq!(arrange(&four(), &plain(3)), [0, 1, 2]);
    assert_eq!(arrange(&[], &plain(3)), [0; 0]);
    let many: Vec<ScoredPassage> = (0..200).map(|n| found(n, BACKUPS, 1.0)).collect();
    assert_eq!(arrange(&many, &plain(usize::MAX)).len(), MAX_CHOSEN);
}

#[test]
fn repetitions_are_left_out() {
    let wanted = Arrangement { collapse: 0.9, ..plain(10) };
    assert_eq!(arrange(&four(), &wanted), [0, 2, 3]);
}

#[test]
fn a_document_has_its_share_and_can_stand_together() {
    let wanted = Arrangement { per_document: Some(1), ..plain(10) };
    assert_eq!(arrange(&four(), &wanted), [0, 1, 3]);
    let grouped = Arrangement { grouped: true, ..plain(2) };
    assert_eq!(arrange(&four(), &grouped), [0, 2, 1], "two documents, with all they have");
    let best = Arrangement { per_document: Some(1), ..grouped };
    assert_eq!(arrange(&four(), &best), [0, 1]);
}

#[test]
fn mmr_prefers_what_was_not_said() {
    let by = |lambda| Arrangement { mmr: Some(Mmr { lambda }), ..plain(3) };
    assert_eq!(arrange(&four(), &by(1.0)), [0, 1, 2], "relevance alone");
    let varied = arrange(&four(), &by(0.3));
    assert_eq!(varied[0], 0, "the best stays first");
    assert!(!varied.contains(&1), "the repetition comes last: {varied:?}");
}

proptest! {
    #[test]
    fn every_choice_keeps_its_promises(
        scored in proptest::collection::vec((0_u64..6, 0_usize..4, 0.0_f32..1.0), 0..80),
        limit in 1_usize..30,
        per_document in proptest::option::of(1_usize..4),
        lambda in proptest::option::of(0.0_f32..=1.0),
        collapse in proptest::sample::select(vec![0.0_f32, 0.9]),
        grouped: bool,
    ) {
        let texts = [BACKUPS, LUNCH, "Holidays are booked in the calendar", "Keys rotate"];
        let mut ranked: Vec<ScoredPassage> =
            scored.iter().map(|(document, text, score)| found(*document, texts[*text], *score)).collect();
        ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
        let mmr = lambda.map(|lambda| Mmr { lambda });
        let wanted = Arrangement { limit, collapse, mmr, per_document, grouped };
        let places = arrange(&ranked, &wanted);
        let distinct: std::collections::HashSet<_> = places.iter().collect();
        prop_assert_eq!(distinct.len(), places.len());
        prop_assert_eq!(&places, &arrange(&ranked, &wanted));
        let document = |place: &usize| &ranked[*place].passage.document_id;
        let documents: std::collections::HashSet<_> = places.iter().map(document).collect();
        if grouped {
            prop_assert!(documents.len() <= limit);
            let runs = places.chunk_by(|one, other| document(one) == document(other)).count();
            prop_assert_eq!(runs, documents.len(), "a document's passages stand together");
        } else {
            prop_assert!(places.len() <= limit);
        }
        if let Some(most) = per_document {
            for id in documents {
                prop_assert!(places.iter().filter(|place| document(place) == id).count() <= most);
            }
        }
        if collapse > 0.0 {
            let mut texts: Vec<_> = places.iter().map(|place| &ranked[*place].passage.text).collect();
            texts.sort();
            texts.dedup();
            prop_assert_eq!(texts.len(), places.len());
        }
        if !ranked.is_empty() && !places.is_empty() {
            prop_assert_eq!(places.contains(&0), true, "the best is always there");
        }
    }
}
