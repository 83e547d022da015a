//! Throughput of ingestion: generated Markdown through the real flows, without an embedder.

use std::time::Instant;

use lectern_core::env::Env;
use serde_json::json;
use tempfile::TempDir;

use super::{Finding, decimal, synthetic::Synthetic};
use crate::{
    api::Api,
    commands::{
        bodies::Accepted,
        waiting::{Settled, until_settled},
    },
    compose::Local,
    failure::Failure,
    output::Output,
    settings::Settings,
    text_table::Align,
};

const SEED: u64 = 6_202;
/// Size of a generated document: a long page of a handbook.
const DOCUMENT_BYTES: usize = 100_000;
const MEGABYTE: usize = 1_000_000;
const INGESTING: &str = "ingesting Markdown {wide_bar} {pos}/{len} documents, {eta} left";

/// Returns the finding, and the data directory that now holds the documents.
pub(super) async fn run(markdown_mb: u32, output: &Output) -> Result<(Finding, TempDir), Failure> {
    let directory = tempfile::tempdir()?;
    let sources = tempfile::tempdir()?;
    let documents = (markdown_mb as usize * MEGABYTE).div_ceil(DOCUMENT_BYTES);
    let mut source = Synthetic::new(SEED, 1);
    let mut bytes = 0;
    for number in 0..documents {
        let markdown = source.markdown(DOCUMENT_BYTES);
        bytes += markdown.len();
        tokio::fs::write(sources.path().join(format!("{number}.md")), markdown).await?;
    }

    let local = Local::open(directory.path(), &settings()?).await?;
    let api = Api::InProcess(local.router(Some(local.tenant.clone())));
    let bar = output.progress(documents as u64, INGESTING);
    let started = Instant::now();
    let chunks = local
        .drive(async {
            let mut ids = Vec::with_capacity(documents);
            for number in 0..documents {
                let name = format!("{number}.md");
                let path = sources.path().join(&name);
                let accepted: Accepted = api.upload_file(&path, &[("name", &name)]).await?;
                ids.push(accepted.id);
            }
            let mut chunks = 0;
            until_settled(&api, ids, &mut |settled| {
                bar.inc(1);
                chunks += chunks_of(&settled)?;
                Ok(())
            })
            .await
            .map(|()| chunks)
        })
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    local.close().await?;

    let megabytes = bytes as f64 / MEGABYTE as f64;
    let rows = vec![vec![
        decimal(megabytes, 1),
        documents.to_string(),
        chunks.to_string(),
        decimal(seconds, 1),
        decimal(megabytes / seconds, 2),
        decimal(chunks as f64 / seconds, 0),
    ]];
    let columns = ["MB", "DOCUMENTS", "CHUNKS", "SECONDS", "MB/s", "CHUNKS/s"];
    let columns = columns.map(|heading| (heading, Align::Right)).to_vec();
    let value = json!({
        "megabytes": megabytes, "documents": documents, "chunks": chunks, "seconds": seconds,
        "megabytes_per_second": megabytes / seconds, "chunks_per_second": chunks as f64 / seconds,
    });
    Ok((Finding { name: "ingest", value, columns, rows }, directory))
}

/// Returns the settings of the measured process: all defaults, no embedder.
pub(super) fn settings() -> Result<Settings, Failure> {
    let env: Env = [("LECTERN_EMBEDDER".to_owned(), "none".to_owned())].into_iter().collect();
    Settings::from_env(&env).map_err(Failure::Settings)
}

fn chunks_of(settled: &Settled) -> Result<u64, Failure> {
    match settled {
        Settled::Document(document) if document.failure.is_none() => {
            Ok(document.progress.chunks_total)
        }
        _ => Err(Failure::Failed("a generated document was not ingested".into())),
    }
}
