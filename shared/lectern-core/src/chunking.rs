//! How a canonical text is cut into chunks.
//!
//! Headings cut a text into sections; small neighbouring sections share a chunk. In a section whole
//! paragraphs, lists, tables and listings are taken together up to a target; what alone is longer than
//! the limit is cut at the best boundary there is. No chunk depends on another section than its
//! own (and its small neighbours), so that an edit changes few hashes and little is embedded again.
//!
//! | module | answers |
//! |---|---|
//! | `tokens` | how many tokens a text costs |
//! | `outline` | which blocks may share a chunk, under which headings |
//! | `pieces` | what must stay whole |
//! | `split` | where a text that is too long is cut |
//! | `pack` | which pieces make a chunk |

mod outline;
mod pack;
mod pieces;
mod settings;
mod split;
#[cfg(test)]
mod tests;
mod tokens;

use self::{outline::groups, pack::pack, pieces::pieces, tokens::TENTHS};
pub use self::{
    settings::{ChunkSettings, ChunkSettingsError, MAX_CHUNK_TOKENS, MIN_TARGET_TOKENS},
    tokens::estimate_tokens,
};
use crate::{
    passage::Span,
    text::{BlockKind, ParsedText, PlacedBlock},
};

/// What stands between two headings of a path.
pub(crate) const HEADING_SEPARATOR: &str = " › ";
/// What stands for headings, or the end of one, that a path has no room for.
const ELLIPSIS: &str = "…";
/// A path, and a table's header, may each take one part in so many of a chunk's tokens.
const CONTEXT_SHARE: u64 = 5;
/// Bytes of a heading or header row that are looked at. Far more than its share holds.
const MAX_CONTEXT_BYTES: usize = 1_024;
/// A section or rest is small below one part in so many of the target.
const SMALL_SHARE: u64 = 4;

/// A piece of a canonical text that is embedded, found and cited as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Number in the document, from 0.
    pub ordinal: u32,
    /// Where it stands in the canonical text. Neighbours of one cut paragraph may overlap a little.
    pub span: Span,
    /// The document's title and the headings it stands under (its own section's included), outermost
    /// first, joined by ` › `; for a piece of a table without its header row, that row last.
    /// Shortened with `…` when long.
    pub heading: String,
    /// Page it begins on, from 1, in formats with pages.
    pub page: Option<u32>,
}

/// Sizes of one group's chunks, in tenths of a token, headings already subtracted.
#[derive(Debug)]
struct Limits {
    target: u64,
    overlap: u64,
    /// The most a piece or a chunk may cost.
    piece: u64,
    small: u64,
}

/// Returns the chunks of `text` in order.
///
/// Every chunk is the canonical text at its span, not empty and trimmed, but for the indentation of code; together they cover every
/// character that is not white space; heading and text of each cost at most
/// `settings.max_tokens()` by [`estimate_tokens`]. Equal input gives equal chunks. Time is linear in the
/// length of the text.
#[must_use]
pub fn chunk(text: &ParsedText, settings: &ChunkSettings) -> Vec<Chunk> {
    let blocks = complete_blocks(text);
    let target = u64::from(settings.target_tokens()) * TENTHS;
    let max = u64::from(settings.max_tokens()) * TENTHS;
    let mut chunks: Vec<Chunk> = Vec::new();
    for group in groups(text, &blocks, target / SMALL_SHARE, target) {
        let members = &blocks[group.blocks];
        let path = heading_path(text, &group.path, max / CONTEXT_SHARE);
        let has_table = members.iter().any(|block| block.kind == BlockKind::TableHeader);
        // A header row is repeated in the heading of the pieces of its table: keep room for it.
        let table_room = if has_table { max / CONTEXT_SHARE } else { 0 };
        let piece = max - tokens::tenths(&path) - table_room - TENTHS;
        let limits = Limits {
            target: target.min(piece),
            overlap: u64::from(settings.overlap_tokens()) * TENTHS,
            piece,
            small: target / SMALL_SHARE,
        };
        for packed in pack(&text.text, &pieces(&text.text, members, &limits), &limits) {
            let Some(span) = trimmed(&text.text, packed.span) else { continue };
            let header = packed.table_header.and_then(|span| span.of(&text.text));
            chunks.push(Chunk {
                ordinal: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
                span,
                heading: with_table_header(&path, header, max / CONTEXT_SHARE),
                page: text.page_of(span.start),
            });
        }
    }
    chunks
}

/// Returns the text's blocks, and a paragraph for any text between them that no block claims.
fn complete_blocks(text: &ParsedText) -> Vec<PlacedBlock> {
    let mut blocks: Vec<PlacedBlock> = Vec::with_capacity(text.blocks.len());
    let end_of_text = PlacedBlock {
        kind: BlockKind::Paragraph,
        span: Span { start: text.text.len(), end: text.text.len() },
        page: None,
    };
    let mut end = 0;
    for block in text.blocks.iter().chain([&end_of_text]) {
        let gap = Span { start: end, end: block.span.start };
        if let Some(span) = trimmed(&text.text, gap) {
            blocks.push(PlacedBlock { kind: BlockKind::Paragraph, span, page: block.page });
        }
        if block.span.start >= end
            && block.span.of(&text.text).is_some_and(|raw| !raw.trim().is_empty())
        {
            blocks.push(*block);
            end = block.span.end;
        }
    }
    blocks
}

/// Returns `span` without white space around it, but with the indentation of a first whole line; `None`
/// when nothing else is in it.
fn trimmed(text: &str, span: Span) -> Option<Span> {
    let raw = span.of(text)?;
    let body = raw.trim_end();
    let lead = &body[..body.len() - body.trim_start().len()];
    let at_line_start = text[..span.start].is_empty() || text[..span.start].ends_with('\n');
    let skipped = lead.rfind('\n').map_or(if at_line_start { 0 } else { lead.len() }, |at| at + 1);
    (!body.is_empty()).then_some(Span { start: span.start + skipped, end: span.start + body.len() })
}

/// Returns title and headings joined, at most `budget` tenths of a token: outer ones give way first.
fn heading_path(text: &ParsedText, path: &[Span], budget: u64) -> String {
    let headings = path.iter().filter_map(|span| span.of(&text.text)).map(one_line);
    let mut names: Vec<String> = headings.filter(|name| !name.is_empty()).collect();
    let title = text.title.as_deref().map(one_line).filter(|title| !title.is_empty());
    if let Some(title) = title.filter(|title| !names.iter().any(|name| name == title)) {
        names.insert(0, title);
    }
    let mut kept = names.as_slice();
    let mut joined = kept.join(HEADING_SEPARATOR);
    while kept.len() > 1 && tokens::tenths(&joined) > budget {
        kept = &kept[1..];
        joined = format!("{ELLIPSIS}{HEADING_SEPARATOR}{}", kept.join(HEADING_SEPARATOR));
    }
    shortened(&joined, budget)
}

fn with_table_header(path: &str, header: Option<&str>, budget: u64) -> String {
    match header.map(|header| shortened(&one_line(header), budget.saturating_sub(TENTHS))) {
        Some(header) if path.is_empty() => header,
        Some(header) => format!("{path}{HEADING_SEPARATOR}{header}"),
        None => path.to_owned(),
    }
}

/// Returns the beginning of `text` with every run of white space made one space.
fn one_line(text: &str) -> String {
    let clipped = &text[..text.floor_char_boundary(MAX_CONTEXT_BYTES)];
    clipped.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns `text`, or as much of it as costs `budget` tenths of a token with an ellipsis.
fn shortened(text: &str, budget: u64) -> String {
    if tokens::tenths(text) <= budget {
        return text.to_owned();
    }
    let whole = Span { start: 0, end: text.len() };
    let order = [split::Boundary::Word, split::Boundary::Grapheme, split::Boundary::Character];
    let mut cost = TENTHS;
    let mut end = 0;
    for piece in split::split(text, whole, &order, budget / 2) {
        cost += piece.of(text).map_or(0, tokens::tenths);
        if cost > budget {
            break;
        }
        end = piece.end;
    }
    format!("{}{ELLIPSIS}", text[..end].trim_end())
}
