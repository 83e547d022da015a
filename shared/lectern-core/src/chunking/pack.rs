//! Filling chunks with pieces.

use super::{Limits, pieces::Piece, split::lead_in, tokens::tenths};
use crate::passage::Span;

/// A chunk of a group before it has a number and a heading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    pub(super) span: Span,
    pub(super) table_header: Option<Span>,
    /// Upper bound of its cost in tenths of a token.
    tenths: u64,
}

/// Returns the chunks of one group: pieces are taken while the target holds; where a paragraph was cut, the next
/// chunk begins with a little of what precedes it; a small rest joins the chunk before it.
pub(super) fn pack(text: &str, pieces: &[Piece], limits: &Limits) -> Vec<Packed> {
    let mut chunks: Vec<Packed> = Vec::new();
    // Start of the last chunk without its lead-in: what joining it to the chunk before adds.
    let mut fresh_start = 0;
    for piece in pieces {
        if let Some(last) = chunks.last_mut() {
            let gap = gap_cost(text, last.span.end, piece.span.start);
            if last.tenths + gap + piece.tenths <= limits.target {
                last.span.end = piece.span.end;
                last.tenths += gap + piece.tenths;
                continue;
            }
        }
        fresh_start = piece.span.start;
        chunks.push(begin(text, piece, limits));
    }
    join_small_rest(text, &mut chunks, fresh_start, limits);
    chunks
}

/// Blocks are parted by line ends, which cost something too.
fn gap_cost(text: &str, from: usize, to: usize) -> u64 {
    text.get(from..to).map_or(0, tenths)
}

fn begin(text: &str, piece: &Piece, limits: &Limits) -> Packed {
    let room = limits.overlap.min(limits.piece.saturating_sub(piece.tenths));
    let start = match piece.continues {
        Some(block_start) if room > 0 => lead_in(text, block_start, piece.span.start, room),
        _ => piece.span.start,
    };
    Packed {
        span: Span { start, end: piece.span.end },
        table_header: piece.table_header,
        tenths: gap_cost(text, start, piece.span.start) + piece.tenths,
    }
}

fn join_small_rest(text: &str, chunks: &mut Vec<Packed>, fresh_start: usize, limits: &Limits) {
    let [.., before, rest] = chunks.as_mut_slice() else { return };
    let fresh = gap_cost(text, fresh_start, rest.span.end);
    let joined = before.tenths + gap_cost(text, before.span.end, fresh_start) + fresh;
    if fresh < limits.small && joined <= limits.piece {
        before.span.end = rest.span.end;
        before.tenths = joined;
        chunks.pop();
    }
}
