//! The corpus that was kept, replayed: what once broke something, and what reaches most of each target.

#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

use std::{fs, path::Path};

use lectern_fuzz::TARGETS;

fn replay(target: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has a corpus");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        // The harness says which test failed; this says which file.
        let run = std::panic::catch_unwind(|| lectern_fuzz::run(target, &bytes));
        assert!(run.is_ok(), "{}", file.display());
    }
}

macro_rules! replayed {
    ($($target:ident),* $(,)?) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed_here_and_fuzzed() {
            let here = [$(stringify!($target)),*];
            assert_eq!(TARGETS.map(|(name, _)| name).to_vec(), here.to_vec());
            let harnesses = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
            for target in here {
                assert!(harnesses.join(format!("{target}.rs")).is_file(), "{target}");
            }
        }
    };
}

replayed!(
    citations,
    claims,
    injection,
    kept,
    outgoing,
    parse_archive,
    parse_pdf,
    parse_text,
    questions,
    replies,
    requests,
    tokens,
);
