//! What a group of blocks is packed from: whole paragraphs, lists, tables and listings where they
//! fit, parts of them where they do not.

use super::{
    Limits,
    split::{Boundary, split},
    tokens::tenths,
};
use crate::{
    passage::Span,
    text::{BlockKind, PlacedBlock},
};

const PROSE: &[Boundary] =
    &[Boundary::Sentence, Boundary::Line, Boundary::Word, Boundary::Grapheme, Boundary::Character];
const LINES: &[Boundary] =
    &[Boundary::Line, Boundary::Word, Boundary::Grapheme, Boundary::Character];

/// A stretch of the canonical text that is not cut any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) span: Span,
    /// Upper bound of its cost in tenths of a token.
    pub(super) tenths: u64,
    /// Start of the block it continues, when the block was cut before it.
    pub(super) continues: Option<usize>,
    /// Header of the table it was cut from, when the header is not in it.
    pub(super) table_header: Option<Span>,
    /// Whether it must not end a chunk: headings, and the header row of a table that is cut.
    keeps_with_next: bool,
}

impl Piece {
    fn whole(span: Span, tenths: u64) -> Self {
        Self { span, tenths, continues: None, table_header: None, keeps_with_next: false }
    }
}

/// Returns the pieces of `blocks` in order. They cover all the blocks' text; each costs at most
/// `limits.piece` tenths of a token.
pub(super) fn pieces(text: &str, blocks: &[PlacedBlock], limits: &Limits) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = blocks;
    while let Some(first) = rest.first() {
        let (unit, after) = rest.split_at(unit_length(rest));
        rest = after;
        let span = Span { start: first.span.start, end: unit[unit.len() - 1].span.end };
        let cost = span.of(text).map_or(0, tenths);
        if cost <= limits.piece {
            let keeps_with_next = matches!(first.kind, BlockKind::Heading { .. });
            pieces.push(Piece { keeps_with_next, ..Piece::whole(span, cost) });
        } else {
            let header = unit.iter().find(|block| block.kind == BlockKind::TableHeader);
            for block in unit {
                let repeated = header.map(|header| header.span).filter(|span| *span != block.span);
                push_block(text, block, repeated, limits, &mut pieces);
            }
        }
    }
    join_headings(text, pieces, limits.piece)
}

/// Returns how many blocks belong to the first one: a run of list items, a table, or one block.
fn unit_length(blocks: &[PlacedBlock]) -> usize {
    let run_of =
        |kind: BlockKind| 1 + blocks[1..].iter().take_while(|block| block.kind == kind).count();
    match blocks[0].kind {
        BlockKind::ListItem => run_of(BlockKind::ListItem),
        BlockKind::TableHeader | BlockKind::TableRow => run_of(BlockKind::TableRow),
        BlockKind::Heading { .. } | BlockKind::Paragraph | BlockKind::Code => 1,
    }
}

/// Adds one block of a unit that was too long, cut where it must be.
fn push_block(
    text: &str,
    block: &PlacedBlock,
    table_header: Option<Span>,
    limits: &Limits,
    pieces: &mut Vec<Piece>,
) {
    let cost = block.span.of(text).map_or(0, tenths);
    if cost <= limits.piece {
        let keeps_with_next = block.kind == BlockKind::TableHeader;
        pieces.push(Piece { table_header, keeps_with_next, ..Piece::whole(block.span, cost) });
        return;
    }
    let order = if block.kind == BlockKind::Code { LINES } else { PROSE };
    for (number, span) in split(text, block.span, order, limits.piece).into_iter().enumerate() {
        let continues = (number > 0 && block.kind != BlockKind::Code).then_some(block.span.start);
        let cost = span.of(text).map_or(0, tenths);
        pieces.push(Piece { continues, table_header, ..Piece::whole(span, cost) });
    }
}

/// Joins each heading with the piece that follows it where both fit in `budget`.
fn join_headings(text: &str, pieces: Vec<Piece>, budget: u64) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if let Some(last) = joined.last_mut().filter(|last| last.keeps_with_next) {
            let span = Span { start: last.span.start, end: piece.span.end };
            let cost = span.of(text).map_or(0, tenths);
            if cost <= budget {
                *last = Piece {
                    span,
                    tenths: cost,
                    continues: None,
                    table_header: last.table_header,
                    ..piece
                };
                continue;
            }
        }
        joined.push(piece);
    }
    joined
}
