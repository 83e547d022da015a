//! Bytes of a document to blocks of text, by media type, in bounded memory and time.
//!
//! Knows file formats and nothing else: no collection, no index, no network, no file system. Whom a
//! document belongs to and how its text is cut is decided elsewhere. Documents are hostile: what is
//! not tried by [`sandbox::Sandbox`] in a child process should be tried nowhere but in tests.
//!
//! | module | what it does |
//! |---|---|
//! | [`media_type`], [`sniff`] | which formats are read; what the bytes are |
//! | [`limits`], [`error`] | what a document may cost; why it was refused |
//! | `sink` | collects blocks within the bounds |
//! | `decode` | bytes to characters |
//! | `plain`, `markdown`, `html`, `html_writer`, `delimited`, `json` | text formats |
//! | `archive`, `xml` | ZIP within the expansion bound; XML without entity expansion |
//! | `office`, `odt`, `epub` | formats in ZIP containers |
//! | `pdf` | pages to lines to paragraphs, right-to-left in logical order |
//! | [`sandbox`] | the same, in a resource-limited child process |

mod archive;
mod decode;
mod delimited;
mod epub;
pub mod error;
mod html;
mod html_writer;
mod json;
pub mod limits;
mod markdown;
pub mod media_type;
mod odt;
mod office;
mod pdf;
mod plain;
pub mod sandbox;
mod sink;
mod sniff;
mod xml;

use lectern_core::text::Block;
use serde::{Deserialize, Serialize};

use crate::sink::Sink;
pub use crate::{
    error::{Damage, FailureKind, ParseError, Quantity},
    limits::ParseLimits,
    media_type::{MediaType, UnknownMediaType},
    sandbox::{Sandbox, worker_main},
    sniff::sniff,
};

/// A document as its parser found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// What the bytes are.
    pub media_type: MediaType,
    /// The title the document gives itself.
    pub title: Option<String>,
    /// The blocks in reading order; at least one, none blank.
    pub blocks: Vec<Block>,
}

/// Parses `bytes` in this process; `name` breaks ties among text formats. Time, memory and panics
/// of the libraries are not bounded here: production goes through [`Sandbox`].
///
/// # Errors
/// Every [`ParseError`] but `timeout`, `memory` and `crashed`, which need a process around this.
pub fn parse(bytes: &[u8], name: &str, limits: &ParseLimits) -> Result<Parsed, ParseError> {
    check_size(bytes, limits)?;
    let media_type = sniff(bytes, name)?;
    let mut sink = Sink::new(limits);
    let text =
        || decode::decode(bytes).ok_or_else(|| ParseError::unsupported("application/octet-stream"));
    match media_type {
        MediaType::PlainText => plain::parse(&text()?, &mut sink)?,
        MediaType::Markdown => markdown::parse(&text()?, &mut sink)?,
        MediaType::Html => html::parse(&text()?, &mut sink)?,
        MediaType::Csv => delimited::parse(&text()?, &mut sink)?,
        MediaType::Json => json::parse(&text()?, &mut sink)?,
        MediaType::JsonLines => json::parse_lines(&text()?, &mut sink)?,
        MediaType::Pdf => pdf::parse(bytes, limits, &mut sink)?,
        MediaType::Docx | MediaType::Pptx | MediaType::Xlsx => {
            office::parse(bytes, media_type, limits, &mut sink)?;
        }
        MediaType::Odt => odt::parse(bytes, limits, &mut sink)?,
        MediaType::Epub => epub::parse(bytes, limits, &mut sink)?,
    }
    let (title, blocks) = sink.finish();
    match media_type {
        _ if !blocks.is_empty() => Ok(Parsed { media_type, title, blocks }),
        MediaType::PlainText | MediaType::Markdown | MediaType::Csv => Err(ParseError::Empty),
        _ => Err(ParseError::NoText { media_type }),
    }
}

/// Refuses what is larger than the bound; checked on both sides of the process boundary.
fn check_size(bytes: &[u8], limits: &ParseLimits) -> Result<(), ParseError> {
    if bytes.len() as u64 > limits.max_bytes {
        return Err(ParseError::TooLarge { what: Quantity::Bytes, allowed: limits.max_bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_the_empty_the_large_and_the_silent() {
        let limits = ParseLimits { max_bytes: 30, ..ParseLimits::default() };
        let code = |bytes: &[u8], name| parse(bytes, name, &limits).unwrap_err().code();
        assert_eq!(code(b"", "a.pdf"), "empty");
        assert_eq!(code(b" \n\t ", "a.md"), "empty");
        assert_eq!(code(b"<html><img></html>", "a.html"), "no_text");
        assert_eq!(code(&[b'x'; 31], "a.txt"), "too_large");
    }
}
