//! `lectern eval`: golden sets through the real flows, one table, one JSON, and a gate against a baseline.
//!
//! | module | does |
//! |---|---|
//! | `index` | a data directory that holds a set's documents, made once |
//! | `fusions` | which fusions are asked for |
//! | `learn` | which fusion suits a set best |
//! | `table` | what a person reads |
//! | `files` | what other programs read |

mod files;
mod fusions;
mod index;
mod learn;
mod table;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use lectern_app::eval::{
    Evaluated, Evaluation, MAX_CONCURRENCY,
    compare::{Comparison, Rules, TOLERANCE, compare},
    golden::GoldenSet,
    judge::{DEFAULT_TIMEOUT as JUDGE_TIMEOUT, Judge},
    read::{GoldenError, QRELS, read},
    report::{Configuration, FORM, Report, SetReport},
};
use lectern_core::{auth::Caller, env::Env, errors::chain, ids::CollectionId, ports::ChatModel};
use lectern_models::{
    config::{ChatConfig, EmbedderConfig},
    retrying::RetryPolicy,
};
use serde_json::{Value, json};

use self::{fusions::AskedFusion, learn::Learned};
use crate::{
    compose::{Local, model_directory},
    failure::{FAILED, Failure},
    golden_sets,
    main_arguments::Global,
    output::Output,
    session::data_directory,
    settings::Settings,
};

const ASKING: &str = "asking {msg} {wide_bar} {pos}/{len} questions, {eta} left";

/// `lectern eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArguments {
    /// Golden sets: folders, JSONL files of questions, names in the folder of sets, or `all`
    #[arg(required = true, value_name = "SET")]
    sets: Vec<String>,
    /// Folder of sets that are named without a path [env: LECTERN_TEST_DATA] [default: ../shared/data]
    #[arg(long = "sets", value_name = "DIR")]
    sets_folder: Option<PathBuf>,
    /// File of the judgements in BEIR folders
    #[arg(long, value_name = "NAME", default_value = QRELS)]
    qrels: String,
    /// Ask the questions of another set's documents, none of which answers them: how many are refused
    #[arg(long, value_name = "SET", conflicts_with = "compare")]
    documents_of: Option<String>,
    /// Chat model that says how faithful answers are, written like LECTERN_CHAT; `none` for nobody [default: that
    /// of LECTERN_CHAT]
    #[arg(long, value_name = "MODEL")]
    judge: Option<String>,
    /// Measure what is found and ask for no answers
    #[arg(long, conflicts_with_all = ["answers_file", "export_ragas", "judge"])]
    no_answers: bool,
    /// Write what extraction measured of each question to DIR/DOCUMENTS--QUESTIONS.jsonl, for infra/calibration
    #[arg(long, value_name = "DIR")]
    measure: Option<PathBuf>,
    /// How the two rankings become one: `default`, `bm25`, `dense`, or a fusion as JSON; may be repeated
    #[arg(long, value_name = "FUSION", default_value = "default")]
    fusion: Vec<AskedFusion>,
    /// Try every way to fuse, and say which one the collection should use
    #[arg(long, conflicts_with_all = ["fusion", "compare", "answers_file", "export_ragas", "judge", "documents_of"])]
    learn_fusion: bool,
    /// Ask at most N questions of each set, always the same ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Do without the embedding model, even when it is installed
    #[arg(long)]
    no_dense: bool,
    /// Keep the indexed documents in DIR, for the next run
    #[arg(long, value_name = "DIR")]
    index: Option<PathBuf>,
    /// Questions at the same time; latencies are those of a quiet server at 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=MAX_CONCURRENCY as i64))]
    concurrency: u8,
    /// Write the report as JSON, question by question
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the rankings as a TREC run file
    #[arg(long, value_name = "FILE")]
    run_file: Option<PathBuf>,
    /// Write the answers and where their citations point, a JSON line each
    #[arg(long, value_name = "FILE")]
    answers_file: Option<PathBuf>,
    /// Write questions, contexts, answers and references as RAGAS reads them
    #[arg(long, value_name = "FILE")]
    export_ragas: Option<PathBuf>,
    /// Compare with an earlier report, and fail when a metric is worse beyond tolerance and chance
    #[arg(long, value_name = "REPORT")]
    compare: Option<PathBuf>,
    /// How much worse a metric may be
    #[arg(long, value_name = "X", default_value_t = TOLERANCE, value_parser = tolerance, requires = "compare")]
    tolerance: f64,
    /// Compare although the settings or the fusion are others
    #[arg(long, requires = "compare")]
    across_settings: bool,
}

fn tolerance(raw: &str) -> Result<f64, String> {
    let parsed = raw.parse::<f64>().ok().filter(|value| (0.0..=1.0).contains(value));
    parsed.ok_or_else(|| "must be from 0 to 1".to_owned())
}

/// Runs every set with every fusion, prints and writes what was found, and compares.
///
/// # Errors
/// When a set or file cannot be read or written, the flows refuse, a question fails, or the comparison does.
pub(super) async fn run(
    options: &EvalArguments,
    global: &Global,
    env: &Env,
    output: &Output,
) -> Result<(), Failure> {
    if global.api.is_some() {
        return Err(Failure::Usage(
            "`eval` runs the flows in this process: leave --api out".into(),
        ));
    }
    // What can be wrong is looked at before anything takes minutes.
    let settings = settings(options, global, env)?;
    let baseline = options.compare.as_deref().map(files::read_report).transpose()?;
    let sets_folder = golden_sets::folder(options.sets_folder.as_deref(), env);
    let paths = golden_sets::find(&sets_folder, &options.sets)?;
    let elsewhere = options.documents_of.as_ref().map(std::slice::from_ref);
    let elsewhere = elsewhere.map(|name| golden_sets::find(&sets_folder, name)).transpose()?;
    let judge = judge(options, &settings)?;
    if cfg!(debug_assertions) {
        output.note("note: this is a debug build; its latencies mean nothing");
    }

    let mut report = Report {
        form: FORM,
        lectern: env!("CARGO_PKG_VERSION").to_owned(),
        configuration: configuration(options, env),
        sets: Vec::new(),
    };
    let mut evaluated: Vec<(String, Evaluated)> = Vec::new();
    for path in paths {
        let mut set = load(path, &options.qrels, options.limit).await?;
        for elsewhere in elsewhere.iter().flatten() {
            set = set.asked_of(load(elsewhere.clone(), QRELS, None).await?);
        }
        let name = set.name.clone();
        if report.sets.iter().any(|other| other.name == name) {
            return Err(Failure::Usage(format!("two sets are called `{name}`")));
        }
        let (set_report, runs) =
            one_set(set, options, &settings, judge.clone(), &mut report.configuration, output)
                .await?;
        report.sets.push(set_report);
        evaluated.extend(runs.into_iter().map(|run| (name.clone(), run)));
    }

    files::write(options, &report, &evaluated)?;
    let rules = Rules { tolerance: options.tolerance, across_settings: options.across_settings };
    let comparison = baseline.map(|baseline| compare(&baseline, &report, rules));
    let learned = options.learn_fusion.then(|| learn::learn(&report)).flatten();
    tell(&report, comparison.as_ref(), learned.as_ref(), output)?;
    verdict(&report, comparison.as_ref(), output)
}

fn settings(options: &EvalArguments, global: &Global, env: &Env) -> Result<Settings, Failure> {
    let mut settings = Settings::from_env(env).map_err(Failure::Settings)?;
    settings.model_directory = Some(model_directory(&data_directory(global, env)));
    if options.no_dense {
        settings.embedder = EmbedderConfig::None;
    }
    Ok(settings)
}

fn configuration(options: &EvalArguments, env: &Env) -> Configuration {
    Configuration {
        embedder: "none".to_owned(),
        chat: "extractive".to_owned(),
        chunk_tokens: env.parsed("LECTERN_CHUNK_TOKENS").ok().flatten(),
        limit: options.limit.map(|limit| limit as usize),
        qrels: (options.qrels != QRELS).then(|| options.qrels.clone()),
    }
}

/// Returns the chat model that judges, if one is to.
fn judge(
    options: &EvalArguments,
    settings: &Settings,
) -> Result<Option<Arc<dyn ChatModel>>, Failure> {
    let config = match options.judge.as_deref() {
        Some("none") => ChatConfig::Extractive,
        Some(named) => ChatConfig::parse(named)
            .map_err(|error| Failure::Usage(format!("--judge: {}", chain(&error))))?,
        None => settings.chat.clone(),
    };
    let opened = config.open(&settings.api, None, RetryPolicy::default());
    opened.map_err(|error| Failure::Failed(chain(&error)))
}

async fn load(path: PathBuf, qrels: &str, limit: Option<u32>) -> Result<GoldenSet, Failure> {
    let qrels = qrels.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let set = read(&path, &qrels)?;
        Ok(match limit {
            Some(limit) => set.limited(limit as usize),
            None => set,
        })
    });
    let read = reading.await.map_err(|panic| Failure::Failed(panic.to_string()))?;
    read.map_err(|error: GoldenError| Failure::Failed(chain(&error)))
}

async fn one_set(
    set: GoldenSet,
    options: &EvalArguments,
    settings: &Settings,
    judge: Option<Arc<dyn ChatModel>>,
    configuration: &mut Configuration,
    output: &Output,
) -> Result<(SetReport, Vec<Evaluated>), Failure> {
    let corpus_digest = set.corpus_digest().map_err(|error| Failure::Failed(chain(&error)))?;
    let index =
        index::open(&set, &corpus_digest, options.index.as_deref(), settings, output).await?;
    let local = &index.local;
    if let Some(embedder) = &local.ask.search.embedder {
        configuration.embedder.clone_from(&embedder.model().id);
    }
    if let Some(chat) = &local.ask.chat {
        chat.model().clone_into(&mut configuration.chat);
    }
    let evaluation = evaluation(local, options, settings, judge);
    let caller = Caller::operator(local.tenant.clone());
    let mut runs = Vec::new();
    let candidates = if options.learn_fusion { learn::candidates() } else { Vec::new() };
    for asked in if options.learn_fusion { &candidates } else { &options.fusion } {
        let bar = output.progress(set.questions.len() as u64, ASKING);
        bar.set_message(format!("{} {}", set.name, asked.label));
        let count = || bar.inc(1);
        runs.push(evaluation.run(&caller, &set, &asked.label, asked.fusion, &count).await?);
        bar.finish_and_clear();
    }
    let report = SetReport {
        name: set.name.clone(),
        corpus_digest,
        questions_digest: set.questions_digest(),
        documents: set.documents.len(),
        not_ingested: index.not_ingested,
        runs: runs.iter().map(|run| run.report.clone()).collect(),
    };
    index.close().await?;
    Ok((report, runs))
}

fn evaluation(
    local: &Local,
    options: &EvalArguments,
    settings: &Settings,
    judge: Option<Arc<dyn ChatModel>>,
) -> Evaluation {
    let ask = &local.ask;
    let judge = judge.map(|chat| Judge {
        chat,
        embedder: ask.search.embedder.clone(),
        prices: Arc::clone(&ask.spending.prices),
        timeout: JUDGE_TIMEOUT,
    });
    Evaluation {
        answers: !(options.no_answers || options.learn_fusion),
        measures: options.measure.is_some(),
        judge,
        search: local.ask.search.clone(),
        ask: local.ask.clone(),
        documents: local.documents.clone(),
        collection: CollectionId::default_collection(),
        answer_timeout: settings.answer_timeout,
        concurrency: usize::from(options.concurrency),
    }
}

fn tell(
    report: &Report,
    comparison: Option<&Comparison>,
    learned: Option<&Learned>,
    output: &Output,
) -> Result<(), Failure> {
    if output.is_json() {
        let told: Value = json!({ "report": report, "comparison": comparison, "learned": learned });
        return Ok(output.json(&told)?);
    }
    table::figures(report).into_iter().try_for_each(|line| output.line(line))?;
    let curve = table::curve(report);
    if !curve.is_empty() {
        output.line("")?;
        curve.into_iter().try_for_each(|line| output.line(line))?;
    }
    if let Some(comparison) = comparison {
        output.line("")?;
        table::differences(comparison).into_iter().try_for_each(|line| output.line(line))?;
    }
    if let Some(learned) = learned {
        output.line("")?;
        output.line(learned.sentence())?;
    }
    Ok(())
}

/// Fails after everything was told.
fn verdict(
    report: &Report,
    comparison: Option<&Comparison>,
    output: &Output,
) -> Result<(), Failure> {
    let runs = report.sets.iter().flat_map(|set| &set.runs);
    let failed = runs.flat_map(|run| &run.rows).filter(|row| row.failed.is_some()).count();
    if failed > 0 {
        output.complain(format_args!("{failed} questions failed; the report says how"));
    }
    for mismatch in comparison.iter().flat_map(|comparison| &comparison.mismatches) {
        output.complain(format_args!("cannot be compared: {mismatch}"));
    }
    let is_worse = comparison.is_some_and(Comparison::fails);
    if is_worse || failed > 0 { Err(Failure::Said(FAILED)) } else { Ok(()) }
}

/// Returns `file` with a set's and a fusion's name before its extension.
fn numbered(file: &Path, set: &str, fusion: &str) -> PathBuf {
    let plain = |text: &str| -> String {
        let keep = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
        text.chars().map(|letter| if keep(letter) { letter } else { '-' }).collect()
    };
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}.{}.{}", plain(set), plain(fusion));
    let extension = file.extension().map(|extension| extension.to_string_lossy());
    file.with_file_name(match extension {
        Some(extension) => format!("{name}.{extension}"),
        None => name,
    })
}
