//! OpenDocument text (ISO/IEC 26300): `content.xml` in reading order.

use lectern_core::text::BlockKind;

use crate::{
    archive::Archive,
    error::{Damage, ParseError},
    limits::ParseLimits,
    media_type::MediaType,
    sink::Sink,
    xml::{self, Element, Piece},
};

/// Most spaces one `text:s` element may stand for.
const MAX_SPACES: usize = 64;

/// Reads an OpenDocument text.
pub(crate) fn parse(bytes: &[u8], limits: &ParseLimits, sink: &mut Sink) -> Result<(), ParseError> {
    let mut archive = Archive::open(bytes, MediaType::Odt, limits)?;
    if let Some(manifest) = archive.read("META-INF/manifest.xml")?
        && String::from_utf8_lossy(&manifest).contains(":encryption-data")
    {
        return Err(ParseError::Encrypted { media_type: MediaType::Odt.label().into() });
    }
    sink.title = archive.read_text("meta.xml").ok().and_then(|meta| title(&meta));
    let content = archive.read_text("content.xml")?;
    let mut writer = Writer {
        sink,
        inline: String::new(),
        lists: 0,
        level: 1,
        deleted: 0,
        row: None,
        first_row: true,
    };
    let complete = xml::read(&content, |piece| match piece {
        Piece::Open(element) => writer.open(&element),
        Piece::Text(text) => {
            writer.text(&text);
            Ok(())
        }
        Piece::Close(name) => writer.close(&name),
    })?;
    if !complete && writer.sink.len() == 0 {
        return Err(ParseError::malformed(MediaType::Odt, Damage::Structure));
    }
    Ok(())
}

fn title(meta: &str) -> Option<String> {
    let mut found = None;
    let mut is_open = false;
    let read: Result<bool, ()> = xml::read(meta, |piece| {
        match piece {
            Piece::Open(element) => is_open = element.name == "title",
            Piece::Text(text) if is_open => found = Some(text),
            _ => is_open = false,
        }
        Ok(())
    });
    read.ok().and(found)
}

struct Writer<'sink> {
    sink: &'sink mut Sink,
    inline: String,
    lists: usize,
    /// Level of the heading that is open.
    level: u8,
    /// Depth inside tracked deletions and comments, which are no text.
    deleted: usize,
    row: Option<Vec<String>>,
    first_row: bool,
}

impl Writer<'_> {
    fn open(&mut self, element: &Element) -> Result<(), ParseError> {
        match element.name.as_str() {
            "tracked-changes" | "annotation" => self.deleted += 1,
            "list" => self.lists += 1,
            "table" => self.first_row = true,
            "table-row" if self.row.is_none() => {
                self.flush(BlockKind::Paragraph)?;
                self.row = Some(Vec::new());
            }
            "tab" | "line-break" => self.text(if element.name == "tab" { "\t" } else { "\n" }),
            "s" => {
                let count =
                    element.attribute("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                self.text(&" ".repeat(MAX_SPACES.min(count)));
            }
            "h" => {
                self.flush(BlockKind::Paragraph)?;
                let level = element.attribute("outline-level").and_then(|level| level.parse().ok());
                self.level = level.unwrap_or(1_u8).clamp(1, 6);
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.deleted == 0 {
            self.inline.push_str(text);
        }
    }

    fn close(&mut self, name: &str) -> Result<(), ParseError> {
        match name {
            "tracked-changes" | "annotation" => self.deleted = self.deleted.saturating_sub(1),
            "list" => self.lists = self.lists.saturating_sub(1),
            "p" | "h" if self.row.is_some() => self.inline.push(' '),
            "h" => return self.flush(BlockKind::Heading { level: self.level }),
            "p" if self.lists > 0 => return self.flush(BlockKind::ListItem),
            "p" => return self.flush(BlockKind::Paragraph),
            "table-cell" | "covered-table-cell" => {
                let text = std::mem::take(&mut self.inline);
                self.row.get_or_insert_default().push(text);
            }
            "table-row" => {
                let cells = self.row.take().unwrap_or_default();
                let kind =
                    if self.first_row { BlockKind::TableHeader } else { BlockKind::TableRow };
                self.first_row = false;
                return self.sink.push_row(kind, &cells);
            }
            _ => {}
        }
        Ok(())
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
    use crate::archive::tests::zip_of;

    #[test]
    fn reads_headings_lists_and_tables() {
        let content = "<o><h outline-level=\"2\">Head</h><p>a<s c=\"2\"/>b</p><list><item><p>one</p></item></list>\
            <table><table-row><table-cell><p>k</p></table-cell><table-cell><p>v</p></table-cell></table-row>\
            <table-row><table-cell><p>1</p></table-cell><table-cell><p>2</p></table-cell></table-row></table>\
            <tracked-changes><p>gone</p></tracked-changes><p>end</p></o>";
        let bytes = zip_of(&[
            ("content.xml", content.as_bytes()),
            ("meta.xml", b"<m><title>T</title></m>"),
        ]);
        let limits = ParseLimits::default();
        let mut sink = Sink::new(&limits);
        parse(&bytes, &limits, &mut sink).unwrap();
        let (title, blocks) = sink.finish();
        let found: Vec<_> = blocks.iter().map(|block| (block.kind, block.text.as_str())).collect();
        assert_eq!(title.as_deref(), Some("T"));
        let wanted = [
            (Heading { level: 2 }, "Head"),
            (Paragraph, "a b"),
            (ListItem, "one"),
            (TableHeader, "k | v"),
            (TableRow, "1 | 2"),
            (Paragraph, "end"),
        ];
        assert_eq!(found, wanted);
    }
}
