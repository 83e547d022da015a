//! Files of JSON Lines are read a line at a time, each of bounded length.

use std::{
    fs::File,
    io::{BufRead, BufReader, Error, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use super::at;
use crate::failure::Failure;

/// Most bytes of a line: a text as long as a document may be, in JSON, and a vector.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// The lines of a file that are not blank, with their numbers from 1.
#[derive(Debug)]
pub(super) struct JsonLines {
    path: PathBuf,
    lines: BufReader<File>,
    number: u64,
}

impl JsonLines {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let lines = BufReader::new(File::open(path).map_err(at(path))?);
        Ok(Self { path: path.to_owned(), lines, number: 0 })
    }

    /// Returns the next line and its number, `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, String)>, Failure> {
        loop {
            let line = line(&mut self.lines, MAX_LINE_BYTES).map_err(at(&self.path))?;
            let Some(line) = line else { return Ok(None) };
            self.number += 1;
            if !line.trim().is_empty() {
                return Ok(Some((self.number, line)));
            }
        }
    }
}

fn line(reader: &mut impl BufRead, most: u64) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = reader.take(most + 1).read_line(&mut line)?;
    if read as u64 > most {
        let reason = format!("a line has more than {most} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, reason));
    }
    Ok(Some(line).filter(|_| read > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_past_the_bound_is_refused() {
        let mut text = &b"12345\n1234567\n"[..];
        assert_eq!(line(&mut text, 8).unwrap().as_deref(), Some("12345\n"));
        assert_eq!(line(&mut text, 8).unwrap().as_deref(), Some("1234567\n"));
        assert_eq!(line(&mut text, 8).unwrap(), None);
        let mut long = &b"123456789"[..];
        assert_eq!(line(&mut long, 8).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
