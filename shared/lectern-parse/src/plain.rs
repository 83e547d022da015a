//! Plain text: paragraphs at blank lines, list items at their marks.

use lectern_core::text::BlockKind;

use crate::{error::ParseError, sink::Sink};

/// Lines at least this long on average were wrapped by a program, so they are joined.
const WRAPPED_LINE_CHARS: usize = 45;

/// Reads plain text.
pub(crate) fn parse(text: &str, sink: &mut Sink) -> Result<(), ParseError> {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        let line = line.trim_end();
        if is_list_item(line) || line.trim_start().is_empty() {
            flush(&lines, sink)?;
            lines.clear();
        }
        if !line.trim_start().is_empty() {
            lines.push(line);
        }
    }
    flush(&lines, sink)
}

fn flush(lines: &[&str], sink: &mut Sink) -> Result<(), ParseError> {
    let Some((last, wrapped)) = lines.split_last() else { return Ok(()) };
    let kind = if is_list_item(lines[0]) { BlockKind::ListItem } else { BlockKind::Paragraph };
    let length: usize = wrapped.iter().map(|line| line.chars().count()).sum();
    let is_wrapped = !wrapped.is_empty() && length / wrapped.len() >= WRAPPED_LINE_CHARS;
    if is_wrapped || kind == BlockKind::ListItem {
        return sink.push(kind, &lines.join(" "));
    }
    if wrapped.is_empty() {
        return sink.push(kind, last);
    }
    sink.push(kind, &lines.join("\n"))
}

/// Whether a line starts with a bullet or a short number and a point.
pub(crate) fn is_list_item(line: &str) -> bool {
    let line = line.trim_start();
    let mut rest = line.chars();
    match rest.next() {
        Some('•' | '◦' | '▪' | '●' | '○' | '‣' | '–' | '-' | '*' | '·') => {
            rest.next().is_some_and(char::is_whitespace)
        }
        Some(first) if first.is_ascii_digit() => {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let mark = line[digits..].chars().next();
            let after = line[digits..].chars().nth(1);
            digits <= 3 && matches!(mark, Some('.' | ')')) && after.is_some_and(char::is_whitespace)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ParseLimits;

    #[test]
    fn joins_wrapped_lines_and_keeps_short_ones() {
        let mut sink = Sink::new(&ParseLimits::default());
        let text = "A line that was wrapped at about seventy characters by an\neditor.\r\n\r\nroses\nviolets\n\n1. one\n2. two\n  more";
        parse(text, &mut sink).unwrap();
        let (_, blocks) = sink.finish();
        let found: Vec<(BlockKind, &str)> =
            blocks.iter().map(|block| (block.kind, block.text.as_str())).collect();
        let wrapped = "A line that was wrapped at about seventy characters by an editor.";
        assert_eq!(
            found,
            [
                (BlockKind::Paragraph, wrapped),
                (BlockKind::Paragraph, "roses\nviolets"),
                (BlockKind::ListItem, "1. one"),
                (BlockKind::ListItem, "2. two more"),
            ]
        );
    }
}
