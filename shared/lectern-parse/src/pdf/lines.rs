//! Glyphs to lines, in the order a page draws them.

use pdf_extract::{MediaBox, OutputDev, OutputError, Transform};
use unicode_normalization::UnicodeNormalization;

use crate::pdf::direction::{Placed, is_right_to_left, logical};

/// Vertical distance, in font sizes, within which a glyph stands on the same line.
const SAME_LINE: f64 = 0.5;
/// Horizontal gap, in font sizes, that is a space when a string begins.
const WORD_GAP: f64 = 0.1;
/// Horizontal gap, in font sizes, that is a space in a right-to-left line, wherever it is.
const SIDE_GAP: f64 = 0.15;
/// Horizontal gap, in font sizes, that separates the cells of a table row.
const CELL_GAP: f64 = 1.5;
/// Stands for such a gap until the line is complete.
const CELL_BREAK: &str = "\u{1f}";
/// How far back, in font sizes, a string may begin and still continue its line.
const BACKWARDS: f64 = 0.6;
/// Horizontal distance, in font sizes, within which an equal line is a shadow of the one before.
const SHADOW: f64 = 0.3;

/// A line of a page. Units are points; `y` grows downwards.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// The text in reading order.
    pub(super) text: String,
    /// The same text, cut at gaps wide enough to separate table cells.
    pub(super) cells: Vec<String>,
    /// Left edge.
    pub(super) left: f64,
    /// Right edge.
    pub(super) right: f64,
    /// Baseline.
    pub(super) y: f64,
    /// Font size of most of its glyphs.
    pub(super) size: f64,
    /// Whether it holds right-to-left script.
    pub(super) is_right_to_left: bool,
}

#[derive(Debug, Default)]
struct OpenLine {
    glyphs: Vec<Placed>,
    left: f64,
    right: f64,
    last_right: f64,
    y: f64,
    size: f64,
    is_right_to_left: bool,
    ends_in_space: bool,
}

/// Collects the lines of one page.
#[derive(Debug)]
pub(super) struct LineCollector {
    lines: Vec<Line>,
    open: Option<OpenLine>,
    height: f64,
    starts_string: bool,
    /// Bytes of text still taken; what comes after is dropped, the caller notices the excess.
    remaining: u64,
}

impl LineCollector {
    pub(super) fn new(max_text_bytes: u64) -> Self {
        let remaining = max_text_bytes.saturating_add(1);
        Self { lines: Vec::new(), open: None, height: 0.0, starts_string: true, remaining }
    }

    pub(super) fn finish(mut self) -> Vec<Line> {
        self.end_open_line();
        self.lines
    }

    fn end_open_line(&mut self) {
        let Some(open) = self.open.take() else { return };
        let text = if open.is_right_to_left {
            logical(open.glyphs, open.size * SIDE_GAP)
        } else {
            open.glyphs.into_iter().map(|glyph| glyph.text).collect()
        };
        let cells = cells(&text);
        let text = cells.join(" ");
        if text.is_empty() {
            return;
        }
        let is_shadow = self.lines.last().is_some_and(|line| {
            let close = open.size * SHADOW;
            line.text == text
                && (line.y - open.y).abs() < close
                && (line.left - open.left).abs() < close
        });
        if !is_shadow {
            let OpenLine { left, right, y, size, is_right_to_left, .. } = open;
            self.lines.push(Line { text, cells, left, right, y, size, is_right_to_left });
        }
    }

    fn take(&mut self, glyph: Placed, y: f64, size: f64) {
        let right = glyph.right;
        let is_right_to_left = glyph.text.chars().any(is_right_to_left);
        let continues = self.open.as_ref().is_some_and(|open| {
            let scale = open.size.max(size);
            let goes_back = glyph.left < open.last_right - scale * BACKWARDS;
            (y - open.y).abs() <= scale * SAME_LINE
                && (!goes_back || is_right_to_left || open.is_right_to_left)
        });
        if !continues {
            self.end_open_line();
        }
        let starts_string = self.starts_string;
        let open = self.open.get_or_insert_with(|| OpenLine {
            left: glyph.left,
            right,
            last_right: glyph.left,
            y,
            size,
            ..OpenLine::default()
        });
        open.is_right_to_left |= is_right_to_left;
        let is_space = glyph.text.chars().all(char::is_whitespace);
        let gap = glyph.left - open.last_right;
        let is_gap = gap > size * WORD_GAP && !open.is_right_to_left;
        let gap_text = if gap > size * CELL_GAP { CELL_BREAK } else { " " };
        let is_known = open.ends_in_space && gap_text == " " || open.glyphs.is_empty();
        if starts_string && is_gap && !is_space && !is_known {
            let gap = Placed { left: open.last_right, right: glyph.left, text: gap_text.into() };
            open.glyphs.push(gap);
        }
        if !is_space && size > open.size * 0.5 && open.glyphs.len() < 3 {
            // A raised or lowered first glyph does not set the line's size.
            open.size = open.size.max(size);
        }
        open.left = open.left.min(glyph.left);
        open.right = open.right.max(right);
        open.last_right = right;
        open.ends_in_space = is_space;
        open.glyphs.push(glyph);
    }
}

/// Cuts a line's text at its cell breaks; a currency sign belongs to the amount after it.
fn cells(text: &str) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for cell in text.split(CELL_BREAK).map(crate::sink::tidy).filter(|cell| !cell.is_empty()) {
        let sign = cells.last_mut().and_then(take_currency);
        cells.retain(|cell| !cell.is_empty());
        cells.push(match sign {
            Some(sign) => format!("{sign} {cell}"),
            None => cell,
        });
    }
    cells
}

/// Takes a currency sign that stands alone at the end of a cell.
fn take_currency(cell: &mut String) -> Option<char> {
    let sign = cell.chars().next_back().filter(|sign| matches!(sign, '$' | '€' | '£' | '¥'))?;
    let amount = cell[..cell.len() - sign.len_utf8()].to_owned();
    if !amount.is_empty() && !amount.ends_with(' ') {
        return None;
    }
    *cell = amount.trim_end().to_owned();
    Some(sign)
}

/// Maps presentation forms and ligatures, which only say how a glyph looks, to their letters.
fn letters(text: &str) -> String {
    let is_form = |one: char| matches!(one, '\u{fb00}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}');
    if text.chars().any(is_form) { text.nfkc().collect() } else { text.to_owned() }
}

impl OutputDev for LineCollector {
    fn begin_page(
        &mut self,
        _page: u32,
        media_box: &MediaBox,
        _art_box: Option<(f64, f64, f64, f64)>,
    ) -> Result<(), OutputError> {
        self.height = media_box.ury - media_box.lly;
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        _spacing: f64,
        font_size: f64,
        text: &str,
    ) -> Result<(), OutputError> {
        let text = letters(text);
        let cost = text.len() as u64;
        if text.is_empty() || cost > self.remaining {
            return Ok(());
        }
        self.remaining -= cost;
        // Rotated text is turned upright: along its own axis it is a line as well.
        let (along_x, along_y) = (place.m11, place.m12);
        let scale = along_x.hypot(along_y);
        if !scale.is_finite() || scale == 0.0 || !font_size.is_finite() {
            return Ok(());
        }
        let (cos, sin) = (along_x / scale, along_y / scale);
        let left = place.m31 * cos + place.m32 * sin;
        let y = self.height - (place.m32 * cos - place.m31 * sin);
        let size = (font_size * place.m21.hypot(place.m22)).abs().max(0.1);
        let right = left + (width * font_size * scale).abs();
        if left.is_finite() && right.is_finite() && y.is_finite() && size.is_finite() {
            self.take(Placed { left, right, text }, y, size);
        }
        self.starts_string = false;
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        self.starts_string = true;
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(strings: &[(f64, f64, &str)]) -> Vec<String> {
        let mut collector = LineCollector::new(1_000);
        collector
            .begin_page(1, &MediaBox { llx: 0.0, lly: 0.0, urx: 600.0, ury: 800.0 }, None)
            .unwrap();
        for (left, y, text) in strings {
            collector.begin_word().unwrap();
            for (index, character) in text.chars().enumerate() {
                let x = left + 5.0 * index as f64;
                let place = Transform::row_major(1.0, 0.0, 0.0, 1.0, x, *y);
                collector.output_character(&place, 0.5, 0.0, 10.0, &character.to_string()).unwrap();
            }
        }
        collector.finish().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn gaps_become_spaces_and_drops_become_lines() {
        let found = lines(&[
            (0.0, 700.0, "one"),
            (20.0, 700.0, "two"),
            (30.0, 703.0, "2"),
            (0.0, 688.0, "next"),
        ]);
        assert_eq!(found, ["one two2", "next"]);
    }

    #[test]
    fn wide_gaps_separate_cells() {
        let mut collector = LineCollector::new(1_000);
        for (left, text) in
            [(0.0, "a"), (6.5, "b"), (40.0, "$"), (80.0, "7"), (87.0, "$"), (120.0, "8")]
        {
            collector.begin_word().unwrap();
            let place = Transform::row_major(1.0, 0.0, 0.0, 1.0, left, 0.0);
            collector.output_character(&place, 0.5, 0.0, 10.0, text).unwrap();
        }
        let lines = collector.finish();
        assert_eq!(
            (lines[0].text.as_str(), lines[0].cells.as_slice()),
            ("a b $ 7 $ 8", ["a b", "$ 7", "$ 8"].map(String::from).as_slice())
        );
    }

    #[test]
    fn shadows_are_dropped_and_ligatures_spelt_out() {
        assert_eq!(lines(&[(0.0, 700.0, "bo\u{fb01}"), (0.5, 700.0, "bo\u{fb01}")]), ["bofi"]);
    }

    #[test]
    fn takes_no_more_text_than_allowed() {
        let mut collector = LineCollector::new(3);
        for _ in 0..10 {
            collector.output_character(&Transform::identity(), 0.5, 0.0, 10.0, "x").unwrap();
        }
        assert_eq!(collector.finish()[0].text.len(), 4);
    }
}
