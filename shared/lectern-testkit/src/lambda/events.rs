//! The files under `events/`: one event per function and per edge case, as AWS would send it.
//!
//! Placeholders, `${KEY}`, stand for what a test knows and a file cannot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Returns the event of this name, with the values in place of its placeholders.
///
/// # Panics
/// When there is no such file, when a placeholder has no value, and when a value would need escaping: events
/// hold JSON in strings.
#[must_use]
pub fn load(name: &str, values: &[(&str, &str)]) -> Value {
    for (placeholder, value) in values {
        let needs_escaping = |letter: char| letter == '"' || letter == '\\' || letter.is_control();
        assert!(
            !value.contains(needs_escaping),
            "the value of `${{{placeholder}}}` cannot stand in JSON as it is: {value:?}"
        );
    }
    let path = folder().join(format!("{}.json", name.trim_end_matches(".json")));
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut event = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} is no JSON: {error}", path.display()));
    fill(&mut event, values, name);
    event
}

/// Returns the names of all events, sorted.
///
/// # Panics
/// When the folder cannot be read.
#[must_use]
pub fn names() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let events =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut names: Vec<_> =
        events.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    workspace().join("events")
}

/// Returns the folder of the workspace.
pub(super) fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

fn fill(value: &mut Value, values: &[(&str, &str)], name: &str) {
    match value {
        Value::String(text) => {
            for (placeholder, value) in values {
                *text = text.replace(&format!("${{{placeholder}}}"), value);
            }
            assert!(
                !text.contains("${"),
                "event `{name}` has a placeholder without a value: {text}"
            );
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, values, name)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill(field, values, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
