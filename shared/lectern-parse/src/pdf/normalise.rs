//! Makes a loaded document safe to hand to the library, which asserts where the standard allows and
//! recurses where files loop.

use std::collections::{HashMap, HashSet};

use pdf_extract::{Dictionary, Document, Object, ObjectId};

use crate::pdf::cmaps::replace_predefined_cmaps;

/// Most ancestors of a page in the page tree that are asked for inherited values.
const MAX_ANCESTORS: usize = 64;
/// Most characters of one range of equal widths: a font has no more glyphs.
const MAX_RANGE_WIDTHS: usize = 65_536;
/// US Letter in points, for pages that say nothing.
const DEFAULT_MEDIA_BOX: [i64; 4] = [0, 0, 612, 792];

/// Settles inherited values in each page, empties images and forms that draw themselves.
pub(super) fn normalise(document: &mut Document) {
    let pages: Vec<ObjectId> = document.page_iter().collect();
    for page in pages {
        settle_page(document, page);
    }
    let looping = looping_forms(document);
    for (id, object) in &mut document.objects {
        let Object::Stream(stream) = object else { continue };
        let is_image = is_named(&stream.dict, b"Subtype", b"Image");
        if is_image || looping.contains(id) {
            // The library reads whatever is drawn as a content stream.
            stream.dict.remove(b"Filter");
            stream.dict.remove(b"DecodeParms");
            stream.content.clear();
        }
    }
    for object in document.objects.values_mut() {
        if let Ok(font) = object.as_dict_mut() {
            settle_widths(font);
        }
    }
    replace_predefined_cmaps(document);
}

/// Spells out ranges of equal widths (ISO 32000-1, 9.7.4.3), which the library misreads; wrong widths
/// put spaces into words and numbers.
fn settle_widths(font: &mut Dictionary) {
    if let Ok(Object::Real(width)) = font.get(b"DW") {
        let width = width.round() as i64;
        font.set("DW", width);
    }
    let Ok(Object::Array(widths)) = font.get(b"W") else { return };
    let mut spelt = Vec::new();
    let mut rest = widths.as_slice();
    loop {
        rest = match rest {
            [first, listed @ Object::Array(_), rest @ ..] => {
                spelt.extend([first.clone(), listed.clone()]);
                rest
            }
            [first, last, width, rest @ ..] => {
                let (Ok(first), Ok(last), Ok(_)) =
                    (first.as_i64(), last.as_i64(), width.as_float())
                else {
                    break;
                };
                let count = last.saturating_sub(first).saturating_add(1);
                let count = usize::try_from(count).unwrap_or(0).min(MAX_RANGE_WIDTHS);
                spelt.extend([Object::Integer(first), Object::Array(vec![width.clone(); count])]);
                rest
            }
            _ => break,
        };
    }
    font.set("W", spelt);
}

fn is_named(dictionary: &Dictionary, key: &[u8], name: &[u8]) -> bool {
    dictionary.get(key).and_then(Object::as_name).is_ok_and(|found| found == name)
}

/// Writes `Resources` and `MediaBox` into the page and cuts it from its parent.
fn settle_page(document: &mut Document, page: ObjectId) {
    let is_dictionary = |document: &Document, object: &Object| {
        document.dereference(object).is_ok_and(|(_, object)| object.as_dict().is_ok())
    };
    let is_box = |document: &Document, object: &Object| {
        let Ok((_, Object::Array(sides))) = document.dereference(object) else { return false };
        sides.len() == 4 && sides.iter().all(|side| side.as_float().is_ok())
    };
    let resources = inherited(document, page, b"Resources", is_dictionary);
    let media_box = inherited(document, page, b"MediaBox", is_box);
    let Ok(dictionary) = document.get_dictionary_mut(page) else { return };
    let default_box = || DEFAULT_MEDIA_BOX.map(Object::Integer).to_vec().into();
    dictionary.set("Resources", resources.unwrap_or_else(|| Dictionary::new().into()));
    dictionary.set("MediaBox", media_box.unwrap_or_else(default_box));
    dictionary.remove(b"Parent");
    dictionary.remove(b"ArtBox");
}

fn inherited(
    document: &Document,
    page: ObjectId,
    key: &[u8],
    is_valid: impl Fn(&Document, &Object) -> bool,
) -> Option<Object> {
    let mut node = document.get_dictionary(page).ok()?;
    for _ in 0..MAX_ANCESTORS {
        if let Some(value) = node.get(key).ok().filter(|value| is_valid(document, value)) {
            return Some(value.clone());
        }
        node = document.get_dictionary(node.get(b"Parent").ok()?.as_reference().ok()?).ok()?;
    }
    None
}

/// Returns the forms that draw themselves, directly or through others.
fn looping_forms(document: &Document) -> HashSet<ObjectId> {
    let mut drawn: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    let mut looping = HashSet::new();
    for (id, object) in &document.objects {
        let Object::Stream(stream) = object else { continue };
        if !stream.dict.has(b"Resources") && is_named(&stream.dict, b"Subtype", b"Form") {
            // Without resources of its own it draws whatever the page names, itself included.
            drawn.insert(*id, Vec::new());
            if contains_do(&stream.content) {
                looping.insert(*id);
            }
            continue;
        }
        drawn.insert(*id, drawn_by(document, &stream.dict));
    }
    let mut done = HashSet::new();
    for start in drawn.keys() {
        let mut path = HashSet::from([*start]);
        let mut stack = vec![(*start, 0)];
        while let Some((id, next)) = stack.pop() {
            match drawn.get(&id).and_then(|targets| targets.get(next)) {
                Some(target) => {
                    stack.push((id, next + 1));
                    if path.contains(target) {
                        looping.insert(*target);
                    } else if !done.contains(target) && drawn.contains_key(target) {
                        path.insert(*target);
                        stack.push((*target, 0));
                    }
                }
                None => {
                    path.remove(&id);
                    done.insert(id);
                }
            }
        }
    }
    looping
}

/// Whether a stream may draw: compressed ones may, others when the operator is in them.
fn contains_do(content: &[u8]) -> bool {
    !content.is_ascii() || content.windows(2).any(|window| window == b"Do")
}

fn drawn_by(document: &Document, dictionary: &Dictionary) -> Vec<ObjectId> {
    let resolve = |object: &Object| -> Option<Dictionary> {
        document.dereference(object).ok()?.1.as_dict().ok().cloned()
    };
    let drawn = dictionary.get(b"Resources").ok().and_then(resolve);
    let drawn = drawn.and_then(|resources| resources.get(b"XObject").ok().and_then(resolve));
    drawn
        .iter()
        .flat_map(|drawn| drawn.iter())
        .filter_map(|(_, object)| object.as_reference().ok())
        .collect()
}
