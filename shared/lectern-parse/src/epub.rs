//! EPUB (EPUB 3.3, Open Container Format): the spine's pages in order.

use std::collections::HashMap;

use crate::{
    archive::Archive,
    error::{Damage, ParseError},
    html,
    limits::ParseLimits,
    media_type::MediaType,
    sink::Sink,
    xml::{self, Piece},
};

/// Elements that XHTML may close in their opening tag, but whose text HTML reads to the end.
const RAW: [&str; 5] = ["title", "script", "style", "textarea", "iframe"];
/// XML Encryption with AES; fonts are only obfuscated, by other algorithms.
const CIPHER: &str = "xmlenc#aes";

/// Reads a book.
pub(crate) fn parse(bytes: &[u8], limits: &ParseLimits, sink: &mut Sink) -> Result<(), ParseError> {
    let mut archive = Archive::open(bytes, MediaType::Epub, limits)?;
    if let Some(encryption) = archive.read("META-INF/encryption.xml")?
        && String::from_utf8_lossy(&encryption).contains(CIPHER)
    {
        return Err(ParseError::Encrypted { media_type: MediaType::Epub.label().into() });
    }
    let container = archive.read_text("META-INF/container.xml")?;
    let missing = || ParseError::malformed(MediaType::Epub, Damage::MissingPart);
    let package_path = rootfile(&container).ok_or_else(missing)?;
    let package = Package::read(&archive.read_text(&package_path)?);
    sink.title = package.title;
    let folder = package_path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for id in &package.spine {
        let Some(href) = package.manifest.get(id) else { continue };
        // A missing or damaged chapter must not cost the others.
        let Some(page) = archive.read(&resolve(folder, href))? else { continue };
        let page = crate::decode::decode(&page).unwrap_or_default();
        html::parse(&close_raw_elements(&page), sink)?;
    }
    if package.spine.is_empty() { Err(missing()) } else { Ok(()) }
}

fn rootfile(container: &str) -> Option<String> {
    let mut path = None;
    let read: Result<bool, ()> = xml::read(container, |piece| {
        if let Piece::Open(element) = piece
            && element.name == "rootfile"
            && path.is_none()
        {
            path = element.attribute("full-path").map(str::to_owned);
        }
        Ok(())
    });
    read.ok().and(path)
}

#[derive(Default)]
struct Package {
    title: Option<String>,
    manifest: HashMap<String, String>,
    spine: Vec<String>,
}

impl Package {
    fn read(text: &str) -> Self {
        let mut package = Self::default();
        let mut in_title = false;
        let _: Result<bool, ()> = xml::read(text, |piece| {
            match piece {
                Piece::Open(element) => {
                    in_title = element.name == "title";
                    let get = |name| element.attribute(name).map(str::to_owned);
                    match (element.name.as_str(), get("id"), get("href"), get("idref")) {
                        ("item", Some(id), Some(href), _) => {
                            package.manifest.insert(id, href);
                        }
                        ("itemref", _, _, Some(id)) => package.spine.push(id),
                        _ => {}
                    }
                }
                Piece::Text(text) if in_title && package.title.is_none() => {
                    package.title = Some(text)
                }
                Piece::Text(_) => {}
                Piece::Close(_) => in_title = false,
            }
            Ok(())
        });
        package
    }
}

/// Returns the entry name of `href`, relative to `folder`, percent escapes decoded.
fn resolve(folder: &str, href: &str) -> String {
    let href = href.split('#').next().unwrap_or_default();
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    percent_decoded(&parts.join("/"))
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes `<title/>` as `<title></title>`, for the HTML parser.
fn close_raw_elements(page: &str) -> String {
    let mut fixed = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(end) = rest.find("/>") {
        let tag = rest[..end].rfind('<').map_or("", |start| &rest[start + 1..end]);
        let name = tag.split(|one: char| !one.is_ascii_alphanumeric()).next().unwrap_or_default();
        fixed.push_str(&rest[..end]);
        match RAW.iter().find(|raw| raw.eq_ignore_ascii_case(name)) {
            Some(raw) => fixed.extend(["></", raw, ">"]),
            None => fixed.push_str("/>"),
        }
        rest = &rest[end + 2..];
    }
    fixed + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tests::zip_of;

    #[test]
    fn reads_the_spine_in_order() {
        let bytes = zip_of(&[
            ("META-INF/container.xml", b"<c><rootfile full-path='OPS/book.opf'/></c>".as_slice()),
            (
                "OPS/book.opf",
                b"<p><dc:title>Book</dc:title><item id='a' href='a%20b.xhtml'/><item id='b' href='../b.xhtml'/>\
                  <itemref idref='b'/><itemref idref='lost'/><itemref idref='a'/></p>",
            ),
            ("OPS/a b.xhtml", b"<html><head><title/></head><body><p>second</p></body></html>"),
            ("b.xhtml", b"<html><body><h1>first</h1></body></html>"),
        ]);
        let limits = ParseLimits::default();
        let mut sink = Sink::new(&limits);
        parse(&bytes, &limits, &mut sink).unwrap();
        let (title, blocks) = sink.finish();
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(
            (title.as_deref(), texts.as_slice()),
            (Some("Book"), ["first", "second"].as_slice())
        );
    }
}
