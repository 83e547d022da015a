//! What a parser returns, and how it becomes the canonical text that citations point into.

use serde::{Deserialize, Serialize};

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
    /// The canonical text: NFC, `\n` line ends, no control characters but `\n` and `\t`.
    pub text: String,
    /// The blocks in order; spans ascend, do not overlap, and lie on character boundaries.
    pub blocks: Vec<PlacedBlock>,
}
