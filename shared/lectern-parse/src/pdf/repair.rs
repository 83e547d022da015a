//! Rebuilds a lost cross-reference table: every `n g obj` in the file is an entry.

use std::collections::BTreeMap;

/// Most objects that a rebuilt table lists.
const MAX_OBJECTS: usize = 2_000_000;
/// Bytes that the start of an object is looked for in, before `obj`.
const NUMBER_BYTES: usize = 24;

/// Returns the file with a new table appended, or `None` when there is no object to be found.
pub(super) fn rebuild(bytes: &[u8]) -> Option<Vec<u8>> {
    let header = bytes.windows(5).position(|window| window == b"%PDF-").unwrap_or(0);
    let body = &bytes[header..];
    let objects = objects(body);
    let highest = *objects.keys().last()?;
    let trailer = trailer(body, &objects)?;
    let mut rebuilt = body.to_vec();
    rebuilt.extend_from_slice(b"\n");
    let start = rebuilt.len();
    rebuilt.extend_from_slice(b"xref\n");
    for (number, (offset, generation)) in &objects {
        rebuilt
            .extend_from_slice(format!("{number} 1\n{offset:010} {generation:05} n \n").as_bytes());
    }
    rebuilt.extend_from_slice(b"trailer\n<<");
    rebuilt.extend_from_slice(&trailer);
    let end = format!(" /Size {} >>\nstartxref\n{start}\n%%EOF\n", highest + 1);
    rebuilt.extend_from_slice(end.as_bytes());
    Some(rebuilt)
}

/// Returns offset and generation by object number; of two objects the later one counts.
fn objects(body: &[u8]) -> BTreeMap<u32, (usize, u16)> {
    let mut objects = BTreeMap::new();
    for at in positions(body, b" obj") {
        if objects.len() >= MAX_OBJECTS {
            break;
        }
        let from = at.saturating_sub(NUMBER_BYTES);
        let mut words =
            body[from..at].rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (Some(generation), Some(number)) = (words.next(), words.next()) else { continue };
        // A number may follow other bytes without a space, as in `endobj7 0 obj`.
        let digits = number.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let parse =
            |word: &[u8]| std::str::from_utf8(word).ok().and_then(|word| word.parse::<u32>().ok());
        let (Some(id), Some(generation)) =
            (parse(&number[number.len() - digits..]), parse(generation))
        else {
            continue;
        };
        let Ok(generation) = u16::try_from(generation) else { continue };
        // Slices of one buffer: their distance is the word's place.
        let place = number.as_ptr().addr() - body.as_ptr().addr() + number.len() - digits;
        if (id as usize) < MAX_OBJECTS {
            objects.insert(id, (place, generation));
        }
    }
    objects
}

fn positions<'a>(body: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    body.windows(wanted.len())
        .enumerate()
        .filter(move |(_, window)| *window == wanted)
        .map(|(at, _)| at)
}

/// Returns the inside of the last trailer dictionary that names a root, without what points to the
/// lost tables; else one that names the catalogue found among the objects.
fn trailer(body: &[u8], objects: &BTreeMap<u32, (usize, u16)>) -> Option<Vec<u8>> {
    let trailers = positions(body, b"trailer").filter_map(|at| dictionary(&body[at..]));
    if let Some(inside) = trailers.filter(|inside| contains(inside, b"/Root")).last() {
        return Some(without_tables(inside));
    }
    let mut stream_trailer = None;
    let mut catalogue = None;
    for (number, (offset, generation)) in objects {
        let Some(inside) = dictionary(&body[*offset..]) else { continue };
        if contains(inside, b"/Root") && contains(inside, b"/XRef") {
            stream_trailer = Some(without_tables(inside));
        } else if contains(inside, b"/Catalog") {
            catalogue = Some(format!("/Root {number} {generation} R").into_bytes());
        }
    }
    stream_trailer.or(catalogue)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Returns the inside of the first dictionary if one begins close by.
fn dictionary(bytes: &[u8]) -> Option<&[u8]> {
    let start = bytes.windows(2).take(64).position(|window| window == b"<<")? + 2;
    let mut depth = 1;
    let mut at = start;
    while depth > 0 {
        match bytes.get(at..at + 2)? {
            b"<<" => (depth, at) = (depth + 1, at + 2),
            b">>" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    Some(&bytes[start..at - 2])
}

/// Renames the keys that describe the lost tables, so that nobody follows them.
fn without_tables(inside: &[u8]) -> Vec<u8> {
    let mut kept = inside.to_vec();
    for key in [b"/Prev".as_slice(), b"/XRefStm", b"/Size", b"/Type", b"/Length", b"/Filter"] {
        let found: Vec<usize> = positions(inside, key).collect();
        for at in found {
            kept[at + 1] = b'x';
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_objects_and_keeps_the_root() {
        let file = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrail";
        let rebuilt = String::from_utf8(rebuild(file).unwrap()).unwrap();
        assert!(
            rebuilt.contains("\n1 1\n0000000009 00000 n \n2 1\n0000000052 00000 n \n"),
            "{rebuilt}"
        );
        assert!(rebuilt.contains("<</Root 1 0 R /Size 3 >>"), "{rebuilt}");
        let document = pdf_extract::Document::load_mem(rebuilt.as_bytes()).unwrap();
        assert!(document.catalog().is_ok());
        assert_eq!(rebuild(b"%PDF-1.4 nothing"), None);
    }
}
