//! Where every parser puts its blocks; the only place that grows with the document.

use lectern_core::text::{Block, BlockKind};

use crate::{
    error::{ParseError, Quantity},
    limits::ParseLimits,
};

/// Cells of a table row are joined by this.
pub(crate) const CELL_SEPARATOR: &str = " | ";

/// Collects blocks within the bounds of [`ParseLimits`].
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) title: Option<String>,
    blocks: Vec<Block>,
    page: Option<u32>,
    text_bytes: u64,
    max_blocks: u32,
    max_text_bytes: u64,
    max_pages: u32,
}

impl Sink {
    pub(crate) fn new(limits: &ParseLimits) -> Self {
        Self {
            title: None,
            blocks: Vec::new(),
            page: None,
            text_bytes: 0,
            max_blocks: limits.max_blocks,
            max_text_bytes: limits.max_text_bytes,
            max_pages: limits.max_pages,
        }
    }

    /// Blocks pushed from here on stand on `page`, from 1.
    pub(crate) fn start_page(&mut self, page: u32) -> Result<(), ParseError> {
        if page > self.max_pages {
            return Err(ParseError::TooManyPages { found: page.into(), allowed: self.max_pages });
        }
        self.page = Some(page);
        Ok(())
    }

    /// Takes a block; blank text is dropped. White space inside a line is collapsed except in code.
    pub(crate) fn push(&mut self, kind: BlockKind, text: &str) -> Result<(), ParseError> {
        let text = if kind == BlockKind::Code {
            text.trim_matches(['\n', '\r']).trim_end().to_owned()
        } else {
            tidy(text)
        };
        if text.is_empty() || text.chars().all(|character| !is_visible(character)) {
            return Ok(());
        }
        self.text_bytes += text.len() as u64;
        if self.text_bytes > self.max_text_bytes {
            let allowed = self.max_text_bytes;
            return Err(ParseError::TooLarge { what: Quantity::TextBytes, allowed });
        }
        if self.blocks.len() >= self.max_blocks as usize {
            let allowed = self.max_blocks.into();
            return Err(ParseError::TooLarge { what: Quantity::Blocks, allowed });
        }
        self.blocks.push(Block { kind, text, page: self.page });
        Ok(())
    }

    /// Takes a table row; a row of nothing but empty cells is dropped, trailing empty cells too.
    pub(crate) fn push_row<Cell: AsRef<str>>(
        &mut self,
        kind: BlockKind,
        cells: &[Cell],
    ) -> Result<(), ParseError> {
        let mut cells: Vec<String> =
            cells.iter().map(|cell| tidy(cell.as_ref()).replace('\n', " ")).collect();
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        self.push(kind, &cells.join(CELL_SEPARATOR))
    }

    /// The blocks taken since `mark`, for a parser that rewrites its tail.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(crate) fn finish(self) -> (Option<String>, Vec<Block>) {
        let title = self.title.map(|title| tidy(&title).replace('\n', " "));
        (title.filter(|title| !title.is_empty()), self.blocks)
    }
}

/// Whether a character shows anything: not white space, control, joiner or direction mark.
pub(crate) fn is_visible(character: char) -> bool {
    !character.is_whitespace()
        && !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{fffd}')
}

/// Collapses runs of white space within lines, trims lines, drops blank ones, and controls.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut pending: Option<char> = None;
    for character in text.chars() {
        if matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        {
            pending = Some('\n');
        } else if character.is_whitespace() {
            pending = pending.or(Some(' '));
        } else if !character.is_control() {
            if let Some(space) = pending.take().filter(|_| !tidy.is_empty()) {
                tidy.push(space);
            }
            tidy.push(character);
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(limits: &ParseLimits) -> Sink {
        Sink::new(limits)
    }

    #[test]
    fn tidies_and_drops_the_invisible() {
        let mut sink = sink(&ParseLimits::default());
        sink.push(BlockKind::Paragraph, " a \t b\0c \r\n\r\n d ").unwrap();
        sink.push(BlockKind::Paragraph, " \u{200b}\u{feff} \n").unwrap();
        sink.push_row(BlockKind::TableRow, &["x", " ", "y\nz", ""]).unwrap();
        sink.push_row(BlockKind::TableRow, &["", " "]).unwrap();
        let (_, blocks) = sink.finish();
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["a bc\nd", "x | | y z"]);
    }

    #[test]
    fn refuses_more_than_its_bounds() {
        let limits = ParseLimits {
            max_blocks: 1,
            max_text_bytes: 5,
            max_pages: 2,
            ..ParseLimits::default()
        };
        let mut sink = sink(&limits);
        sink.push(BlockKind::Paragraph, "abc").unwrap();
        let blocks = ParseError::TooLarge { what: Quantity::Blocks, allowed: 1 };
        assert_eq!(sink.push(BlockKind::Paragraph, "d"), Err(blocks));
        let text = ParseError::TooLarge { what: Quantity::TextBytes, allowed: 5 };
        assert_eq!(sink.push(BlockKind::Paragraph, "efg"), Err(text));
        sink.start_page(2).unwrap();
        assert_eq!(sink.start_page(3).unwrap_err().code(), "too_many_pages");
    }
}
