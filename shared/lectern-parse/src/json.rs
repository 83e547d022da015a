//! JSON: each record becomes a block of `path: value` lines, streamed, in the document's order.

use std::{cell::RefCell, fmt};

use lectern_core::text::BlockKind;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::{
    error::{Damage, ParseError},
    media_type::MediaType,
    sink::Sink,
};

/// Reads one JSON value. Elements of an outer list and members of an outer object are records.
pub(crate) fn parse(text: &str, sink: &mut Sink) -> Result<(), ParseError> {
    let mut json = serde_json::Deserializer::from_str(text);
    read(&mut json, MediaType::Json, sink)?;
    json.end().map_err(|_| ParseError::malformed(MediaType::Json, Damage::Structure))
}

/// Reads one JSON value a line; each line is a record.
pub(crate) fn parse_lines(text: &str, sink: &mut Sink) -> Result<(), ParseError> {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut json = serde_json::Deserializer::from_str(line);
        let mut lines = String::new();
        let record = Record {
            path: "",
            depth: 1,
            out: &RefCell::new(Output { lines: &mut lines, sink, failed: None }),
        };
        record
            .deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|_| ParseError::malformed(MediaType::JsonLines, Damage::Structure))?;
        sink.push(BlockKind::Code, &lines)?;
    }
    Ok(())
}

fn read<'a>(
    json: &mut serde_json::Deserializer<serde_json::de::StrRead<'a>>,
    media_type: MediaType,
    sink: &mut Sink,
) -> Result<(), ParseError> {
    let mut lines = String::new();
    let out = RefCell::new(Output { lines: &mut lines, sink, failed: None });
    let read = Record { path: "", depth: 0, out: &out }.deserialize(json);
    let failed = out.into_inner().failed;
    if let Some(error) = failed {
        return Err(error);
    }
    read.map_err(|_| ParseError::malformed(media_type, Damage::Structure))?;
    sink.push(BlockKind::Code, &lines)
}

struct Output<'a> {
    lines: &'a mut String,
    sink: &'a mut Sink,
    /// Why the sink refused; the JSON error that stops the reading cannot carry it.
    failed: Option<ParseError>,
}

/// Reads the value at `path` and writes its leaves; serde_json bounds the depth (128).
struct Record<'a, 'out> {
    path: &'a str,
    depth: usize,
    out: &'a RefCell<Output<'out>>,
}

impl Record<'_, '_> {
    fn leaf<E>(&self, value: impl fmt::Display) -> Result<(), E> {
        let mut out = self.out.borrow_mut();
        let line = if self.path.is_empty() {
            format!("{value}\n")
        } else {
            format!("{}: {value}\n", self.path)
        };
        out.lines.push_str(&line);
        Ok(())
    }

    fn child(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Ends a record when an element of the outermost value was read.
    fn end_element<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth > 0 {
            return Ok(());
        }
        let mut out = self.out.borrow_mut();
        let lines = std::mem::take(out.lines);
        out.sink.push(BlockKind::Code, &lines).map_err(|error| {
            out.failed = Some(error);
            E::custom("bound passed")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Record<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Record<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.leaf(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.leaf(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.leaf(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.leaf(value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.leaf(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        loop {
            // The outermost list is a list of records: its index says nothing to a reader.
            let path =
                if self.depth == 0 { String::new() } else { format!("{}[{index}]", self.path) };
            let element = Record { path: &path, depth: self.depth + 1, out: self.out };
            if elements.next_element_seed(element)?.is_none() {
                return Ok(());
            }
            self.end_element()?;
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            let path = self.child(&key);
            members.next_value_seed(Record {
                path: &path,
                depth: self.depth + 1,
                out: self.out,
            })?;
            self.end_element()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ParseLimits;

    fn texts(run: impl FnOnce(&mut Sink) -> Result<(), ParseError>) -> Vec<String> {
        let mut sink = Sink::new(&ParseLimits::default());
        run(&mut sink).unwrap();
        sink.finish().1.into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn keeps_order_and_paths() {
        let json = r#"[{"z": "last", "a": [1, true, null]}, {"name": "otter"}, 7]"#;
        assert_eq!(
            texts(|sink| parse(json, sink)),
            ["z: last\na[0]: 1\na[1]: true", "name: otter", "7"]
        );
        assert_eq!(texts(|sink| parse(r#"{"a": {"b": 1}, "c": 2}"#, sink)), ["a.b: 1", "c: 2"]);
        let lines = "{\"a\": 1, \"b\": 2}\n\n{\"a\": 3}\n";
        assert_eq!(texts(|sink| parse_lines(lines, sink)), ["a: 1\nb: 2", "a: 3"]);
    }

    #[test]
    fn refuses_what_is_no_json_or_too_deep_or_too_much() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for bad in ["{\"a\": ", "[1] x", deep.as_str()] {
            let mut sink = Sink::new(&ParseLimits::default());
            assert_eq!(parse(bad, &mut sink).unwrap_err().code(), "malformed");
        }
        let mut sink = Sink::new(&ParseLimits { max_blocks: 2, ..ParseLimits::default() });
        assert_eq!(parse("[1, 2, 3]", &mut sink).unwrap_err().code(), "too_large");
    }
}
