//! Widening a passage by the chunks around it, so that an answer that was cut in two is whole again.
//!
//! A wider passage keeps the one promise of a passage: its text is the canonical text at its span, byte
//! for byte. Where the bytes between two chunks are not known, they are not joined.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::{
    chunking::estimate_tokens,
    document::Version,
    ids::DocumentId,
    passage::{Passage, PointId, ScoredPassage, Span, indexed_text},
    settings::MAX_NEIGHBOURS,
};

/// A chunk's place: document, version, number.
type Place = (DocumentId, Version, u32);

fn place(passage: &Passage) -> Place {
    (passage.document_id.clone(), passage.version, passage.ordinal)
}

/// Returns the ids of the chunks within `reach` (at most [`MAX_NEIGHBOURS`]) of `passages` that are not among
/// them, each once. Some may not exist: a version's last chunk does not say so.
#[must_use]
pub fn wanted(passages: &[ScoredPassage], reach: usize) -> Vec<PointId> {
    let mut known: HashSet<Place> = passages.iter().map(|found| place(&found.passage)).collect();
    let mut wanted = Vec::new();
    for ScoredPassage { passage, .. } in passages {
        for distance in 1..=distance(reach) {
            let around =
                [passage.ordinal.checked_sub(distance), passage.ordinal.checked_add(distance)];
            for ordinal in around.into_iter().flatten() {
                if known.insert((passage.document_id.clone(), passage.version, ordinal)) {
                    let (document, version) = (&passage.document_id, passage.version);
                    wanted.push(PointId::of(&passage.tenant, document, version, ordinal));
                }
            }
        }
    }
    wanted
}

fn distance(reach: usize) -> u32 {
    u32::try_from(reach.min(MAX_NEIGHBOURS)).unwrap_or(0)
}

/// Returns `passages`, best first, each widened by chunks of `near` and of `passages` within `reach` of it.
///
/// Passages that meet become one at the place of the better. A chunk that was not found itself is added only
/// while all passages together stay within `budget_tokens` (by [`estimate_tokens`]), the best first: it never
/// takes the room of one that was found. Only chunks of the same section and page are joined, so that heading
/// and page of the wider passage are those of all of it. The number is that of the chunk that was found.
#[must_use]
pub fn widen(
    passages: Vec<ScoredPassage>,
    near: Vec<Passage>,
    reach: usize,
    budget_tokens: usize,
) -> Vec<ScoredPassage> {
    let cost = |passage: &Passage| estimate_tokens(&passage.text);
    let mut room =
        budget_tokens.saturating_sub(passages.iter().map(|found| cost(&found.passage)).sum());
    let order: Vec<Place> = passages.iter().map(|found| place(&found.passage)).collect();
    let mut found: HashMap<Place, ScoredPassage> = order.iter().cloned().zip(passages).collect();
    let mut near: HashMap<Place, Passage> =
        near.into_iter().map(|passage| (place(&passage), passage)).collect();
    let mut widened = Vec::with_capacity(found.len());
    for anchor in order {
        // One that is gone was joined to a better one.
        let Some(ScoredPassage { mut passage, score }) = found.remove(&anchor) else { continue };
        for side in [Side::After, Side::Before] {
            let mut last = passage.ordinal;
            let mut steps = distance(reach);
            while let Some(ordinal) = side.next(last).filter(|_| steps > 0) {
                let next = (anchor.0.clone(), anchor.1, ordinal);
                let (joined, is_found) = match (found.get(&next), near.get(&next)) {
                    (Some(other), _) => (side.join(&passage, &other.passage), true),
                    (None, Some(other)) if cost(other) <= room => {
                        (side.join(&passage, other), false)
                    }
                    _ => (None, false),
                };
                let Some(joined) = joined else { break };
                passage = joined;
                last = ordinal;
                if is_found {
                    // Its own neighbours belong to the passage now.
                    steps = distance(reach);
                    found.remove(&next);
                } else {
                    steps -= 1;
                    room = room.saturating_sub(near.remove(&next).as_ref().map_or(0, cost));
                }
            }
        }
        widened.push(ScoredPassage { passage, score });
    }
    widened
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Side {
    fn next(self, ordinal: u32) -> Option<u32> {
        match self {
            Self::Before => ordinal.checked_sub(1),
            Self::After => ordinal.checked_add(1),
        }
    }

    fn join(self, passage: &Passage, other: &Passage) -> Option<Passage> {
        let (first, second) = match self {
            Self::Before => (other, passage),
            Self::After => (passage, other),
        };
        let text = joined(first, second)?;
        let span = Span { start: first.span.start, end: first.span.start + text.len() };
        let personal = first.personal.as_ref().zip(second.personal.as_ref());
        let distance = second.span.start - first.span.start;
        let personal = personal.map(|(first, second)| first.followed_by(second, distance));
        let text_sha256 = hex::encode(Sha256::digest(indexed_text(&passage.heading, &text)));
        // One that nobody looked at counts least.
        let hostility = first.hostility.max(second.hostility);
        let line = first.line;
        let passage = passage.clone();
        Some(Passage { line, span, text, text_sha256, hostility, personal, ..passage })
    }
}

/// Returns the canonical text from the beginning of `first` to the end of `second`, `None` when it does not
/// follow from the two.
fn joined(first: &Passage, second: &Passage) -> Option<String> {
    let same = first.tenant == second.tenant
        && first.document_id == second.document_id
        && first.version == second.version
        && first.heading == second.heading
        && first.page == second.page
        && first.acl == second.acl;
    if !same || second.span.start < first.span.start || second.span.end < first.span.end {
        return None;
    }
    if let Some(shared) = first.span.end.checked_sub(second.span.start) {
        let rest = second.text.get(shared..)?;
        let overlaps = first.text.as_bytes().ends_with(&second.text.as_bytes()[..shared]);
        return overlaps.then(|| format!("{}{rest}", first.text));
    }
    // Between two blocks stand line ends only. Where the line numbers say that there are as many of them as there
    // are bytes, the bytes are known.
    let gap = second.span.start - first.span.end;
    let lines = u32::try_from(first.text.matches('\n').count()).ok()?;
    let line_ends = second.line.checked_sub(first.line)?.checked_sub(lines)?;
    let is_line_ends = usize::try_from(line_ends).is_ok_and(|line_ends| line_ends == gap);
    is_line_ends.then(|| format!("{}{}{}", first.text, "\n".repeat(gap), second.text))
}

#[cfg(test)]
#[path = "neighbours/tests.rs"]
mod tests;
