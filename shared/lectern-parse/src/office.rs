//! DOCX, PPTX and XLSX, read by `undoc`; its model becomes blocks here.

use lectern_core::text::BlockKind;
use undoc::{Block, Cell, ErrorKind, Paragraph, Section, Table};

use crate::{
    archive::Archive,
    error::{Damage, ParseError},
    limits::ParseLimits,
    media_type::MediaType,
    sink::Sink,
};

/// Deepest table in a table that is read.
const MAX_TABLE_DEPTH: usize = 16;

/// Reads an Office Open XML document.
pub(crate) fn parse(
    bytes: &[u8],
    media_type: MediaType,
    limits: &ParseLimits,
    sink: &mut Sink,
) -> Result<(), ParseError> {
    Archive::open(bytes, media_type, limits)?.measure()?;
    let document = undoc::parse_bytes(bytes).map_err(|error| refusal(&error, media_type))?;
    sink.title = document.metadata.title;
    for (section, number) in document.sections.iter().zip(1..) {
        if media_type != MediaType::Docx {
            sink.start_page(number)?;
        }
        write_section(section, media_type, sink)?;
    }
    Ok(())
}

fn refusal(error: &undoc::Error, media_type: MediaType) -> ParseError {
    match error.kind() {
        ErrorKind::Encrypted => ParseError::Encrypted { media_type: media_type.label().into() },
        ErrorKind::MissingComponent | ErrorKind::UnknownFormat | ErrorKind::UnsupportedFormat => {
            ParseError::malformed(media_type, Damage::MissingPart)
        }
        ErrorKind::ZipArchive | ErrorKind::Io => {
            ParseError::malformed(media_type, Damage::Container)
        }
        _ => ParseError::malformed(media_type, Damage::Structure),
    }
}

fn write_section(
    section: &Section,
    media_type: MediaType,
    sink: &mut Sink,
) -> Result<(), ParseError> {
    if media_type == MediaType::Xlsx
        && let Some(name) = &section.name
    {
        sink.push(BlockKind::Heading { level: 1 }, name)?;
    }
    write_paragraphs(section.header.as_deref(), sink)?;
    for block in &section.content {
        match block {
            Block::Paragraph(paragraph) => write_paragraph(paragraph, sink)?,
            Block::Table(table) => write_table(table, media_type, 0, sink)?,
            Block::Note { content, .. } => write_paragraphs(Some(content), sink)?,
            Block::Image { alt_text: Some(text), .. } => sink.push(BlockKind::Paragraph, text)?,
            Block::Image { .. } | Block::PageBreak | Block::SectionBreak => {}
        }
    }
    write_paragraphs(section.notes.as_deref(), sink)?;
    write_paragraphs(section.footer.as_deref(), sink)
}

fn write_paragraphs(paragraphs: Option<&[Paragraph]>, sink: &mut Sink) -> Result<(), ParseError> {
    paragraphs.unwrap_or_default().iter().try_for_each(|paragraph| write_paragraph(paragraph, sink))
}

fn write_paragraph(paragraph: &Paragraph, sink: &mut Sink) -> Result<(), ParseError> {
    let kind = if paragraph.is_heading() {
        BlockKind::Heading { level: paragraph.heading.level().clamp(1, 6) }
    } else if paragraph.is_list_item() {
        BlockKind::ListItem
    } else {
        BlockKind::Paragraph
    };
    sink.push(kind, &text_of(paragraph))
}

/// Joins the runs; marks of footnotes and of page breaks are no text.
fn text_of(paragraph: &Paragraph) -> String {
    let mut text = String::new();
    for run in &paragraph.runs {
        text.push_str(&run.text);
        if run.line_break || run.page_break {
            text.push('\n');
        }
    }
    text
}

fn write_table(
    table: &Table,
    media_type: MediaType,
    depth: usize,
    sink: &mut Sink,
) -> Result<(), ParseError> {
    if let Some(caption) = &table.caption {
        sink.push(BlockKind::Paragraph, caption)?;
    }
    for (index, row) in table.rows.iter().enumerate() {
        let cells: Vec<String> = row.cells.iter().map(cell_text).collect();
        let is_first_of_several = index == 0 && table.rows.len() > 1 && row.cells.len() > 1;
        let is_header =
            index == 0 && row.is_header || media_type != MediaType::Xlsx && is_first_of_several;
        let kind = if is_header { BlockKind::TableHeader } else { BlockKind::TableRow };
        sink.push_row(kind, &cells)?;
        if depth < MAX_TABLE_DEPTH {
            for nested in row.cells.iter().flat_map(|cell| &cell.nested_tables) {
                write_table(nested, media_type, depth + 1, sink)?;
            }
        }
    }
    Ok(())
}

fn cell_text(cell: &Cell) -> String {
    let paragraphs: Vec<String> = cell.content.iter().map(text_of).collect();
    paragraphs.join(" ")
}
