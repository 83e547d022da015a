//! What a parser returns, and how it becomes the canonical text that citations point into.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::passage::Span;

/// What a piece of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum BlockKind {
    /// A heading; 1 is the outermost level.
    Heading {
        /// 1 to 6.
        level: u8,
    },
    /// Running text.
    Paragraph,
    /// One item of a list.
    ListItem,
    /// A table's header row; kept with each piece when the table is cut.
    TableHeader,
    /// A row of a table.
    TableRow,
    /// Code or preformatted text; line breaks count.
    Code,
}

/// A piece of a document in reading order, as a parser found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its text, without markup. Never empty after [`ParsedText::assemble`].
    pub text: String,
    /// Page, slide or sheet number from 1, for formats that have them.
    pub page: Option<u32>,
}

/// A block's place in the canonical text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedBlock {
    /// What it is.
    pub kind: BlockKind,
    /// Where it stands.
    pub span: Span,
    /// Page from 1, where the format has pages.
    pub page: Option<u32>,
}

/// A document's canonical UTF-8 text with its structure. What a citation's offsets count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedText {
    /// Title found in the document, if any.
    pub title: Option<String>,
    /// The canonical text: NFC (letters that NFC takes apart stay whole), `\n` line ends, no control characters but `\n` and `\t`.
    pub text: String,
    /// The blocks in order; spans ascend, do not overlap, and lie on character boundaries.
    pub blocks: Vec<PlacedBlock>,
}

impl ParsedText {
    /// Builds the canonical text of a document from its blocks.
    ///
    /// Each block's text is brought to NFC with `\n` line ends (CR, CRLF, NEL, VT, FF, LS and PS
    /// all end a line), without invisible characters that could deceive a reader
    /// (see `is_dropped`), without trailing space on its lines, and trimmed; code keeps its indentation.
    /// Blocks left empty are dropped. List items that follow each other, and rows of one table, are
    /// joined by one `\n`, all others by a blank line. Heading levels are clamped to 1–6. Time is linear
    /// in the size of the input. Assembling an assembled text's blocks again gives the same text.
    #[must_use]
    pub fn assemble(title: Option<String>, blocks: Vec<Block>) -> Self {
        let mut assembled = Self {
            title: title.and_then(|title| one_line(&title)),
            text: String::with_capacity(blocks.iter().map(|block| block.text.len() + 2).sum()),
            blocks: Vec::with_capacity(blocks.len()),
        };
        for block in blocks {
            let kind = match block.kind {
                BlockKind::Heading { level } => BlockKind::Heading { level: level.clamp(1, 6) },
                other => other,
            };
            let canonical = canonical(&block.text, kind == BlockKind::Code);
            if canonical.is_empty() {
                continue;
            }
            if let Some(previous) = assembled.blocks.last() {
                assembled.text.push_str(separator(previous.kind, kind));
            }
            let start = assembled.text.len();
            assembled.text.push_str(&canonical);
            let span = Span { start, end: assembled.text.len() };
            assembled.blocks.push(PlacedBlock { kind, span, page: block.page });
        }
        assembled
    }

    /// Returns the number, from 1, of the line that holds byte `offset`; for an offset past the end,
    /// the last line.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// Returns the page, from 1, of the block that holds byte `offset` or precedes it, `None` in
    /// formats without pages.
    #[must_use]
    pub fn page_of(&self, offset: usize) -> Option<u32> {
        let after = self.blocks.partition_point(|block| block.span.start <= offset);
        self.blocks.get(after.saturating_sub(1)).and_then(|block| block.page)
    }
}

/// Returns `text` with every run of white space made one space, `None` when nothing is left.
fn one_line(text: &str) -> Option<String> {
    let line = canonical(text, false).split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// Returns what stands between two blocks.
fn separator(previous: BlockKind, next: BlockKind) -> &'static str {
    let one_run = matches!(
        (previous, next),
        (BlockKind::ListItem, BlockKind::ListItem)
            | (BlockKind::TableHeader | BlockKind::TableRow, BlockKind::TableRow)
    );
    if one_run { "\n" } else { "\n\n" }
}

/// Returns the canonical form of one block's text.
fn canonical(raw: &str, keeps_indentation: bool) -> String {
    let mut visible = String::with_capacity(raw.len());
    let mut characters = raw.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // CRLF is one line end: the LF that follows stands for both.
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => visible.push('\n'),
            dropped if is_dropped(dropped) => {}
            kept => visible.push(kept),
        }
    }
    let composed: String = if visible.is_ascii() { visible } else { shortest(&visible) };
    let mut trimmed = String::with_capacity(composed.len());
    for line in composed.split('\n') {
        trimmed.push_str(line.trim_end());
        trimmed.push('\n');
    }
    let trimmed = trimmed.trim_end();
    let trimmed =
        if keeps_indentation { trimmed.trim_start_matches('\n') } else { trimmed.trim_start() };
    trimmed.to_owned()
}

/// Returns `text` in NFC, but with letters that NFC would take apart left whole: `ज़` (U+095B) and its like are
/// excluded from composition (UAX 15, section 5), and whoever looks for what a document says looks for its bytes.
fn shortest(text: &str) -> String {
    let mut composed = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        let normal: String = cluster.nfc().collect();
        let is_longer = normal.chars().count() > cluster.chars().count();
        composed.push_str(if is_longer { cluster } else { &normal });
    }
    composed
}

/// Whether a character has no place in a canonical text.
///
/// Dropped, beside control characters: bidirectional embeddings, overrides and isolates
/// (U+202A–202E, U+2066–2069), because they make a quote read differently from its bytes ("Trojan
/// Source", CVE-2021-42574) and a cut through an unbalanced pair would reorder the page around a citation;
/// soft hyphens and byte order marks, which split words nobody sees split; and tag characters
/// (U+E0000–E007F), which hide text from the reader but not from a language model. Kept: the marks U+200E,
/// U+200F and U+061C, and the joiners U+200C and U+200D, which Persian, Urdu, Hindi and emoji are written with.
fn is_dropped(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(kind: BlockKind, text: &str) -> Block {
        Block { kind, text: text.to_owned(), page: None }
    }

    #[test]
    fn joins_blocks_by_kind_and_records_their_spans() {
        let parsed = ParsedText::assemble(
            Some("  The \n title ".into()),
            vec![
                block(BlockKind::Heading { level: 9 }, "Plan"),
                block(BlockKind::ListItem, "one "),
                block(BlockKind::ListItem, "two"),
                block(BlockKind::Paragraph, " \u{0}\r\n"),
                block(BlockKind::TableHeader, "a | b"),
                block(BlockKind::TableRow, "1 | 2"),
                block(BlockKind::Code, "\n  x\r\n    y  \n"),
            ],
        );
        assert_eq!(parsed.title.as_deref(), Some("The title"));
        assert_eq!(parsed.text, "Plan\n\none\ntwo\n\na | b\n1 | 2\n\n  x\n    y");
        assert_eq!(parsed.blocks[0].kind, BlockKind::Heading { level: 6 });
        assert_eq!(parsed.blocks[2].span.of(&parsed.text), Some("two"));
    }

    #[test]
    fn drops_what_deceives_and_keeps_what_scripts_need() {
        let raw =
            "cafe\u{301} a\u{202e}b\u{2066}c\u{ad}d\u{e0041} می\u{200c}خواهم 👩\u{200d}💻\u{7}";
        let parsed = ParsedText::assemble(None, vec![block(BlockKind::Paragraph, raw)]);
        assert_eq!(parsed.text, "café abcd می\u{200c}خواهم 👩\u{200d}💻");
    }

    #[test]
    fn finds_line_and_page() {
        let mut blocks =
            vec![block(BlockKind::Paragraph, "one\ntwo"), block(BlockKind::Paragraph, "three")];
        blocks[0].page = Some(1);
        blocks[1].page = Some(2);
        let parsed = ParsedText::assemble(None, blocks);
        assert_eq!([0, 3, 4, 9, 999].map(|offset| parsed.line_of(offset)), [1, 1, 2, 4, 4]);
        assert_eq!([0, 8, 9, 999].map(|offset| parsed.page_of(offset)), [1, 1, 2, 2].map(Some));
        assert_eq!(ParsedText::default().page_of(3), None);
    }

    #[test]
    fn two_megabytes_on_one_line_are_one_block() {
        let raw = "é".repeat(1_000_000);
        let parsed = ParsedText::assemble(None, vec![block(BlockKind::Paragraph, &raw)]);
        assert_eq!(parsed.text, raw);
    }

    fn any_block() -> impl Strategy<Value = Block> {
        let kinds = prop_oneof![
            (0u8..9).prop_map(|level| BlockKind::Heading { level }),
            Just(BlockKind::Paragraph),
            Just(BlockKind::ListItem),
            Just(BlockKind::TableHeader),
            Just(BlockKind::TableRow),
            Just(BlockKind::Code),
        ];
        let text = "(\\PC|\r\n|[\\s\u{0}-\u{a0}\u{300}-\u{310}\u{2028}\u{202e}کाُ]){0,24}";
        (kinds, text, proptest::option::of(1u32..9)).prop_map(|(kind, text, page)| Block {
            kind,
            text,
            page,
        })
    }

    proptest! {
        #[test]
        fn spans_ascend_and_hold_each_block(blocks in proptest::collection::vec(any_block(), 0..12)) {
            let parsed = ParsedText::assemble(None, blocks);
            let mut end = 0;
            for placed in &parsed.blocks {
                prop_assert!(placed.span.start >= end && !placed.span.is_empty());
                let text = placed.span.of(&parsed.text).unwrap();
                prop_assert_eq!(canonical(text, placed.kind == BlockKind::Code), text);
                prop_assert!(parsed.text[end..placed.span.start].chars().all(|c| c == '\n'));
                end = placed.span.end;
            }
            prop_assert_eq!(end, parsed.text.len());
            prop_assert!(!parsed.text.chars().any(is_dropped));
        }

        #[test]
        fn assembling_again_changes_nothing(blocks in proptest::collection::vec(any_block(), 0..12)) {
            let once = ParsedText::assemble(None, blocks);
            let again = once.blocks.iter().map(|placed| Block {
                kind: placed.kind,
                text: placed.span.of(&once.text).unwrap().to_owned(),
                page: placed.page,
            });
            prop_assert_eq!(ParsedText::assemble(None, again.collect()), once);
        }
    }
}
