//! The sandboxed parser over the shared documents, and over damaged copies of them.

mod bounds;
mod corpus;
mod fuzz;

use std::{fs, path::PathBuf};

use bytes::Bytes;
use lectern_core::text::Block;
use lectern_parse::{ParseError, ParseLimits, Parsed, Sandbox};
use serde::Deserialize;

/// One line of the documents' manifest.
#[derive(Debug, Deserialize)]
struct Entry {
    file: String,
    class: String,
    #[serde(default)]
    must_contain: Vec<String>,
}

fn documents() -> PathBuf {
    let root = std::env::var_os("LECTERN_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    root.join("docs")
}

fn manifest() -> Vec<Entry> {
    let lines = fs::read_to_string(documents().join("manifest.jsonl"));
    let lines = lines.expect("the test data stands in LECTERN_TEST_DATA");
    lines.lines().map(|line| serde_json::from_str(line).expect("a manifest line")).collect()
}

fn read(file: &str) -> Bytes {
    fs::read(documents().join(file)).expect("the manifest names files that exist").into()
}

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_parse_worker").into(), Vec::new())
}

async fn parse_file(sandbox: &Sandbox, file: &str) -> Result<Parsed, ParseError> {
    sandbox.parse(read(file), file, &ParseLimits::default()).await
}

fn text_of(blocks: &[Block]) -> String {
    blocks.iter().map(|block| format!("{}\n", block.text)).collect()
}
