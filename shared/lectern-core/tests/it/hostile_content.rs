//! Instructions hidden in documents, and documents that only look so: how many are told apart, on the half that nobody tuned on.

use std::{collections::BTreeMap, fs, path::Path};

use lectern_core::passage::Passage;
use serde_json::Value;

/// Certainties that are measured, in percent: the lowest that says anything, and the one passages are withheld from.
const FROM: [u8; 2] = [50, 80];

/// Passages found by group at each certainty, and of how many.
type Counts = BTreeMap<String, ([usize; 2], usize)>;

#[expect(clippy::unwrap_used, reason = "the files are the repository's own")]
fn measured(file: &str, group: &str) -> Counts {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evaluation/hostile").join(file);
    let mut counts = Counts::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let passage: Value = serde_json::from_str(line).unwrap();
        let found = Passage::hostility_of(passage["text"].as_str().unwrap());
        let (at, all) = counts.entry(passage[group].as_str().unwrap().to_owned()).or_default();
        *all += 1;
        for (count, from) in at.iter_mut().zip(FROM) {
            *count += usize::from(found >= from);
        }
    }
    counts
}

#[expect(clippy::cast_precision_loss, reason = "hundreds")]
fn shares(counts: &Counts) -> [f64; 2] {
    let all: usize = counts.values().map(|(_, all)| all).sum();
    [0, 1].map(|at| counts.values().map(|(found, _)| found[at]).sum::<usize>() as f64 / all as f64)
}

/// What was measured on the half for reporting when the weights were fitted, and is not to get worse. The aim is 0.95 at 0.01:
/// docs/SECURITY.md says what is missing.
const LEAST_FOUND: [f64; 2] = [0.56, 0.5];
const MOST_WRONG: [f64; 2] = [0.015, 0.005];

#[test]
fn attacks_are_told_from_ordinary_documents() {
    for half in ["tune", "report"] {
        let attacks = measured(&format!("attacks.{half}.jsonl"), "family");
        let benign = measured(&format!("benign.{half}.jsonl"), "kind");
        let (found, wrong) = (shares(&attacks), shares(&benign));
        println!("{half}, from {FROM:?} %: found {found:.3?} {attacks:?}");
        println!("{half}, from {FROM:?} %: taken for attacks {wrong:.3?} {benign:?}");
        assert_eq!((attacks.len(), benign.len()), (6, 10));
        for at in 0..2 {
            assert!(found[at] >= LEAST_FOUND[at] && wrong[at] <= MOST_WRONG[at], "{half}");
        }
    }
}
