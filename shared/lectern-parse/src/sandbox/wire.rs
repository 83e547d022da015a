//! What parent and child say to each other: lengths before contents, JSON around the document.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::{ParseError, ParseLimits, Parsed};

/// Longest request header: a name of at most 512 bytes, escaped, and the limits.
pub(super) const MAX_HEADER_BYTES: u32 = 16_384;
/// Most bytes of JSON one byte of text becomes (`\u0000`).
const ESCAPED_BYTES: u64 = 6;
/// Bytes of JSON around the text of a block, at most.
const BLOCK_BYTES: u64 = 160;
/// Bytes of JSON around everything.
const ANSWER_BYTES: u64 = 65_536;

/// What precedes a document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) limits: ParseLimits,
    pub(super) body_bytes: u64,
}

/// Returns the header with its length before it.
pub(super) fn header(request: &Request) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(request)?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_HEADER_BYTES);
    let length = length.ok_or_else(|| io::Error::other("header too long"))?;
    Ok([length.to_le_bytes().as_slice(), &json].concat())
}

/// Returns the longest answer that keeps to the limits.
pub(super) fn max_answer_bytes(limits: &ParseLimits) -> u64 {
    let text = limits.max_text_bytes.saturating_mul(ESCAPED_BYTES);
    let blocks = u64::from(limits.max_blocks).saturating_mul(BLOCK_BYTES);
    text.saturating_add(blocks).saturating_add(ANSWER_BYTES)
}

/// Reads a header; `None` when the parent has closed the pipe.
pub(super) fn read_header(input: &mut impl Read) -> io::Result<Option<Request>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(io::Error::other("header too long"));
    }
    let mut json = vec![0; length as usize];
    input.read_exact(&mut json)?;
    Ok(Some(serde_json::from_slice(&json)?))
}

/// Reads the document; refuses what its limits forbid.
pub(super) fn read_body(input: &mut impl Read, request: &Request) -> io::Result<Vec<u8>> {
    if request.body_bytes > request.limits.max_bytes {
        return Err(io::Error::other("body too long"));
    }
    let mut body = Vec::new();
    input.take(request.body_bytes).read_to_end(&mut body)?;
    if body.len() as u64 == request.body_bytes {
        Ok(body)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Writes an answer with its length before it.
pub(super) fn write_answer(
    output: &mut impl Write,
    answer: &Result<Parsed, ParseError>,
) -> io::Result<()> {
    let json = serde_json::to_vec(answer)?;
    output.write_all(&(json.len() as u64).to_le_bytes())?;
    output.write_all(&json)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_body_read_back_and_are_bounded() {
        let limits = ParseLimits { max_bytes: 3, ..ParseLimits::default() };
        let request = Request { name: "a \"کتاب\".md".into(), limits, body_bytes: 3 };
        let sent = [header(&request).unwrap(), b"abc".to_vec()].concat();
        let mut input = sent.as_slice();
        let read = read_header(&mut input).unwrap().unwrap();
        assert_eq!((read.name.as_str(), read.limits.max_bytes), (request.name.as_str(), 3));
        assert_eq!(read_body(&mut input, &read).unwrap(), b"abc");
        assert!(read_header(&mut input).unwrap().is_none());
        let long = Request { name: "x".repeat(MAX_HEADER_BYTES as usize), ..request };
        assert!(header(&long).is_err());
        let long = Request { name: String::new(), body_bytes: 4, ..long };
        assert!(read_body(&mut b"abcd".as_slice(), &long).is_err());
        assert!(read_header(&mut u32::MAX.to_le_bytes().as_slice()).is_err());
    }
}
