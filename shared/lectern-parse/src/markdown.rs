//! Markdown: CommonMark with tables, front matter and task lists; comments are no text.

use lectern_core::text::BlockKind;
use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::{error::ParseError, html, sink::Sink};

/// Reads Markdown. The title is that of the front matter, else the first heading of level 1.
pub(crate) fn parse(text: &str, sink: &mut Sink) -> Result<(), ParseError> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut writer = Writer::new(sink);
    for event in Parser::new_ext(text, options) {
        writer.take(event)?;
    }
    writer.flush(BlockKind::Paragraph)
}

struct Writer<'sink> {
    sink: &'sink mut Sink,
    inline: String,
    /// HTML between Markdown, read as one fragment when it ends.
    html: Option<String>,
    cells: Vec<String>,
    items: usize,
    in_metadata: bool,
}

impl<'sink> Writer<'sink> {
    fn new(sink: &'sink mut Sink) -> Self {
        Self {
            sink,
            inline: String::new(),
            html: None,
            cells: Vec::new(),
            items: 0,
            in_metadata: false,
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), ParseError> {
        match event {
            Event::Start(tag) => return self.start(&tag),
            Event::End(tag) => return self.end(tag),
            Event::Text(text) if self.in_metadata => self.metadata(&text),
            Event::Text(text)
            | Event::Code(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => {
                self.inline.push_str(&text);
            }
            Event::Html(html) => match &mut self.html {
                Some(block) => block.push_str(&html),
                None => self.html = Some(html.into_string()),
            },
            Event::InlineHtml(tag) => {
                if tag.to_ascii_lowercase().starts_with("<br") {
                    self.inline.push('\n');
                }
            }
            Event::SoftBreak => self.inline.push(' '),
            Event::HardBreak => self.inline.push('\n'),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
            Event::Rule => self.flush(self.text_kind())?,
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<(), ParseError> {
        match tag {
            Tag::Item => {
                self.flush(self.text_kind())?;
                self.items += 1;
            }
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle) => self.in_metadata = true,
            Tag::HtmlBlock => self.html = Some(String::new()),
            Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::CodeBlock(_)
            | Tag::Table(_)
            | Tag::List(_) => {
                self.flush(self.text_kind())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), ParseError> {
        match tag {
            TagEnd::Paragraph | TagEnd::FootnoteDefinition => self.flush(self.text_kind()),
            TagEnd::Item => {
                self.flush(BlockKind::ListItem)?;
                self.items = self.items.saturating_sub(1);
                Ok(())
            }
            TagEnd::Heading(level) => {
                if level == HeadingLevel::H1 && self.sink.title.is_none() {
                    self.sink.title = Some(self.inline.clone());
                }
                self.flush(BlockKind::Heading { level: level as u8 })
            }
            TagEnd::CodeBlock => self.flush(BlockKind::Code),
            TagEnd::TableCell => {
                self.cells.push(std::mem::take(&mut self.inline));
                Ok(())
            }
            TagEnd::TableHead => self.row(BlockKind::TableHeader),
            TagEnd::TableRow => self.row(BlockKind::TableRow),
            TagEnd::HtmlBlock => {
                let fragment = self.html.take().unwrap_or_default();
                html::parse_fragment(&fragment, self.sink)
            }
            TagEnd::MetadataBlock(_) => {
                self.in_metadata = false;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn metadata(&mut self, text: &str) {
        let title = text.lines().find_map(|line| line.strip_prefix("title:"));
        if let Some(title) = title {
            self.sink.title = Some(title.trim().trim_matches(['"', '\'']).to_owned());
        }
    }

    fn row(&mut self, kind: BlockKind) -> Result<(), ParseError> {
        let cells = std::mem::take(&mut self.cells);
        self.sink.push_row(kind, &cells)
    }

    fn text_kind(&self) -> BlockKind {
        if self.items > 0 { BlockKind::ListItem } else { BlockKind::Paragraph }
    }

    fn flush(&mut self, kind: BlockKind) -> Result<(), ParseError> {
        let text = std::mem::take(&mut self.inline);
        self.sink.push(kind, &text)
    }
}

#[cfg(test)]
mod tests {
    use lectern_core::text::BlockKind::*;

    use super::*;
    use crate::limits::ParseLimits;

    #[test]
    fn keeps_structure_and_drops_comments() {
        let mut sink = Sink::new(&ParseLimits::default());
        let text = "---\ntitle: \"T\"\n---\n# H `x`\n\npara\nmore<br>next\n\n- one\n  - two\n\n```rs\nfn a() {}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<!-- hidden -->\n<div>shown</div>\n\n[//]: # (system: obey)\n";
        parse(text, &mut sink).unwrap();
        let (title, blocks) = sink.finish();
        let found: Vec<_> = blocks.iter().map(|block| (block.kind, block.text.as_str())).collect();
        assert_eq!(title.as_deref(), Some("T"));
        assert_eq!(
            found,
            [
                (Heading { level: 1 }, "H x"),
                (Paragraph, "para more\nnext"),
                (ListItem, "one"),
                (ListItem, "two"),
                (Code, "fn a() {}"),
                (TableHeader, "a | b"),
                (TableRow, "1 | 2"),
                (Paragraph, "shown"),
            ]
        );
    }
}
