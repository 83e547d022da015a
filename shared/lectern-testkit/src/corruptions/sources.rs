//! The passages that sentences are taken from.

use std::{fs, path::Path};

use lectern_core::sentences::sentences;
use serde_json::Value;

/// A set, the language of its passages, how many passages are taken.
const SETS: [(&str, &str, usize); 9] = [
    ("qa-squad2", "eng", usize::MAX),
    ("ir-scifact", "eng", 700),
    ("qa-xquad-en", "eng", usize::MAX),
    ("qa-xquad-de", "deu", usize::MAX),
    ("qa-xquad-es", "spa", usize::MAX),
    ("qa-xquad-ar", "ara", usize::MAX),
    ("qa-xquad-hi", "hin", usize::MAX),
    ("qa-xquad-zh", "cmn", usize::MAX),
    ("qa-urdu-uqad", "urd", usize::MAX),
];

/// A passage.
#[derive(Clone, Debug)]
pub struct Source {
    /// The set it is from.
    pub set: String,
    /// Its id in the set.
    pub id: String,
    /// The article it is from: its title, or its id where there is none or each passage has its own.
    pub article: String,
    /// Its title, shown with it.
    pub title: String,
    /// ISO 639-3 code.
    pub language: String,
    /// Its text.
    pub text: String,
    /// Its sentences.
    pub sentences: Vec<String>,
}

/// Reads the passages of all sets in `directory`.
///
/// # Panics
/// When the data are missing or malformed.
#[must_use]
pub fn read_sources(directory: &Path) -> Vec<Source> {
    SETS.iter()
        .flat_map(|(set, language, most)| read_set(directory, set, language, *most))
        .collect()
}

fn read_set(directory: &Path, set: &str, language: &str, most: usize) -> Vec<Source> {
    let path = directory.join(set).join("corpus.jsonl");
    let lines =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let source = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("a JSON object a line");
        let field = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let (id, title, text) = (field("_id"), field("title"), field("text"));
        let has_articles = !title.is_empty() && set.starts_with("qa-");
        let spans = sentences(&text);
        let sentences =
            spans.into_iter().map(|span| text[span.start..span.end].to_owned()).collect();
        Source {
            set: set.to_owned(),
            article: if has_articles { title.clone() } else { format!("{set}/{id}") },
            id: format!("{set}/{id}"),
            title,
            language: language.to_owned(),
            text,
            sentences,
        }
    };
    lines.lines().take(most).map(source).collect()
}
