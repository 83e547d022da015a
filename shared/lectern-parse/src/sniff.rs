//! What the bytes are. The name only decides among formats that are all plain text.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::{
    decode::decode,
    error::{Damage, ParseError},
    media_type::MediaType,
};

/// Bytes before the PDF header that readers tolerate (ISO 32000-1, annex H.3.4.1).
const PDF_HEADER_BYTES: usize = 1_024;
/// Bytes looked at to tell text formats apart.
const TEXT_HEAD_BYTES: usize = 4_096;
/// Longest `mimetype` entry that is looked at.
const MIMETYPE_BYTES: u64 = 128;

/// Returns the type of `bytes`; `name` breaks ties among text formats.
///
/// # Errors
/// `empty`, `unsupported_media_type`, `encrypted` (Office files in an encrypted container) or
/// `malformed` (a container that cannot be opened).
pub fn sniff(bytes: &[u8], name: &str) -> Result<MediaType, ParseError> {
    if bytes.is_empty() {
        return Err(ParseError::Empty);
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let extension = extension.as_deref().unwrap_or_default();
    if is_pdf(bytes, extension) {
        return Ok(MediaType::Pdf);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return sniff_zip(bytes, extension);
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return Err(sniff_compound(bytes));
    }
    if bytes.starts_with(b"{\\rtf") {
        return Err(ParseError::unsupported("application/rtf"));
    }
    // Decided above; text may mention a PDF header.
    let is_text = |kind: &infer::Type| {
        kind.mime_type().starts_with("text/") || kind.mime_type() == "application/pdf"
    };
    if let Some(kind) = infer::get(bytes).filter(|kind| !is_text(kind)) {
        return Err(ParseError::unsupported(kind.mime_type()));
    }
    // Enough for the formats' marks, and cut so that no wide unit is torn.
    let head = &bytes[..bytes.len().min(TEXT_HEAD_BYTES)];
    match decode(head) {
        Some(text) => sniff_text(&text, extension),
        None => Err(ParseError::unsupported("application/octet-stream")),
    }
}

fn is_pdf(bytes: &[u8], extension: &str) -> bool {
    let head = &bytes[..bytes.len().min(PDF_HEADER_BYTES)];
    head.trim_ascii_start().starts_with(b"%PDF-")
        || extension == "pdf" && head.windows(5).any(|window| window == b"%PDF-")
}

fn sniff_zip(bytes: &[u8], extension: &str) -> Result<MediaType, ParseError> {
    let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else {
        // Cut off: the name is the only hint which program can repair it.
        let claimed = match extension {
            "docx" => MediaType::Docx,
            "pptx" => MediaType::Pptx,
            "xlsx" => MediaType::Xlsx,
            "odt" => MediaType::Odt,
            "epub" => MediaType::Epub,
            _ => return Err(ParseError::unsupported("application/zip")),
        };
        return Err(ParseError::malformed(claimed, Damage::Container));
    };
    if let Ok(entry) = zip.by_name("mimetype") {
        let mut mimetype = String::new();
        let read = entry.take(MIMETYPE_BYTES).read_to_string(&mut mimetype);
        if read.is_ok() && !mimetype.trim().is_empty() {
            let known = mimetype.trim().parse::<MediaType>();
            return known.map_err(|_| ParseError::unsupported(printable(mimetype.trim())));
        }
    }
    for (part, media_type) in [
        ("word/document.xml", MediaType::Docx),
        ("ppt/presentation.xml", MediaType::Pptx),
        ("xl/workbook.xml", MediaType::Xlsx),
        ("META-INF/container.xml", MediaType::Epub),
    ] {
        if zip.index_for_name(part).is_some() {
            return Ok(media_type);
        }
    }
    // Some writers name the main part otherwise; its folder still tells.
    let is_office = zip.index_for_name("[Content_Types].xml").is_some();
    let folder = |folder: &str| zip.file_names().flatten().any(|entry| entry.starts_with(folder));
    match () {
        () if is_office && folder("word/") => Ok(MediaType::Docx),
        () if is_office && folder("ppt/") => Ok(MediaType::Pptx),
        () if is_office && folder("xl/") => Ok(MediaType::Xlsx),
        () => Err(ParseError::unsupported("application/zip")),
    }
}

/// Keeps what a media type may consist of (RFC 6838, 4.2).
fn printable(mimetype: &str) -> String {
    let is_allowed = |one: &char| one.is_ascii_alphanumeric() || "!#$&-^_.+/".contains(*one);
    mimetype.chars().filter(is_allowed).collect()
}

/// A compound file: an encrypted Office document, or one of Office 97 to 2003.
fn sniff_compound(bytes: &[u8]) -> ParseError {
    let marker: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    if bytes.windows(marker.len()).any(|window| window == marker) {
        return ParseError::Encrypted { media_type: "Office".into() };
    }
    ParseError::unsupported("application/x-ole-storage (Office 97-2003)")
}

fn sniff_text(text: &str, extension: &str) -> Result<MediaType, ParseError> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let lower: String = start.chars().take(1_024).collect::<String>().to_ascii_lowercase();
    let has_tag = |tags: &[&str]| tags.iter().any(|tag| lower.contains(tag));
    if matches!(extension, "md" | "markdown") {
        return Ok(MediaType::Markdown);
    }
    let is_markup = lower.starts_with('<');
    if is_markup
        && (has_tag(&["<!doctype html", "<html"])
            || lower.starts_with("<body")
            || lower.starts_with("<head"))
    {
        return Ok(MediaType::Html);
    }
    match extension {
        "html" | "htm" | "xhtml" => Ok(MediaType::Html),
        "csv" | "tsv" => Ok(MediaType::Csv),
        "json" => Ok(MediaType::Json),
        "jsonl" | "ndjson" => Ok(MediaType::JsonLines),
        "eml" | "mbox" => Err(ParseError::unsupported("message/rfc822")),
        _ if lower.starts_with("<?xml") => Err(ParseError::unsupported("application/xml")),
        _ if lower.starts_with("return-path:") || lower.starts_with("mime-version:") => {
            Err(ParseError::unsupported("message/rfc822"))
        }
        _ if is_markup && has_tag(&["<p>", "<div", "<table", "<h1"]) => Ok(MediaType::Html),
        _ => Ok(MediaType::PlainText),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beat_the_name() {
        for (bytes, name, wanted) in [
            (b"%PDF-1.7\n".as_slice(), "a.txt", MediaType::Pdf),
            (b"<!DOCTYPE html><p>x", "a.docx", MediaType::Html),
            (b"# Title", "a.md", MediaType::Markdown),
            (b"a,b", "a.csv", MediaType::Csv),
            (b"a,b", "a.txt", MediaType::PlainText),
            (b"{\"a\": 1}", "a.json", MediaType::Json),
            (b"about %PDF-1.4 headers", "notes", MediaType::PlainText),
        ] {
            assert_eq!(sniff(bytes, name), Ok(wanted), "{name}");
        }
    }

    #[test]
    fn names_what_it_refuses() {
        for (bytes, name, wanted) in [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), "a.pdf", "image/png"),
            (b"{\\rtf1 x}", "a.txt", "application/rtf"),
            (b"From: a@b.c\n\nx", "a.eml", "message/rfc822"),
            (b"PK\x03\x04 cut", "a.bin", "application/zip"),
        ] {
            assert_eq!(sniff(bytes, name), Err(ParseError::unsupported(wanted)), "{name}");
        }
        assert_eq!(sniff(b"", "a.txt"), Err(ParseError::Empty));
        assert_eq!(sniff(b"PK\x03\x04 cut", "a.docx").unwrap_err().code(), "malformed");
    }
}
