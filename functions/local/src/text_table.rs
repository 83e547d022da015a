//! Rows with aligned columns.

use unicode_width::UnicodeWidthStr as _;

/// Space between two columns.
const GAP: &str = "  ";

/// Which side of its column a cell stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Returns the lines of a table: headings, then rows. Widths count terminal cells, so wide scripts align
/// too; a row that is shorter than the headings ends early.
pub(crate) fn text_table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> Vec<String> {
    let headings: Vec<String> = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&headings).chain(rows).collect();
    let width = |column: usize| {
        all.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(columns).zip(&widths);
        let padded = cells.map(|((cell, (_, align)), width)| {
            let padding = " ".repeat(width - cell.width());
            match align {
                Align::Left => format!("{cell}{padding}"),
                Align::Right => format!("{padding}{cell}"),
            }
        });
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    all.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_a_terminal_shows() {
        let columns = [("NAME", Align::Left), ("SIZE", Align::Right)];
        let row = |name: &str, size: &str| vec![name.to_owned(), size.to_owned()];
        let lines = text_table(&columns, &[row("漢字.md", "7"), row("a", "12345")]);
        assert_eq!(lines, ["NAME      SIZE", "漢字.md      7", "a        12345"]);
    }

    #[test]
    fn no_rows_leave_the_headings() {
        assert_eq!(text_table(&[("ID", Align::Left)], &[]), ["ID"]);
    }
}
