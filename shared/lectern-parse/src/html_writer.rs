//! From HTML elements to blocks: an inline buffer, flushed wherever a block begins or ends.

use std::collections::HashSet;

use ego_tree::NodeId;
use lectern_core::text::BlockKind;
use scraper::Html;

use crate::{error::ParseError, sink::Sink};

/// Elements that begin and end a block.
const BLOCK: [&str; 32] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hr",
    "html",
    "legend",
    "main",
    "nav",
    "ol",
    "p",
    "section",
    "summary",
    "table",
    "tbody",
    "ul",
    "caption",
];

/// Returns the tables that hold another table: they arrange the page and are no data.
pub(crate) fn layout_tables(page: &Html) -> HashSet<NodeId> {
    let is_table = |node: &ego_tree::NodeRef<'_, scraper::Node>| {
        node.value().as_element().is_some_and(|element| element.name() == "table")
    };
    page.tree
        .nodes()
        .filter(is_table)
        .filter_map(|table| table.ancestors().find(is_table).map(|outer| outer.id()))
        .collect()
}

/// A data table that is being read.
#[derive(Debug, Default)]
struct Table {
    cells: Vec<String>,
    has_data_cell: bool,
    has_row: bool,
}

/// Turns opening tags, text and closing tags into blocks.
#[derive(Debug)]
pub(crate) struct HtmlWriter<'sink> {
    sink: &'sink mut Sink,
    layout: HashSet<NodeId>,
    inline: String,
    kinds: Vec<BlockKind>,
    table: Option<Table>,
}

impl<'sink> HtmlWriter<'sink> {
    pub(crate) fn new(sink: &'sink mut Sink, layout: HashSet<NodeId>) -> Self {
        Self { sink, layout, inline: String::new(), kinds: Vec::new(), table: None }
    }

    pub(crate) fn text(&mut self, text: &str) {
        if self.kind() == BlockKind::Code && self.table.is_none() {
            self.inline.push_str(text);
        } else {
            self.inline
                .extend(text.chars().map(|one| if one == '\n' || one == '\r' { ' ' } else { one }));
        }
    }

    pub(crate) fn open(&mut self, id: NodeId, name: &str) -> Result<(), ParseError> {
        if name == "br" {
            self.inline.push('\n');
            return Ok(());
        }
        if self.table.is_some() {
            self.open_in_table(name);
            return Ok(());
        }
        if let Some(kind) = block_kind(name) {
            self.flush()?;
            self.kinds.push(kind);
        } else if name == "table" && !self.layout.contains(&id) {
            self.flush()?;
            self.table = Some(Table::default());
        } else if BLOCK.contains(&name) || matches!(name, "tr" | "td" | "th") {
            self.flush()?;
        }
        Ok(())
    }

    fn open_in_table(&mut self, name: &str) {
        if name == "td"
            && let Some(table) = &mut self.table
        {
            table.has_data_cell = true;
        }
        if BLOCK.contains(&name) || block_kind(name).is_some() {
            self.inline.push(' ');
        }
    }

    pub(crate) fn close(&mut self, id: NodeId, name: &str) -> Result<(), ParseError> {
        if self.table.is_some() {
            return self.close_in_table(id, name);
        }
        if block_kind(name).is_some() {
            self.flush()?;
            self.kinds.pop();
        } else if BLOCK.contains(&name) || matches!(name, "tr" | "td" | "th") {
            self.flush()?;
        }
        Ok(())
    }

    fn close_in_table(&mut self, id: NodeId, name: &str) -> Result<(), ParseError> {
        let Some(table) = &mut self.table else { return Ok(()) };
        match name {
            "td" | "th" => table.cells.push(std::mem::take(&mut self.inline)),
            "caption" => {
                let caption = std::mem::take(&mut self.inline);
                self.sink.push(BlockKind::Paragraph, &caption)?;
            }
            "tr" => {
                let is_header = !table.has_row && !table.has_data_cell;
                let kind = if is_header { BlockKind::TableHeader } else { BlockKind::TableRow };
                let cells = std::mem::take(&mut table.cells);
                (table.has_row, table.has_data_cell) = (true, false);
                self.sink.push_row(kind, &cells)?;
            }
            "table" if !self.layout.contains(&id) => {
                self.table = None;
                self.flush()?;
            }
            _ if BLOCK.contains(&name) || block_kind(name).is_some() => self.inline.push(' '),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<(), ParseError> {
        self.table = None;
        self.flush()
    }

    fn kind(&self) -> BlockKind {
        self.kinds.last().copied().unwrap_or(BlockKind::Paragraph)
    }

    fn flush(&mut self) -> Result<(), ParseError> {
        let text = std::mem::take(&mut self.inline);
        self.sink.push(self.kind(), &text)
    }
}

fn block_kind(name: &str) -> Option<BlockKind> {
    match name {
        "h1" => Some(BlockKind::Heading { level: 1 }),
        "h2" => Some(BlockKind::Heading { level: 2 }),
        "h3" => Some(BlockKind::Heading { level: 3 }),
        "h4" => Some(BlockKind::Heading { level: 4 }),
        "h5" => Some(BlockKind::Heading { level: 5 }),
        "h6" => Some(BlockKind::Heading { level: 6 }),
        "li" => Some(BlockKind::ListItem),
        "pre" => Some(BlockKind::Code),
        _ => None,
    }
}
