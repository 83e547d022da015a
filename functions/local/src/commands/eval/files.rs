//! What other programs read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lectern_app::eval::{Evaluated, Sample, export, report::Report};

use super::{EvalArguments, numbered};
use crate::failure::Failure;

/// Largest report that is read.
const MAX_REPORT_BYTES: u64 = 256 << 20;

/// Reads a report.
///
/// # Errors
/// Names the file, and where in it something is wrong.
pub(super) fn read_report(path: &Path) -> Result<Report, Failure> {
    let wrong =
        |reason: String| Failure::Failed(format!("cannot read {}: {reason}", path.display()));
    let size = fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > MAX_REPORT_BYTES {
        return Err(wrong(format!("larger than {MAX_REPORT_BYTES} bytes")));
    }
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
}

/// Writes whatever was asked for. With several runs the names of set and fusion come into the files' names.
///
/// # Errors
/// Names the file that cannot be written.
pub(super) fn write(
    options: &EvalArguments,
    report: &Report,
    evaluated: &[(String, Evaluated)],
) -> Result<(), Failure> {
    if let Some(path) = &options.report {
        let json = report.to_json().map_err(|error| Failure::Failed(error.to_string()))?;
        put(path, &json)?;
    }
    for (set, run) in evaluated {
        let fusion = &run.report.fusion;
        let named = |file: &PathBuf| match evaluated {
            [_] => file.clone(),
            _ => numbered(file, set, fusion),
        };
        type Export = fn(&[Sample]) -> String;
        let exports: [(&Option<PathBuf>, Export); 3] = [
            (&options.run_file, |samples| export::trec_run(samples, "lectern")),
            (&options.answers_file, export::answers),
            (&options.export_ragas, export::ragas),
        ];
        for (file, export) in exports {
            if let Some(file) = file {
                put(&named(file), &export(&run.samples))?;
            }
        }
        if let Some(folder) = &options.measure {
            fs::create_dir_all(folder)?;
            // Questions of another set's documents are named QUESTIONS@DOCUMENTS.
            let (questions, documents) = set.split_once('@').unwrap_or((set, set));
            let file = folder.join(format!("{documents}--{questions}.jsonl"));
            put(&file, &export::measured(&run.samples))?;
        }
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let unwritable = |error| Failure::Failed(format!("cannot write {}: {error}", path.display()));
    fs::write(path, text).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.json");
        let message = |path: &Path| read_report(path).unwrap_err().message().unwrap();
        assert!(message(&path).contains("baseline.json: No such file"), "{}", message(&path));
        fs::write(&path, "{}").unwrap();
        assert!(message(&path).contains("missing field `form`"), "{}", message(&path));
    }

    #[test]
    fn several_runs_have_several_files() {
        let json = r#"{"method":"rrf"}"#;
        let name = numbered(Path::new("out/run.trec"), "ir scifact", json);
        assert_eq!(name, Path::new("out/run.ir-scifact.--method---rrf--.trec"));
        assert_eq!(numbered(Path::new("run"), "a", "bm25"), Path::new("run.a.bm25"));
    }
}
