//! What holds for every text, and what a reader would expect of ordinary ones.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::{passage::indexed_text, text::Block};

fn heading(level: u8, text: &str) -> Block {
    Block { kind: BlockKind::Heading { level }, text: text.to_owned(), page: None }
}

fn block(kind: BlockKind, text: &str) -> Block {
    Block { kind, text: text.to_owned(), page: None }
}

fn words(count: usize, seed: &str) -> String {
    (0..count).map(|number| format!("{seed} number{number} stands. ")).collect()
}

fn cut(title: Option<&str>, blocks: Vec<Block>) -> (ParsedText, Vec<Chunk>) {
    let text = ParsedText::assemble(title.map(str::to_owned), blocks);
    let chunks = chunk(&text, &ChunkSettings::default());
    (text, chunks)
}

fn texts<'a>(text: &'a ParsedText, chunks: &[Chunk]) -> Vec<&'a str> {
    chunks.iter().map(|chunk| chunk.span.of(&text.text).unwrap()).collect()
}

#[test]
fn an_empty_text_has_no_chunks() {
    assert_eq!(chunk(&ParsedText::default(), &ChunkSettings::default()), []);
}

#[test]
fn sections_do_not_share_chunks_and_carry_their_path() {
    let (text, chunks) = cut(
        Some("Handbook"),
        vec![
            heading(1, "Backups"),
            heading(2, "Daily"),
            block(BlockKind::Paragraph, &words(20, "copy")),
            heading(2, "Weekly"),
            block(BlockKind::Paragraph, &words(20, "tape")),
        ],
    );
    let headings: Vec<&str> = chunks.iter().map(|chunk| chunk.heading.as_str()).collect();
    assert_eq!(headings, ["Handbook › Backups › Daily", "Handbook › Backups › Weekly"]);
    assert!(texts(&text, &chunks)[0].starts_with("Backups\n\nDaily\n\ncopy number0"));
    assert!(texts(&text, &chunks)[1].starts_with("Weekly\n\ntape number0"));
}

#[test]
fn small_sections_share_a_chunk_under_their_common_path() {
    let answers = (0..4).flat_map(|number| {
        let question = heading(2, &format!("Question {number}?"));
        [question, block(BlockKind::Paragraph, "A short answer.")]
    });
    let (_, chunks) = cut(None, [heading(1, "FAQ")].into_iter().chain(answers).collect());
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].heading, "FAQ");
}

#[test]
fn a_cut_table_repeats_its_header_in_the_heading() {
    let row = |number: usize| {
        block(BlockKind::TableRow, &format!("region {number} | {number}000 | high"))
    };
    let mut blocks =
        vec![heading(1, "Sales"), block(BlockKind::TableHeader, "region | units | risk")];
    blocks.extend((0..60).map(row));
    let (text, chunks) = cut(None, blocks);
    assert!(chunks.len() > 2);
    assert_eq!(chunks[0].heading, "Sales");
    assert!(texts(&text, &chunks)[0].starts_with("Sales\n\nregion | units | risk\nregion 0"));
    assert!(chunks[1..].iter().all(|chunk| chunk.heading == "Sales › region | units | risk"));
    assert!(texts(&text, &chunks)[1..].iter().all(|piece| piece.starts_with("region ")));
}

#[test]
fn a_cut_paragraph_overlaps_at_a_sentence() {
    let (text, chunks) = cut(None, vec![block(BlockKind::Paragraph, &words(200, "Entry"))]);
    assert!(chunks.len() > 3);
    for pair in chunks.windows(2) {
        let shared = &text.text[pair[1].span.start..pair[0].span.end];
        assert!(shared.starts_with("Entry number") && shared.ends_with('.'), "{shared}");
        assert!(estimate_tokens(shared) <= 24);
    }
}

#[test]
fn a_chunk_knows_its_page() {
    let mut blocks = vec![
        block(BlockKind::Paragraph, &words(30, "one")),
        block(BlockKind::Paragraph, &words(30, "two")),
    ];
    blocks[0].page = Some(1);
    blocks[1].page = Some(2);
    let (text, chunks) = cut(None, blocks);
    for (chunk, piece) in chunks.iter().zip(texts(&text, &chunks)) {
        assert_eq!(chunk.page, Some(if piece.starts_with("one") { 1 } else { 2 }));
    }
}

#[test]
fn text_no_block_claims_is_covered_too() {
    let text = ParsedText { text: "left over".into(), ..ParsedText::default() };
    let chunks = chunk(&text, &ChunkSettings::default());
    assert_eq!(texts(&text, &chunks), ["left over"]);
}

#[test]
fn an_edit_changes_only_the_chunks_of_its_section() {
    let document = |edited: &str| {
        let sections = (0..6).flat_map(|number| {
            let body = words(40, &format!("section{number}"));
            let body = if number == 2 { format!("{edited}{body}") } else { body };
            [heading(2, &format!("Part {number}")), block(BlockKind::Paragraph, &body)]
        });
        let (text, chunks) = cut(None, sections.collect());
        let pieces = texts(&text, &chunks).into_iter().map(str::to_owned);
        pieces.filter(|piece| !piece.contains("section2")).collect::<Vec<_>>()
    };
    let before = document("");
    assert!(before.len() > 5);
    assert_eq!(document("A sentence nobody had thought of before. "), before);
    assert_eq!(document(&words(100, "more section2")), before);
}

/// Debug builds cut a megabyte in about a second; a quadratic step would take minutes.
const LINEAR: Duration = Duration::from_secs(60);

#[test]
fn hostile_shapes_take_linear_time_and_stay_bounded() {
    let shapes = [
        "a".repeat(2_000_000),
        "永".repeat(600_000),
        format!("A. {}", "(".repeat(2_000_000)),
        "\u{300}".repeat(600_000),
        format!("a{}b", " ".repeat(2_000_000)),
        "1. 0 ".repeat(300_000),
    ];
    for shape in shapes {
        let started = Instant::now();
        let (text, chunks) = cut(None, vec![block(BlockKind::Paragraph, &shape)]);
        assert_invariants(&text, &chunks, &ChunkSettings::default());
        assert!(started.elapsed() < LINEAR, "{:?} for {:?}", started.elapsed(), &shape[..12]);
    }
}

#[test]
fn many_lines_and_huge_headings_take_linear_time() {
    let lines =
        (0..50_000).map(|number| block(BlockKind::ListItem, &format!("item {number} of many")));
    let huge = heading(1, &"Heading ".repeat(50_000));
    let rows = (0..10_000).map(|number| block(BlockKind::TableRow, &format!("{number} | x")));
    let header = block(BlockKind::TableHeader, &"column | ".repeat(20_000));
    let started = Instant::now();
    let blocks = [huge].into_iter().chain(lines).chain([header]).chain(rows).collect();
    let (text, chunks) = cut(None, blocks);
    assert_invariants(&text, &chunks, &ChunkSettings::default());
    assert!(started.elapsed() < LINEAR, "{:?}", started.elapsed());
}

fn assert_invariants(text: &ParsedText, chunks: &[Chunk], settings: &ChunkSettings) {
    let (mut covered, mut start) = (0, 0);
    for (number, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk.ordinal as usize, number);
        let piece = chunk.span.of(&text.text).expect("a chunk lies on character boundaries");
        assert!(!piece.trim().is_empty() && piece.trim_end() == piece);
        let cost = estimate_tokens(&indexed_text(&chunk.heading, piece));
        assert!(
            cost <= settings.max_tokens() as usize,
            "{cost} tokens: {} / {piece}",
            chunk.heading
        );
        assert!(chunk.span.start >= start, "chunks ascend");
        let skipped = text.text.get(covered..chunk.span.start).unwrap_or_default();
        assert!(skipped.trim().is_empty(), "not covered: {skipped:?}");
        (covered, start) = (covered.max(chunk.span.end), chunk.span.start);
    }
    assert!(text.text[covered..].trim().is_empty());
}

fn any_block() -> impl Strategy<Value = Block> {
    let kinds = prop_oneof![
        3 => (1u8..5).prop_map(|level| BlockKind::Heading { level }),
        4 => Just(BlockKind::Paragraph),
        2 => Just(BlockKind::ListItem),
        1 => Just(BlockKind::TableHeader),
        3 => Just(BlockKind::TableRow),
        1 => Just(BlockKind::Code),
    ];
    let scripts = prop_oneof![
        "([A-Za-z]{1,9}[ ,.]{1,2}){0,60}",
        "([\u{627}-\u{64a}\u{64b}-\u{652}]{1,8}[ ۔؟]){0,50}",
        "([क-ह][ा-्]?[क-ह]?[ ।]?){0,80}",
        "[一-龥。，]{0,120}",
        "(👩\u{200d}💻|👨\u{200d}👩\u{200d}👧|🇵🇰|é){0,60}",
        "\\PC{0,80}",
        "(x = [0-9]{1,6};\n    ?){0,30}",
    ];
    (kinds, scripts).prop_map(|(kind, text)| Block { kind, text, page: None })
}

proptest! {
    #[test]
    fn every_text_is_covered_by_bounded_chunks(
        blocks in proptest::collection::vec(any_block(), 0..24),
        max in MIN_TARGET_TOKENS..=MAX_CHUNK_TOKENS,
        title in proptest::option::of("\\PC{0,300}"),
    ) {
        let target = (max * 3 / 4).max(MIN_TARGET_TOKENS);
        let settings = ChunkSettings::parse(target, target / 8, max).unwrap();
        let text = ParsedText::assemble(title, blocks);
        let chunks = chunk(&text, &settings);
        assert_invariants(&text, &chunks, &settings);
        prop_assert_eq!(chunk(&text, &settings), chunks);
    }
}
