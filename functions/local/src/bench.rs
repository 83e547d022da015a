//! `lectern bench`: what this build does on this machine.
//!
//! | module | measures |
//! |---|---|
//! | `quality` | nDCG@10 and recall@10 of BM25, dense and fused rankings on BEIR folders |
//! | `latency` | hybrid search over many passages, before and after optimising |
//! | `overhead` | what the search flow adds to the index's own search |
//! | `gate` | what letting a request in adds to the table's own writes |
//! | `telemetry` | what measuring and tracing add to a question |
//! | `ingest` | Markdown through the real flows, BM25 only |
//! | `start` | from the start of `serve` to the first answer |
//! | `backup` | backing up, verifying, restoring |
//! | `vectors`, `synthetic`, `corpus` | what they work with |

mod backup;
mod corpus;
mod gate;
mod ingest;
mod latency;
mod overhead;
mod quality;
mod start;
mod synthetic;
mod telemetry;
mod vectors;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lectern_core::env::Env;
use serde_json::{Map, Value, json};

use crate::{
    failure::Failure,
    golden_sets,
    main_arguments::Global,
    output::Output,
    session::data_directory,
    settings::Settings,
    text_table::{Align, text_table},
};

/// Megabytes of Markdown that `start` ingests when `ingest` left it nothing.
const SMALL_MB: u32 = 1;

/// `lectern bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// What to measure; everything without
    #[arg(long, value_delimiter = ',', value_enum, value_name = "LIST")]
    only: Vec<Part>,
    /// Data sets for quality: `scifact`, `cranfield`, any folder's name, or `all`
    #[arg(long, value_delimiter = ',', default_value = "scifact,cranfield", value_name = "NAMES")]
    set: Vec<String>,
    /// Folder of the data sets [env: LECTERN_TEST_DATA] [default: ../shared/data]
    #[arg(long, value_name = "DIR")]
    sets: Option<PathBuf>,
    /// Synthetic passages for latency and backup
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    passages: u32,
    /// Megabytes of generated Markdown for ingest
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    markdown_mb: u32,
}

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Retrieval quality on data sets
    Quality,
    /// Latency of hybrid search
    Latency,
    /// What the search flow adds to the index's own search
    Overhead,
    /// What letting a request in adds to the table's own writes
    Gate,
    /// What measuring and tracing add to a question
    Telemetry,
    /// Throughput of ingestion
    Ingest,
    /// Start of the server to its first answer
    Start,
    /// Backing up, verifying and restoring
    Backup,
}

/// What one part found: JSON for programs, a table for people.
#[derive(Debug)]
struct Finding {
    name: &'static str,
    value: Value,
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

/// Runs what was asked for and prints each finding when it is there.
///
/// # Errors
/// When settings are wrong, a data set is missing, or an engine refuses.
pub(crate) async fn run(
    options: &BenchArguments,
    global: &Global,
    env: &Env,
    output: &Output,
) -> Result<(), Failure> {
    let asked = |part: Part| options.only.is_empty() || options.only.contains(&part);
    let data = data_directory(global, env);
    let settings = Settings::from_env(env).map_err(Failure::Settings)?;
    let mut report = Map::new();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    report
        .insert("machine".into(), json!({ "cores": cores, "debug_build": cfg!(debug_assertions) }));
    if cfg!(debug_assertions) {
        output
            .note("note: this is a debug build; figures of a release build are many times better");
    }
    if asked(Part::Quality) {
        let sets = golden_sets::folder(options.sets.as_deref(), env);
        let finding = quality::run(&sets, &options.set, &data, &settings, output).await?;
        tell(finding, &mut report, output)?;
    }
    if asked(Part::Latency) {
        tell(latency::run(options.passages as usize, output).await?, &mut report, output)?;
    }
    if asked(Part::Overhead) {
        tell(overhead::run(output).await?, &mut report, output)?;
    }
    if asked(Part::Gate) {
        tell(gate::run().await?, &mut report, output)?;
    }
    if asked(Part::Telemetry) {
        tell(telemetry::run(output).await?, &mut report, output)?;
    }
    let mut ingested = None;
    if asked(Part::Ingest) {
        let (finding, directory) = ingest::run(options.markdown_mb, output).await?;
        tell(finding, &mut report, output)?;
        ingested = Some(directory);
    }
    if asked(Part::Start) {
        let directory = match ingested {
            Some(directory) => directory,
            None => ingest::run(SMALL_MB, output).await?.1,
        };
        tell(start::run(directory.path(), output).await?, &mut report, output)?;
    }
    if asked(Part::Backup) {
        tell(backup::run(options.passages as usize, output).await?, &mut report, output)?;
    }
    if output.is_json() { Ok(output.json(&report)?) } else { Ok(()) }
}

fn tell(finding: Finding, report: &mut Map<String, Value>, output: &Output) -> Result<(), Failure> {
    if !output.is_json() {
        output.line(format_args!("\n{}", finding.name))?;
        let lines = text_table(&finding.columns, &finding.rows);
        lines.into_iter().try_for_each(|line| output.line(line))?;
    }
    report.insert(finding.name.to_owned(), finding.value);
    Ok(())
}

/// Returns a number with `decimals` decimals.
fn decimal(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}
