use proptest::prelude::*;

use super::*;
use crate::{
    chunking::{ChunkSettings, chunk},
    ids::DocumentId,
    passage::Span,
    text::{Block, BlockKind},
    time::Timestamp,
};

const PHONE: &str = "0301234567";
/// What is a telephone number only because the line before says so.
const LABELLED: &str = "Telephone: 0301234567";

fn all() -> Kinds {
    Kind::ALL.into_iter().collect()
}

fn only(kind: Kind) -> Kinds {
    [kind].into_iter().collect()
}

fn block(kind: BlockKind, text: &str) -> Block {
    Block { kind, text: text.to_owned(), page: None }
}

/// Returns the passages of a document as ingestion makes them.
fn passages(document: &ParsedText) -> Vec<Passage> {
    let survey = Survey::of(document);
    let settings = ChunkSettings::parse(64, 8, 128).unwrap();
    let make = |chunk: &Chunk| Passage {
        tenant: "acme".parse().unwrap(),
        collection: "default".parse().unwrap(),
        document_id: DocumentId::new(Timestamp::from_millis(1), 1),
        version: 1,
        ordinal: chunk.ordinal,
        document_name: "a.md".into(),
        heading: chunk.heading.clone(),
        page: chunk.page,
        line: 1,
        span: chunk.span,
        text: chunk.span.of(&document.text).unwrap().to_owned(),
        text_sha256: "0".repeat(64),
        hostility: None,
        personal: Some(survey.places(chunk)),
        language: "eng".into(),
        acl: vec!["*".into()],
        metadata: serde_json::Map::new(),
    };
    chunk(document, &settings).iter().map(make).collect()
}

fn passage(text: &str) -> Passage {
    let document = ParsedText::assemble(None, vec![block(BlockKind::Paragraph, text)]);
    passages(&document).remove(0)
}

/// Returns the part of `document` that stands at `range`, as its passage.
fn cut(document: &str, range: Range<usize>) -> Passage {
    let parsed = ParsedText { title: None, text: document.to_owned(), blocks: Vec::new() };
    let span = Span { start: range.start, end: range.end };
    let chunk = Chunk { ordinal: 0, span, heading: String::new(), page: None };
    let personal = Some(Survey::of(&parsed).places(&chunk));
    Passage { span, text: document[range].to_owned(), personal, ..passage("x") }
}

#[test]
fn a_cut_hides_nothing() {
    assert_eq!(find(PHONE, &Kind::ALL), [], "by itself it is any number");
    assert_eq!(redacted(LABELLED.into(), all()), "Telephone: **********");
    let number = LABELLED.find(PHONE).unwrap();
    for start in 0..LABELLED.len() {
        let mut part = cut(LABELLED, start..LABELLED.len());
        part.redact(all());
        assert!(part.text.ends_with(&"*".repeat(10.min(LABELLED.len() - start))), "{start}");
        assert_eq!(part.text, redacted(LABELLED.into(), all())[start..], "{start}");
    }
    let mut head = cut(LABELLED, 0..number + 4);
    head.redact(all());
    assert_eq!(head.text, "Telephone: ****");
}

#[test]
fn only_what_is_asked_for_is_covered() {
    let text = "Write to a@example.com, or call +49 30 1234567.";
    let mut found = passage(text);
    let untouched = found.clone();
    found.redact(Kinds::NONE);
    assert_eq!(found, untouched);
    found.redact(only(Kind::Card));
    assert_eq!((&found.text, &found.text_sha256), (&untouched.text, &untouched.text_sha256));
    found.redact(only(Kind::Email));
    assert_eq!(found.text, "Write to *************, or call +49 30 1234567.");
    assert_eq!(found.text_sha256, hex::encode(Sha256::digest(&found.text)));
    let kinds = |passage: &Passage| -> Vec<Kind> {
        passage.personal.iter().flat_map(|places| &places.text).map(|place| place.kind).collect()
    };
    assert_eq!(kinds(&found), [Kind::Phone], "what is covered is there no more");
    found.redact(all());
    assert_eq!(found.text, redacted(text.into(), all()));
    assert_eq!(kinds(&found), []);
}

#[test]
fn what_nobody_looked_at_is_looked_at() {
    let text = "Write to a@example.com.";
    for personal in [
        None,
        // Of another text, or damaged.
        Some(Places {
            text: vec![Place { start: 0, end: 99, kind: Kind::Card }],
            ..Places::default()
        }),
        Some(Places {
            heading: vec![Place { start: 5, end: 4, kind: Kind::Card }],
            ..Places::default()
        }),
    ] {
        let heading = "Mail of b@example.com".to_owned();
        let mut old = Passage { personal, heading, ..passage(text) };
        old.redact(only(Kind::Email));
        assert_eq!(old.text, "Write to *************.");
        assert_eq!(old.heading, "Mail of *************");
    }
}

#[test]
fn headings_are_covered_as_the_text_is() {
    let body = "Ask for the porter when you call. ".repeat(12);
    let document = ParsedText::assemble(
        Some("Mail  to a@example.com".into()),
        vec![
            block(BlockKind::Heading { level: 1 }, "Order number"),
            block(BlockKind::Heading { level: 2 }, LABELLED),
            block(BlockKind::Paragraph, &body),
        ],
    );
    let mut found = passages(&document);
    let path = format!("Mail to a@example.com › Order number › {LABELLED}");
    assert!(found.iter().any(|passage| passage.heading == path), "{found:?}");
    found.iter_mut().for_each(|passage| passage.redact(all()));
    for passage in &found {
        let shown = passage.indexed_text();
        assert!(!shown.contains(PHONE) && !shown.contains("example.com"), "{shown}");
    }
    let covered = "Mail to ************* › Order number › Telephone: **********";
    assert!(found.iter().any(|passage| passage.heading == covered), "{found:?}");
}

#[test]
fn a_redacted_document_is_the_same_but_for_what_is_covered() {
    let blocks = vec![
        block(BlockKind::Heading { level: 1 }, "Write to a@example.com"),
        block(BlockKind::TableHeader, "name | telephone"),
        block(BlockKind::TableRow, "porter | +49 30 1234567"),
    ];
    let whole = ParsedText::assemble(Some("Write to a@example.com".into()), blocks);
    let mut document = whole.clone();
    document.redact(only(Kind::Email));
    assert_eq!(document.title.as_deref(), Some("Write to *************"));
    assert_eq!(document.text, redacted(whole.text.clone(), only(Kind::Email)));
    assert_eq!(document.blocks, whole.blocks);
    assert!(document.text.contains("+49 30 1234567"));
    for passage in passages(&document) {
        assert!(!passage.indexed_text().contains("example.com"));
        assert_eq!(passage.span.of(&document.text), Some(passage.text.as_str()));
    }
    document.redact(Kinds::NONE);
    assert!(document.text.contains("+49 30 1234567"));
}

#[test]
fn an_old_record_reads_and_a_new_one_reads_back() {
    let found = passage("Write to a@example.com.");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(
        json["personal"],
        serde_json::json!({"text": [{"start": 9, "end": 22, "kind": "email"}]})
    );
    assert_eq!(serde_json::from_value::<Passage>(json.clone()).unwrap(), found);
    let mut old = json;
    old.as_object_mut().unwrap().remove("personal");
    let old: Passage = serde_json::from_value(old).unwrap();
    assert_eq!(old.personal, None);
    assert!(!serde_json::to_string(&old).unwrap().contains("personal"));
    // Nothing found is not the same as nobody looked.
    let nothing = passage("Nothing here.");
    assert_eq!(nothing.personal, Some(Places::default()));
    let json = serde_json::to_value(&nothing).unwrap();
    assert_eq!(serde_json::from_value::<Passage>(json).unwrap(), nothing);
}

proptest! {
    /// What is quoted from a passage stands in the document as it is shown, wherever chunks are cut.
    #[test]
    fn passages_are_pieces_of_the_redacted_document(
        words in proptest::collection::vec(
            prop_oneof![
                Just("Telephone:".to_owned()), Just("a@example.com".to_owned()),
                Just("4111 1111 1111 1111".to_owned()), Just("\u{664}\u{665}\u{666}".to_owned()),
                "[0-9]{3,10}", "[a-zé]{1,9}[.]?",
            ],
            1..160,
        ),
        bits in 0_u8..64,
    ) {
        let paragraphs = words.chunks(20).map(|words| block(BlockKind::Paragraph, &words.join(" ")));
        let document = ParsedText::assemble(None, paragraphs.collect());
        let kinds: Kinds =
            Kind::ALL.into_iter().filter(|kind| bits & (1 << *kind as u8) != 0).collect();
        let shown = redacted(document.text.clone(), kinds);
        prop_assert_eq!(shown.len(), document.text.len());
        for mut passage in passages(&document) {
            passage.redact(kinds);
            prop_assert_eq!(passage.span.of(&shown), Some(passage.text.as_str()));
        }
    }
}
