use proptest::prelude::*;

use super::*;
use crate::{
    chunking::{ChunkSettings, chunk},
    text::{Block, BlockKind, ParsedText},
    time::Timestamp,
};

const NO_LIMIT: usize = usize::MAX;

/// Returns the passages of a text as ingestion makes them.
fn passages(text: &ParsedText) -> Vec<Passage> {
    let settings = ChunkSettings::parse(64, 8, 128).unwrap();
    let make = |chunk: &crate::chunking::Chunk| Passage {
        tenant: "acme".parse().unwrap(),
        collection: "default".parse().unwrap(),
        document_id: DocumentId::new(Timestamp::from_millis(1), 1),
        version: 1,
        ordinal: chunk.ordinal,
        document_name: "a.md".into(),
        heading: chunk.heading.clone(),
        page: chunk.page,
        line: u32::try_from(text.line_of(chunk.span.start)).unwrap(),
        span: chunk.span,
        text: chunk.span.of(&text.text).unwrap().to_owned(),
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: "eng".into(),
        acl: vec!["*".into()],
        metadata: serde_json::Map::new(),
    };
    chunk(text, &settings).iter().map(make).collect()
}

fn scored(passage: &Passage) -> ScoredPassage {
    ScoredPassage { passage: passage.clone(), score: 1.0 }
}

fn paragraphs(count: usize) -> ParsedText {
    let text =
        |number: usize| format!("Paragraph {number} speaks. {}", "It has words. ".repeat(12));
    let block = |number| Block { kind: BlockKind::Paragraph, text: text(number), page: None };
    ParsedText::assemble(None, (0..count).map(block).collect())
}

/// Widens the passages at `places` by their neighbours among `all`.
fn widened(all: &[Passage], places: &[usize], reach: usize, budget: usize) -> Vec<ScoredPassage> {
    let found: Vec<ScoredPassage> = places.iter().map(|place| scored(&all[*place])).collect();
    let ids = wanted(&found, reach);
    let near = all.iter().filter(|passage| ids.contains(&passage.point_id())).cloned().collect();
    widen(found, near, reach, budget)
}

#[test]
fn neighbours_are_joined_across_a_blank_line() {
    let text = paragraphs(6);
    let all = passages(&text);
    assert!(all.len() >= 5, "{}", all.len());
    let wide = widened(&all, &[2], 1, NO_LIMIT);
    assert_eq!(wide.len(), 1);
    let span = Span { start: all[1].span.start, end: all[3].span.end };
    assert_eq!((wide[0].passage.span, Some(&*wide[0].passage.text)), (span, span.of(&text.text)));
    assert_eq!((wide[0].passage.line, wide[0].passage.ordinal), (all[1].line, 2));
}

#[test]
fn what_is_joined_is_as_hostile_as_its_parts() {
    let mut all = passages(&paragraphs(6));
    all[1].hostility = Some(90);
    all[2].hostility = Some(3);
    assert_eq!(widened(&all, &[2], 1, NO_LIMIT)[0].passage.hostility, Some(90));
    assert_eq!(widened(&all, &[4], 1, NO_LIMIT)[0].passage.hostility, None);
}

#[test]
fn passages_that_meet_become_one_at_the_better_place() {
    let text = paragraphs(9);
    let all = passages(&text);
    let wide = widened(&all, &[6, 2, 3], 1, NO_LIMIT);
    let spans: Vec<(usize, usize)> =
        wide.iter().map(|found| (found.passage.span.start, found.passage.span.end)).collect();
    assert_eq!(spans, [(all[5].span.start, all[7].span.end), (all[1].span.start, all[4].span.end)]);
}

#[test]
fn what_was_found_keeps_its_room() {
    let text = paragraphs(9);
    let all = passages(&text);
    let cost: usize = [1, 5].map(|place: usize| estimate_tokens(&all[place].text)).iter().sum();
    let found = [1, 5];
    let bare = widened(&all, &found, 2, cost);
    assert_eq!(
        bare.iter().map(|wide| wide.passage.span).collect::<Vec<_>>(),
        [all[1].span, all[5].span]
    );
    let one_more = widened(&all, &found, 2, cost + estimate_tokens(&all[2].text));
    assert_eq!(one_more[0].passage.span.end, all[2].span.end, "the best is widened first");
    assert_eq!(one_more[1].passage.span, all[5].span);
}

#[test]
fn sections_pages_and_unknown_bytes_are_not_joined() {
    let text = paragraphs(3);
    let [first, second] = [0, 1].map(|place| passages(&text)[place].clone());
    assert!(joined(&first, &second).is_some());
    let heading = Passage { heading: "Another".into(), ..second.clone() };
    let page = Passage { page: Some(2), ..second.clone() };
    let version = Passage { version: 2, ..second.clone() };
    let closed = Passage { acl: vec!["hr".into()], ..second.clone() };
    // A space more between them than the line numbers tell.
    let start = second.span.start + 1;
    let gap = Passage { span: Span { start, end: second.span.end + 1 }, ..second.clone() };
    // An overlap that is none.
    let start = first.span.end - 3;
    let lie = Passage { span: Span { start, end: start + second.text.len() }, ..second };
    for other in [heading, page, version, closed, gap, lie] {
        assert_eq!(joined(&first, &other), None);
    }
}

#[test]
fn at_most_three_on_each_side_are_asked_for() {
    let all = passages(&paragraphs(9));
    assert_eq!(wanted(&[scored(&all[4])], 100).len(), 2 * MAX_NEIGHBOURS);
    assert_eq!(wanted(&[scored(&all[0])], 1).len(), 1);
    assert_eq!(wanted(&[scored(&all[3]), scored(&all[4])], 1).len(), 2);
    assert!(wanted(&[scored(&all[3])], 0).is_empty());
}

fn block() -> impl Strategy<Value = Block> {
    let kind = prop_oneof![
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        Just(BlockKind::Code),
        Just(BlockKind::TableRow),
        (1_u8..4).prop_map(|level| BlockKind::Heading { level }),
    ];
    let text = proptest::collection::vec("[a-zäسф你 ]{1,9}[.\n\t ]{0,2}", 1..40)
        .prop_map(|parts| parts.concat());
    (kind, text, proptest::option::of(1_u32..3)).prop_map(|(kind, text, page)| Block {
        kind,
        text,
        page,
    })
}

proptest! {
    #[test]
    fn a_wider_passage_is_the_canonical_text_at_its_span(
        blocks in proptest::collection::vec(block(), 1..20),
        picks in proptest::collection::vec(any::<proptest::sample::Index>(), 1..8),
        reach in 0_usize..=MAX_NEIGHBOURS,
        budget in prop_oneof![Just(NO_LIMIT), 0_usize..500],
    ) {
        let text = ParsedText::assemble(None, blocks);
        let all = passages(&text);
        prop_assume!(!all.is_empty());
        let mut places: Vec<usize> = picks.iter().map(|pick| pick.index(all.len())).collect();
        let mut seen = HashSet::new();
        places.retain(|place| seen.insert(*place));
        let before: usize = places.iter().map(|place| estimate_tokens(&all[*place].text)).sum();
        let wide = widened(&all, &places, reach, budget);
        let mut after = 0;
        for found in &wide {
            let Passage { span, text: own, line, heading, page, .. } = &found.passage;
            prop_assert_eq!(span.of(&text.text), Some(own.as_str()));
            prop_assert_eq!(text.line_of(span.start), *line as usize);
            let held = all.iter().filter(|chunk| span.start <= chunk.span.start && chunk.span.end <= span.end);
            for chunk in held.filter(|chunk| !chunk.text.is_empty()) {
                prop_assert_eq!((&chunk.heading, &chunk.page), (heading, page));
            }
            after += estimate_tokens(own);
        }
        for place in places {
            let span = all[place].span;
            let covering = wide.iter().filter(|found| {
                found.passage.span.start <= span.start && span.end <= found.passage.span.end
            });
            prop_assert!(covering.count() >= 1, "a found passage is lost");
        }
        // Line ends between chunks cost a little that chunks alone do not.
        prop_assert!(budget == NO_LIMIT || after <= before.max(budget) + 2 * all.len());
    }
}

#[test]
fn what_is_personal_stays_where_it_is() {
    let blocks = (0..12).map(|number| Block {
        kind: BlockKind::Paragraph,
        text: format!("Write to porter{number}@example.com. {}", "It has words. ".repeat(12)),
        page: None,
    });
    let text = ParsedText::assemble(None, blocks.collect());
    let survey = crate::redaction::Survey::of(&text);
    let settings = ChunkSettings::parse(64, 8, 128).unwrap();
    let mut all = passages(&text);
    for (passage, chunk) in all.iter_mut().zip(chunk(&text, &settings)) {
        passage.personal = Some(survey.places(&chunk));
    }
    let kinds = crate::personal::Kind::ALL.into_iter().collect();
    let shown = crate::redaction::redacted(text.text.clone(), kinds);
    // Widened, then covered, and the other way round.
    let mut late = widened(&all, &[2, 5], 2, NO_LIMIT);
    assert!(late.iter().any(|found| found.passage.text.matches("porter").count() > 1));
    late.iter_mut().for_each(|found| found.passage.redact(kinds));
    all.iter_mut().for_each(|passage| passage.redact(kinds));
    let early = widened(&all, &[2, 5], 2, NO_LIMIT);
    assert_eq!(early, late);
    for found in early {
        assert_eq!(found.passage.span.of(&shown), Some(found.passage.text.as_str()));
        assert!(!found.passage.text.contains("example.com"));
    }
}
