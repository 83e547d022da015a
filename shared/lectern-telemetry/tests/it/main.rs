//! What is generated from the instruments and the service levels, and that the files in the tree are that.
//!
//! `LECTERN_WRITE_GENERATED=1 cargo nextest run -p lectern-telemetry` writes them anew.

#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod alarms;
mod cloudwatch;
mod grafana;
mod panels;
mod rules;

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

/// Returns JSON with its names in order. Whether a map keeps the order names were put in is decided by who else is built.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            fields.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Compares a file of the repository with what it should be, or writes it.
fn current(path: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("LECTERN_WRITE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "{} is not what is generated: LECTERN_WRITE_GENERATED=1 cargo nextest run -p lectern-telemetry",
        path.display()
    );
}
