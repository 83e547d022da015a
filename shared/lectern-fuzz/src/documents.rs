//! Files as uploaded: what is parsed is cut into chunks whose spans hold, and again gives the same.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lectern_core::{
    chunking::{ChunkSettings, chunk},
    text::{Block, ParsedText, PlacedBlock},
};
use lectern_parse::{ParseLimits, parse};

/// Text formats, by the first byte.
pub(crate) fn text(bytes: &[u8]) {
    const NAMES: [&str; 6] = ["a.txt", "a.md", "a.html", "a.csv", "a.json", "a.jsonl"];
    let Some((choice, bytes)) = super::chosen(bytes) else { return };
    if let Some(blocks) = read(bytes, NAMES[choice % NAMES.len()]) {
        check(blocks);
    }
}

/// Formats that are archives of XML. Their libraries panic on some that are broken; the process around them makes that an error
/// (`lectern_parse::Sandbox`), and so does this.
pub(crate) fn archive(bytes: &[u8]) {
    const NAMES: [&str; 5] = ["a.docx", "a.pptx", "a.xlsx", "a.odt", "a.epub"];
    let Some((choice, bytes)) = super::chosen(bytes) else { return };
    let name = NAMES[choice % NAMES.len()];
    quietly(|| read(bytes, name));
}

/// PDF, of which the same is true.
pub(crate) fn pdf(bytes: &[u8]) {
    quietly(|| read(bytes, "a.pdf"));
}

fn quietly(parse: impl FnOnce() -> Option<Vec<Block>>) {
    // The promise is about what was parsed, so it is checked outside.
    if let Ok(Some(blocks)) = catch_unwind(AssertUnwindSafe(parse)) {
        check(blocks);
    }
}

fn read(bytes: &[u8], name: &str) -> Option<Vec<Block>> {
    let limits = ParseLimits { max_bytes: 1 << 20, ..ParseLimits::default() };
    parse(bytes, name, &limits).ok().map(|parsed| parsed.blocks)
}

fn check(blocks: Vec<Block>) {
    let text = ParsedText::assemble(None, blocks);
    for PlacedBlock { span, .. } in &text.blocks {
        assert!(span.of(&text.text).is_some(), "a block lies within the text");
    }
    let again = text.blocks.iter().map(|block| Block {
        kind: block.kind,
        text: block.span.of(&text.text).unwrap().to_owned(),
        page: block.page,
    });
    assert_eq!(ParsedText::assemble(None, again.collect()).text, text.text);
    for (position, chunk) in chunk(&text, &ChunkSettings::default()).iter().enumerate() {
        let words = chunk.span.of(&text.text).expect("a chunk lies within the text");
        // Code keeps the indentation of its lines.
        assert!(!words.trim().is_empty() && words.trim_end() == words);
        assert_eq!(usize::try_from(chunk.ordinal), Ok(position));
    }
}
