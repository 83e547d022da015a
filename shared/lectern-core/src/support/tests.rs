use super::*;
use crate::{ids::DocumentId, passage::Passage, time::Timestamp};

fn passage(text: &str, language: &str) -> Passage {
    Passage {
        tenant: "acme".parse().unwrap(),
        collection: "default".parse().unwrap(),
        document_id: DocumentId::new(Timestamp::from_millis(1), 1),
        version: 1,
        ordinal: 0,
        document_name: "report.md".into(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 0, end: text.len() },
        text: text.into(),
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: language.into(),
        acl: vec!["*".into()],
        metadata: serde_json::Map::new(),
    }
}

fn support(claim: &str, text: &str, language: &str) -> Option<Support> {
    Evidence::of(&[passage(text, language)]).best_support(claim, 0)
}

fn is_full(claim: &str, text: &str, language: &str) -> bool {
    support(claim, text, language).is_some_and(|support| support.is_full())
}

const BACKUPS: &str =
    "Backups run daily at 03:00 UTC. They are kept for 30 days. Nobody may delete them.";

#[test]
fn finds_the_sentence_that_says_it() {
    let found = support("Backups are run daily at 03:00 UTC.", BACKUPS, "eng").unwrap();
    assert!(found.is_full());
    assert_eq!(found.span.of(BACKUPS), Some("Backups run daily at 03:00 UTC."));
}

#[test]
fn takes_in_a_second_sentence_when_the_claim_needs_it() {
    let claim = "Backups run daily at 03:00 UTC and are kept for 30 days.";
    let found = support(claim, BACKUPS, "eng").unwrap();
    assert!(found.is_full());
    assert_eq!(
        found.span.of(BACKUPS),
        Some("Backups run daily at 03:00 UTC. They are kept for 30 days.")
    );
}

#[test]
fn a_changed_number_unit_or_an_added_negation_is_a_conflict() {
    let conflict = |claim: &str| support(claim, BACKUPS, "eng").unwrap().conflict;
    assert_eq!(conflict("Backups are kept for 90 days."), Some(Conflict::Number));
    assert_eq!(conflict("Backups are kept for 30 months."), Some(Conflict::Unit));
    assert_eq!(conflict("Backups do not run daily at 03:00 UTC."), Some(Conflict::Negation));
    assert!(support("Penguins live in Antarctica.", BACKUPS, "eng").is_none());
}

#[test]
fn a_neighbour_that_denies_nothing_does_not_hide_a_negation() {
    let text = "Backups do not run on Sundays. They take an hour.";
    assert!(!is_full("Backups run on Sundays.", text, "eng"));
    assert!(is_full("Backups do not run on Sundays.", text, "eng"));
    assert!(is_full("Backups never run on Sundays.", text, "eng"));
}

#[test]
fn negation_is_seen_in_every_language_with_a_vocabulary() {
    for (language, text, denied) in [
        (
            "deu",
            "Die Sicherung wird jede Nacht gelöscht.",
            "Die Sicherung wird nicht jede Nacht gelöscht.",
        ),
        ("spa", "La copia se borra cada noche.", "La copia no se borra cada noche."),
        (
            "fra",
            "La sauvegarde est supprimée chaque nuit.",
            "La sauvegarde n'est pas supprimée chaque nuit.",
        ),
        ("urd", "بیک اپ ہر رات حذف کیا جاتا ہے۔", "بیک اپ ہر رات حذف نہیں کیا جاتا ہے۔"),
        ("ara", "تحذف النسخة الاحتياطية كل ليلة.", "لا تحذف النسخة الاحتياطية كل ليلة."),
        ("hin", "बैकअप हर रात हटाया जाता है।", "बैकअप हर रात नहीं हटाया जाता है।"),
        ("cmn", "备份每天晚上删除。", "备份每天晚上不删除。"),
    ] {
        assert!(is_full(text, text, language), "{language}");
        assert!(is_full(denied, denied, language), "{language}");
        for (claim, evidence) in [(denied, text), (text, denied)] {
            let found = support(claim, evidence, language).unwrap();
            assert_eq!(found.conflict, Some(Conflict::Negation), "{claim} / {evidence}");
        }
    }
}

#[test]
fn numbers_may_be_written_otherwise_but_not_stand_elsewhere() {
    let text =
        "From 1073 to 1074, 8,000 of the 20,000 troops of the general Philaretus were Normans.";
    assert!(is_full(
        "8000 of the 20000 troops of the general Philaretus were Normans.",
        text,
        "eng"
    ));
    assert!(!is_full(
        "From 1074 to 1073, 8,000 of the 20,000 troops of the general were Normans.",
        text,
        "eng"
    ));
    assert!(!is_full(
        "20,000 of the 8,000 troops of the general Philaretus were Normans.",
        text,
        "eng"
    ));
}

#[test]
fn names_keep_their_roles() {
    let text = "Oracle acquired Sun Microsystems in 2010.";
    assert!(is_full("In 2010, Oracle acquired Sun Microsystems.", text, "eng"));
    assert!(!is_full("Sun Microsystems acquired Oracle in 2010.", text, "eng"));
    assert!(!is_full("Microsoft acquired Sun Microsystems in 2010.", text, "eng"));
}

#[test]
fn a_name_may_stand_for_a_pronoun() {
    let text = "The Normans came to Italy. They were descended from raiders of the north.";
    assert!(is_full("The Normans were descended from raiders of the north.", text, "eng"));
}

#[test]
fn a_clause_that_nothing_says_leaves_partial_support() {
    let claim =
        "Backups run daily at 03:00 UTC and consume eleven hundred watts of solar electricity.";
    let found = support(claim, BACKUPS, "eng").unwrap();
    assert!(!found.is_full());
    let claim = "Backups run daily at 03:00 UTC because managers fear sudden ransomware attacks.";
    let found = support(claim, BACKUPS, "eng").unwrap();
    assert!(!found.is_full() && found.is_partial(), "{found:?}");
}

#[test]
fn a_semantic_check_helps_other_words_but_not_a_conflict() {
    let text = "Backups are kept for 30 days in another region.";
    let passages = [passage(text, "eng")];
    let alike = |_: &str, _: &str| 0.95;
    let evidence = Evidence::of(&passages).with_similarity(&alike);
    let reworded = "For 30 days backups remain stored somewhere foreign, reachable.";
    assert!(!is_full(reworded, text, "eng"));
    assert!(evidence.best_support(reworded, 0).unwrap().is_full());
    assert!(
        !evidence
            .best_support("Backups are kept for 90 days in another region.", 0)
            .unwrap()
            .is_full()
    );
}

proptest::proptest! {
    #[test]
    fn a_sentence_of_the_passage_supports_itself(text in "([A-Za-z0-9%$,()\\[\\]\"' ]|not |1,000 |May |ہے |的|不|\\. ){1,60}") {
        for span in crate::sentences::sentences(&text) {
            let sentence = span.of(&text).unwrap();
            let found = support(sentence, &text, "eng").unwrap();
            proptest::prop_assert!(found.is_full());
            proptest::prop_assert_eq!(found.span.of(&text), Some(sentence));
        }
    }

    #[test]
    fn any_claim_against_any_text_gives_a_span_of_it(claim in "\\PC{0,80}", text in "\\PC{0,200}", language in "eng|deu|fra|urd|ara|hin|cmn|und") {
        if let Some(found) = support(&claim, &text, &language) {
            proptest::prop_assert!(found.span.of(&text).is_some_and(|quote| !quote.is_empty()));
            proptest::prop_assert!((0.0..=1.0).contains(&found.coverage));
        }
    }
}
