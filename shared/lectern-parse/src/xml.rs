//! XML events as the container formats need them: lenient, entities never expanded.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

/// What a part consists of. Names are without their prefix.
#[derive(Debug)]
pub(crate) enum Piece {
    /// An element begins.
    Open(Element),
    /// Text between tags, character references resolved.
    Text(String),
    /// An element ends.
    Close(String),
}

/// An element's name and attributes.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// Returns an attribute's value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a part piece by piece until its end or, when it is damaged, until the damage.
/// Returns whether the end was reached.
pub(crate) fn read<E>(text: &str, mut take: impl FnMut(Piece) -> Result<(), E>) -> Result<bool, E> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    config.expand_empty_elements = true;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => take(Piece::Open(element(&start)))?,
            Ok(Event::End(end)) => take(Piece::Close(text_of(end.local_name().as_ref())))?,
            Ok(Event::Text(text)) => take(Piece::Text(text.xml10_content().into_owned()))?,
            Ok(Event::CData(data)) => take(Piece::Text(data.xml10_content().into_owned()))?,
            Ok(Event::GeneralRef(reference)) => {
                // Entities that the document declares itself are dropped: they may grow without end.
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                let known = || resolve_predefined_entity(&reference).map(str::to_owned);
                if let Some(text) = character.or_else(known) {
                    take(Piece::Text(text))?;
                }
            }
            Ok(Event::Eof) => return Ok(true),
            Ok(_) => {}
            Err(_) => return Ok(false),
        }
    }
}

fn text_of(name: &str) -> String {
    name.to_owned()
}

fn element(start: &BytesStart<'_>) -> Element {
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false).flatten() {
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_default();
        attributes.push((text_of(attribute.key.local_name().as_ref()), value.into_owned()));
    }
    Element { name: text_of(start.local_name().as_ref()), attributes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_no_declared_entity() {
        let xml = "<!DOCTYPE a [<!ENTITY b 'bomb'><!ENTITY c SYSTEM 'file:///etc/passwd'>]>\
                   <x:a k='1 &amp; 2'>&b;&c;&#65;&amp;<b/></x:a>";
        let mut text = String::new();
        let mut key = String::new();
        let complete = read::<()>(xml, |piece| {
            match piece {
                Piece::Text(more) => text.push_str(&more),
                Piece::Open(element) if element.name == "a" => {
                    key = element.attribute("k").unwrap().to_owned()
                }
                _ => {}
            }
            Ok(())
        });
        assert_eq!((complete, text.as_str(), key.as_str()), (Ok(true), "A&", "1 & 2"));
    }
}
