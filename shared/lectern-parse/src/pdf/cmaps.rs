//! Gives fonts with predefined character maps (ISO 32000-1, 9.7.5.2) maps that the library reads.

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS, UTF_16BE};
use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};

/// Entries of one `bfchar` section; the format allows 100.
const SECTION_ENTRIES: usize = 100;

/// Legacy encodings by the start of the map's name.
const LEGACY: [(&str, &Encoding); 14] = [
    ("90ms-RKSJ", SHIFT_JIS),
    ("90msp-RKSJ", SHIFT_JIS),
    ("90pv-RKSJ", SHIFT_JIS),
    ("83pv-RKSJ", SHIFT_JIS),
    ("Add-RKSJ", SHIFT_JIS),
    ("EUC-", EUC_JP),
    ("GBK", GBK),
    ("GB-EUC", GBK),
    ("GBpc-EUC", GBK),
    ("B5pc", BIG5),
    ("ETen-B5", BIG5),
    ("HKscs-B5", BIG5),
    ("KSC", EUC_KR),
    ("Uni", UTF_16BE),
];

/// Replaces the named maps of composite fonts by streams, with a `ToUnicode` map where one is missing.
pub(super) fn replace_predefined_cmaps(document: &mut Document) {
    let fonts: Vec<(ObjectId, &'static Encoding)> = document
        .objects
        .iter()
        .filter_map(|(id, object)| Some((*id, predefined(object.as_dict().ok()?)?)))
        .collect();
    let mut maps: Vec<(&'static Encoding, ObjectId, ObjectId)> = Vec::new();
    for (font, encoding) in fonts {
        let known = maps.iter().find(|(known, ..)| *known == encoding).copied();
        let (_, code_map, unicode_map) = known.unwrap_or_else(|| {
            let mut add = |text: String| {
                document.add_object(Stream::new(Dictionary::new(), text.into_bytes()))
            };
            let map = (encoding, add(code_map(encoding)), add(unicode_map(encoding)));
            maps.push(map);
            map
        });
        let Ok(font) = document.get_dictionary_mut(font) else { continue };
        font.set("Encoding", Object::Reference(code_map));
        if !font.has(b"ToUnicode") {
            font.set("ToUnicode", Object::Reference(unicode_map));
        }
    }
}

fn predefined(font: &Dictionary) -> Option<&'static Encoding> {
    let is_composite =
        font.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Type0");
    let name = font.get(b"Encoding").and_then(Object::as_name).ok().filter(|_| is_composite)?;
    let name = std::str::from_utf8(name).ok()?;
    LEGACY.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, encoding)| *encoding)
}

/// Ranges of one- and two-byte codes of an encoding.
fn ranges(encoding: &'static Encoding) -> Vec<(u32, u32, usize)> {
    match () {
        () if encoding == UTF_16BE => vec![(0, 0xffff, 2)],
        () if encoding == SHIFT_JIS => {
            vec![(0, 0x80, 1), (0xa0, 0xdf, 1), (0x8140, 0x9ffc, 2), (0xe040, 0xfcfc, 2)]
        }
        () => vec![(0, 0x80, 1), (0x8140, 0xfefe, 2)],
    }
}

fn code_map(encoding: &'static Encoding) -> String {
    let ranges = ranges(encoding);
    let mut map = format!("begincmap\n{} begincodespacerange\n", ranges.len());
    // The library takes half of a bound's bytes for the width of the codes, hence the zeroes.
    for (low, high, width) in &ranges {
        map += &format!("<{low:0digits$x}> <{high:0digits$x}>\n", digits = width * 4);
    }
    map += "endcodespacerange\n";
    // One section a range: the library reads no more than one. It adds the code to the CID, so that
    // CIDs are codes.
    for (low, high, width) in &ranges {
        let range = format!("<{low:0digits$x}> <{high:0digits$x}> 0", digits = width * 2);
        map += &format!("1 begincidrange\n{range}\nendcidrange\n");
    }
    map + "endcmap\n"
}

fn unicode_map(encoding: &'static Encoding) -> String {
    let mut entries = Vec::new();
    for (low, high, width) in ranges(encoding) {
        for code in low..=high {
            let bytes = code.to_be_bytes();
            let (text, had_errors) = encoding.decode_without_bom_handling(&bytes[4 - width..]);
            if had_errors || text.is_empty() {
                continue;
            }
            let units: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
            entries.push(format!("<{code:0digits$x}> <{units}>\n", digits = width * 2));
        }
    }
    let sections = entries
        .chunks(SECTION_ENTRIES)
        .map(|section| format!("{} beginbfchar\n{}endbfchar\n", section.len(), section.concat()));
    format!("begincmap\n{}endcmap\n", sections.collect::<String>())
}
