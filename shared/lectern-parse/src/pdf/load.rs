//! Opens a document: repairs it when its cross-reference table is broken, decrypts it when no
//! password is needed.

use pdf_extract::{Document, Error, Object};

use crate::{
    error::{Damage, ParseError},
    limits::ParseLimits,
    media_type::MediaType,
    pdf::{normalise::normalise, repair::rebuild},
};

/// An opened document whose pages can be read.
pub(super) struct Loaded {
    pub(super) document: Document,
    pub(super) page_count: u32,
    pub(super) title: Option<String>,
    /// Whether it was encrypted with an empty password.
    pub(super) was_encrypted: bool,
}

pub(super) fn load(bytes: &[u8], limits: &ParseLimits) -> Result<Loaded, ParseError> {
    let mut document = match open(bytes) {
        Ok(document) if document.page_iter().next().is_some() || document.is_encrypted() => {
            document
        }
        Err(error) if is_about_encryption(&error) => return Err(encrypted()),
        _ => reopen(bytes)?,
    };
    let was_encrypted = document.is_encrypted() || document.was_encrypted();
    if document.is_encrypted() {
        document.decrypt("").map_err(|_| encrypted())?;
    }
    let found = document.page_iter().count() as u64;
    let page_count = u32::try_from(found).ok().filter(|count| *count <= limits.max_pages);
    let page_count =
        page_count.ok_or(ParseError::TooManyPages { found, allowed: limits.max_pages })?;
    if page_count == 0 {
        return Err(malformed());
    }
    let title = title(&document);
    normalise(&mut document);
    Ok(Loaded { document, page_count, title, was_encrypted })
}

fn open(bytes: &[u8]) -> Result<Document, Error> {
    Document::load_mem(bytes)
}

fn reopen(bytes: &[u8]) -> Result<Document, ParseError> {
    let rebuilt = rebuild(bytes).ok_or_else(malformed)?;
    open(&rebuilt)
        .map_err(|error| if is_about_encryption(&error) { encrypted() } else { malformed() })
}

fn is_about_encryption(error: &Error) -> bool {
    matches!(
        error,
        Error::Decryption(_) | Error::InvalidPassword | Error::UnsupportedSecurityHandler(_)
    )
}

fn encrypted() -> ParseError {
    ParseError::Encrypted { media_type: MediaType::Pdf.label().into() }
}

fn malformed() -> ParseError {
    ParseError::malformed(MediaType::Pdf, Damage::Structure)
}

/// Returns the title of the document information dictionary.
fn title(document: &Document) -> Option<String> {
    let information = document.trailer.get(b"Info").ok()?;
    let information = document.dereference(information).ok()?.1.as_dict().ok()?;
    let title = document.dereference(information.get(b"Title").ok()?).ok()?.1;
    let Object::String(bytes, _) = title else { return None };
    Some(text_string(bytes))
}

/// Reads a text string (ISO 32000-2, 7.9.2.2): UTF-16BE or UTF-8 by its mark, else Latin.
fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, body @ ..] => {
            encoding_rs::UTF_16BE.decode_without_bom_handling(body).0.into_owned()
        }
        [0xff, 0xfe, body @ ..] => {
            encoding_rs::UTF_16LE.decode_without_bom_handling(body).0.into_owned()
        }
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_are_told_by_their_mark() {
        assert_eq!(text_string(b"\xfe\xff\x06\x27\x00a"), "\u{627}a");
        assert_eq!(text_string(b"caf\xe9"), "café");
    }
}
