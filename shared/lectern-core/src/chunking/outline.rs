//! Sections of a document, and which small ones share a chunk.

use std::ops::Range;

use super::tokens::tenths;
use crate::{
    passage::Span,
    text::{BlockKind, ParsedText, PlacedBlock},
};

/// Blocks that may share chunks: one section, or several small ones.
#[derive(Debug)]
pub(super) struct Group {
    /// Headings above every block with content, outermost first.
    pub(super) path: Vec<Span>,
    /// Which blocks.
    pub(super) blocks: Range<usize>,
}

/// A heading with what follows up to the next heading.
struct Section {
    /// Its own heading and those above, outermost first.
    path: Vec<(u8, Span)>,
    blocks: Range<usize>,
    tenths: u64,
}

impl Section {
    /// Level of its heading; 0 for what stands before the first one.
    fn level(&self) -> u8 {
        self.path.last().map_or(0, |(level, _)| *level)
    }

    fn is_heading_only(&self) -> bool {
        !self.path.is_empty() && self.blocks.len() == 1
    }
}

/// A group that can still grow.
struct Growing {
    level: u8,
    last_level: u8,
    /// `None` until a section with content has joined.
    path: Option<Vec<Span>>,
    heading_path: Vec<Span>,
    blocks: Range<usize>,
    tenths: u64,
}

impl Growing {
    fn start(section: Section) -> Self {
        let level = section.level();
        let heading_only = section.is_heading_only();
        let path: Vec<Span> = section.path.into_iter().map(|(_, span)| span).collect();
        Self {
            level,
            last_level: level,
            path: (!heading_only).then(|| path.clone()),
            heading_path: path,
            blocks: section.blocks,
            tenths: section.tenths,
        }
    }

    /// Whether `section`, which follows, belongs into the same chunk: as the first content under a
    /// bare heading, or as a neighbour of the same or a deeper level when this one is small and both fit.
    fn takes(&self, section: &Section, small: u64, target: u64) -> bool {
        let under_bare_heading = self.path.is_none() && section.level() > self.last_level;
        let small_neighbour = self.tenths < small
            && self.tenths + section.tenths <= target
            && section.level() >= self.level;
        under_bare_heading || small_neighbour
    }

    fn add(&mut self, section: Section) {
        self.last_level = section.level();
        self.blocks.end = section.blocks.end;
        self.tenths += section.tenths;
        let heading_only = section.is_heading_only();
        let path: Vec<Span> = section.path.into_iter().map(|(_, span)| span).collect();
        if heading_only {
            self.heading_path = common(&self.heading_path, &path);
        } else {
            self.path = Some(self.path.as_ref().map_or(path.clone(), |known| common(known, &path)));
        }
    }

    fn finish(self) -> Group {
        Group { path: self.path.unwrap_or(self.heading_path), blocks: self.blocks }
    }
}

fn common(left: &[Span], right: &[Span]) -> Vec<Span> {
    left.iter().zip(right).take_while(|(one, other)| one == other).map(|(span, _)| *span).collect()
}

/// Returns the groups of `blocks` in order; they partition the blocks. A section under `small` tenths of
/// a token looks for company up to `target`.
pub(super) fn groups(
    text: &ParsedText,
    blocks: &[PlacedBlock],
    small: u64,
    target: u64,
) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut growing: Option<Growing> = None;
    for section in sections(text, blocks) {
        match &mut growing {
            Some(group) if group.takes(&section, small, target) => group.add(section),
            _ => groups.extend(growing.replace(Growing::start(section)).map(Growing::finish)),
        }
    }
    groups.extend(growing.map(Growing::finish));
    groups
}

fn sections(text: &ParsedText, blocks: &[PlacedBlock]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut path: Vec<(u8, Span)> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let cost = block.span.of(&text.text).map_or(0, tenths);
        match (block.kind, sections.last_mut()) {
            (BlockKind::Heading { level }, _) => {
                path.retain(|(above, _)| *above < level);
                path.push((level, block.span));
                sections.push(Section {
                    path: path.clone(),
                    blocks: index..index + 1,
                    tenths: cost,
                });
            }
            (_, Some(section)) => {
                section.blocks.end = index + 1;
                section.tenths += cost;
            }
            (_, None) => {
                sections.push(Section { path: Vec::new(), blocks: index..index + 1, tenths: cost });
            }
        }
    }
    sections
}
