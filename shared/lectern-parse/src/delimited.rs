//! Delimited values: the delimiter is found, the first row with text is the header.

use csv::ReaderBuilder;
use lectern_core::text::BlockKind;

use crate::{error::ParseError, sink::Sink};

/// Rows looked at to find the delimiter.
const SAMPLE_LINES: usize = 50;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads delimited values. Rows may differ in length; what cannot be read as a row is skipped.
pub(crate) fn parse(text: &str, sink: &mut Sink) -> Result<(), ParseError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut kind = BlockKind::TableHeader;
    for record in reader.records().filter_map(Result::ok) {
        let cells: Vec<&str> = record.iter().collect();
        let before = sink.len();
        sink.push_row(kind, &cells)?;
        if sink.len() > before {
            kind = BlockKind::TableRow;
        }
    }
    Ok(())
}

/// Returns the delimiter that occurs most evenly: in most lines, the same number of times.
fn delimiter(text: &str) -> u8 {
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty()).take(SAMPLE_LINES).collect();
    let score = |delimiter: u8| {
        let mut counts: Vec<usize> = lines
            .iter()
            .map(|line| line.bytes().filter(|byte| *byte == delimiter).count())
            .collect();
        counts.sort_unstable();
        let median = counts.get(counts.len() / 2).copied().unwrap_or(0);
        let even = counts.iter().filter(|count| **count == median).count();
        if median == 0 { 0 } else { even * 100 + median.min(99) }
    };
    // The first of equals wins, hence the reversed search for the maximum.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ParseLimits;

    #[test]
    fn finds_the_delimiter_and_the_header() {
        for (text, wanted) in [
            ("a,b\n1,\"x, y\"\n", ["a | b", "1 | x, y"]),
            ("\n;;\na;b\n1,5;2\n", ["a | b", "1,5 | 2"]),
            ("a\tb\n1 2\t3\n", ["a | b", "1 2 | 3"]),
        ] {
            let mut sink = Sink::new(&ParseLimits::default());
            parse(text, &mut sink).unwrap();
            let (_, blocks) = sink.finish();
            assert_eq!(blocks[0].kind, BlockKind::TableHeader);
            assert_eq!(blocks[1].kind, BlockKind::TableRow);
            let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
            assert_eq!(texts, wanted);
        }
    }
}
