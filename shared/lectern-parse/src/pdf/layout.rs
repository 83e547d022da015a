//! Lines to paragraphs, headings and list items.

use std::collections::BTreeMap;

use lectern_core::text::BlockKind;

use crate::{error::ParseError, pdf::lines::Line, plain::is_list_item, sink::Sink};

/// Size, in body sizes, from which a short line is a heading.
const HEADING_RATIO: f64 = 1.15;
/// Longest heading in characters.
const HEADING_CHARS: usize = 250;
/// Difference of sizes, as a share, within which lines belong to one paragraph.
const SAME_SIZE: f64 = 0.12;
/// Distance of baselines, in font sizes, beyond which a paragraph ends in any case.
const PARAGRAPH_GAP: f64 = 2.2;
/// Growth of the distance of baselines that ends a paragraph.
const GAP_GROWTH: f64 = 1.25;
/// Indent, in font sizes, that starts a paragraph.
const INDENT: f64 = 0.8;
/// Share of the widest line that a line reaches unless it ends its paragraph.
const FULL_LINE: f64 = 0.75;

/// Writes all pages. Sizes are compared over the whole document.
pub(super) fn write(pages: Vec<(u32, Vec<Line>)>, sink: &mut Sink) -> Result<(), ParseError> {
    let levels = HeadingLevels::of(pages.iter().flat_map(|(_, lines)| lines));
    for (page, lines) in pages {
        sink.start_page(page)?;
        let mut paragraph: Vec<Line> = Vec::new();
        for line in lines {
            let is_row = is_row(&line);
            if !paragraph.is_empty() && (is_row || !continues(&paragraph, &line)) {
                flush(&mut paragraph, &levels, sink)?;
            }
            if is_row {
                sink.push_row(BlockKind::TableRow, &line.cells)?;
            } else {
                paragraph.push(line);
            }
        }
        flush(&mut paragraph, &levels, sink)?;
    }
    Ok(())
}

/// The body size, and the sizes above it in descending order.
struct HeadingLevels {
    body: i64,
    larger: Vec<i64>,
}

/// Sizes are compared in half points.
fn half_points(size: f64) -> i64 {
    (size * 2.0).round().min(1e6) as i64
}

impl HeadingLevels {
    fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> Self {
        let mut characters: BTreeMap<i64, usize> = BTreeMap::new();
        for line in lines {
            *characters.entry(half_points(line.size)).or_default() += line.text.len();
        }
        let body = characters.iter().max_by_key(|(_, count)| **count).map_or(0, |(size, _)| *size);
        let larger = characters
            .keys()
            .rev()
            .copied()
            .filter(|size| *size as f64 >= body as f64 * HEADING_RATIO);
        Self { body, larger: larger.collect() }
    }

    fn level(&self, size: f64) -> Option<u8> {
        let size = half_points(size);
        let rank = self.larger.iter().position(|larger| *larger == size)?;
        (size > self.body).then(|| u8::try_from(rank + 1).unwrap_or(6).min(6))
    }
}

/// Whether a line is a table row: three cells, or two of which the last is a number.
fn is_row(line: &Line) -> bool {
    let ends_in_number = line.cells.last().is_some_and(|cell| {
        cell.chars().any(char::is_numeric) && !cell.chars().any(char::is_alphabetic)
    });
    match line.cells.len() {
        0 | 1 => false,
        2 => ends_in_number && !is_list_item(&line.text),
        _ => !is_list_item(&line.text),
    }
}

fn continues(paragraph: &[Line], line: &Line) -> bool {
    let [first, ..] = paragraph else { return true };
    let [.., last] = paragraph else { return true };
    let gap = line.y - last.y;
    let is_same_size = (line.size - last.size).abs() <= last.size * SAME_SIZE;
    if gap <= 0.0 || gap > last.size * PARAGRAPH_GAP || !is_same_size || is_list_item(&line.text) {
        return false;
    }
    if let [.., before, _] = paragraph
        && gap > (last.y - before.y) * GAP_GROWTH
    {
        return false;
    }
    let overlaps = line.left < last.right && last.left < line.right;
    let is_hanging = is_list_item(&first.text);
    let is_right_to_left = line.is_right_to_left || last.is_right_to_left;
    let is_indented = if is_right_to_left {
        line.right < last.right - line.size * INDENT && paragraph.len() > 1
    } else {
        line.left > last.left + line.size * INDENT && !is_hanging
    };
    let widest = paragraph.iter().map(|line| line.right - line.left).fold(0.0, f64::max);
    let is_short = paragraph.len() > 1 && last.right - last.left < widest * FULL_LINE;
    let ends_sentence = last.text.ends_with(['.', ':', '!', '?', '。', '؟', '۔']);
    overlaps && !is_indented && !(is_short && ends_sentence)
}

fn flush(
    paragraph: &mut Vec<Line>,
    levels: &HeadingLevels,
    sink: &mut Sink,
) -> Result<(), ParseError> {
    let lines = std::mem::take(paragraph);
    let Some(first) = lines.first() else { return Ok(()) };
    let text = joined(&lines);
    let level = levels.level(first.size).filter(|_| text.chars().count() <= HEADING_CHARS);
    let kind = match level {
        _ if is_list_item(&first.text) => BlockKind::ListItem,
        Some(level) if text.chars().any(char::is_alphabetic) => BlockKind::Heading { level },
        _ => BlockKind::Paragraph,
    };
    sink.push(kind, &text)
}

/// Joins lines with spaces, and the halves of a word that was divided at a line's end.
fn joined(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        if is_divided(&text, &line.text) {
            text.pop();
        } else if !text.is_empty() && !text.ends_with('-') {
            text.push(' ');
        }
        text.push_str(&line.text);
    }
    text
}

/// Whether `text` ends in a hyphen that only divides a word: after a lower-case word that has no
/// other hyphen, before a lower-case letter.
fn is_divided(text: &str, next: &str) -> bool {
    if text.ends_with('\u{ad}') {
        return true;
    }
    let Some(head) = text.strip_suffix(['-', '\u{2010}']) else { return false };
    let word = head.rsplit(char::is_whitespace).next().unwrap_or_default();
    let ends_lower = word.chars().next_back().is_some_and(char::is_lowercase);
    ends_lower && !word.contains('-') && next.starts_with(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ParseLimits;

    fn line(text: &str, left: f64, y: f64, size: f64) -> Line {
        let right = left + text.len() as f64 * size / 2.0;
        let cells = text.split('|').map(str::to_owned).collect();
        Line { text: text.into(), cells, left, right, y, size, is_right_to_left: false }
    }

    #[test]
    fn finds_headings_paragraphs_and_items() {
        let lines = vec![
            line("The heading", 0.0, 20.0, 18.0),
            line("A paragraph whose words are hyphen-", 0.0, 50.0, 10.0),
            line("ated and go on with well-known-", 0.0, 62.0, 10.0),
            line("to all.", 0.0, 74.0, 10.0),
            line("Another paragraph, after a gap.", 0.0, 98.0, 10.0),
            line("• an item", 0.0, 110.0, 10.0),
            line("that goes on", 12.0, 122.0, 10.0),
            line("Net income|$ 7", 0.0, 134.0, 10.0),
            line("Total|a|b", 0.0, 146.0, 10.0),
        ];
        let mut sink = Sink::new(&ParseLimits::default());
        write(vec![(3, lines)], &mut sink).unwrap();
        let (_, blocks) = sink.finish();
        let found: Vec<_> =
            blocks.iter().map(|block| (block.kind, block.text.as_str(), block.page)).collect();
        let wanted = [
            (BlockKind::Heading { level: 1 }, "The heading", Some(3)),
            (
                BlockKind::Paragraph,
                "A paragraph whose words are hyphenated and go on with well-known-to all.",
                Some(3),
            ),
            (BlockKind::Paragraph, "Another paragraph, after a gap.", Some(3)),
            (BlockKind::ListItem, "• an item that goes on", Some(3)),
            (BlockKind::TableRow, "Net income | $ 7", Some(3)),
            (BlockKind::TableRow, "Total | a | b", Some(3)),
        ];
        assert_eq!(found, wanted);
    }
}
