//! Latency of hybrid search: both rankings and their fusion, in this process.

use std::time::Instant;

use lectern_core::{
    fusion::{Fusion, fuse},
    metrics::share::percentile,
    passage::PassageQuery,
    ports::{EmbeddingModel, PassageReader as _, PassageWriter as _},
};
use lectern_index::{Edge, IndexSettings};
use serde_json::{Value, json};

use super::{
    Finding,
    corpus::{self, RANKING_DEPTH},
    decimal,
    synthetic::Synthetic,
};
use crate::{failure::Failure, output::Output, text_table::Align};

const SEED: u64 = 2_026;
/// Length of the vectors: that of all-MiniLM-L6-v2.
const DIMENSIONS: usize = 384;
const WORDS_OF_A_PASSAGE: usize = 120;
const WORDS_OF_A_QUESTION: usize = 6;
const QUESTIONS: usize = 300;
/// Searches before the clock runs.
const WARM_UP: usize = 20;
/// Points written at once.
const BATCH: usize = 500;
/// Most rounds of optimisation.
const MAX_ROUNDS: usize = 32;
const WRITING: &str = "writing passages {wide_bar} {pos}/{len}, {eta} left";

/// Milliseconds that half and that 95 of 100 searches took at most.
#[derive(Clone, Copy, Debug)]
struct Latency {
    p50_ms: f64,
    p95_ms: f64,
}

pub(super) async fn run(passages: usize, output: &Output) -> Result<Finding, Failure> {
    let directory = tempfile::tempdir()?;
    let model = EmbeddingModel { id: "bench".into(), dimensions: DIMENSIONS };
    let edge = Edge::open(directory.path(), IndexSettings::new(Some(model))?).await?;
    let mut source = Synthetic::new(SEED, DIMENSIONS);
    let written_per_second = write(&edge, &mut source, passages, output).await?;
    let questions: Vec<PassageQuery> = (0..QUESTIONS)
        .map(|_| corpus::query(&source.words(WORDS_OF_A_QUESTION), Some(source.vector())))
        .collect();

    let before = measure(&edge, &questions).await?;
    let started = Instant::now();
    for _ in 0..MAX_ROUNDS {
        if !edge.maintain().await? {
            break;
        }
    }
    let optimise_seconds = started.elapsed().as_secs_f64();
    let after = measure(&edge, &questions).await?;

    let row = |state: &str, latency: Latency| {
        let figures = [decimal(latency.p50_ms, 2), decimal(latency.p95_ms, 2)];
        let [p50, p95] = figures;
        vec![passages.to_string(), state.to_owned(), p50, p95]
    };
    let columns = vec![
        ("PASSAGES", Align::Right),
        ("INDEX", Align::Left),
        ("p50 ms", Align::Right),
        ("p95 ms", Align::Right),
    ];
    let rows = vec![row("as written", before), row("optimised", after)];
    let value = json!({
        "passages": passages, "dimensions": DIMENSIONS, "questions": QUESTIONS,
        "written_per_second": written_per_second, "optimise_seconds": optimise_seconds,
        "before": figures(before), "after": figures(after),
    });
    output.note(format_args!(
        "wrote {written_per_second:.0} passages/s, optimised in {optimise_seconds:.1} s"
    ));
    Ok(Finding { name: "latency", value, columns, rows })
}

fn figures(latency: Latency) -> Value {
    json!({ "p50_ms": latency.p50_ms, "p95_ms": latency.p95_ms })
}

async fn write(
    edge: &Edge,
    source: &mut Synthetic,
    passages: usize,
    output: &Output,
) -> Result<f64, Failure> {
    let bar = output.progress(passages as u64, WRITING);
    let mut seconds = 0.0;
    let mut ordinal = 0;
    while ordinal < passages {
        let size = BATCH.min(passages - ordinal);
        let batch = (ordinal..ordinal + size)
            .map(|number| {
                let text = source.words(WORDS_OF_A_PASSAGE);
                corpus::point(number as u64, "synthetic", text, Some(source.vector()))
            })
            .collect();
        // Making the text is not the engine's work.
        let started = Instant::now();
        edge.upsert(batch).await?;
        seconds += started.elapsed().as_secs_f64();
        ordinal += size;
        bar.inc(size as u64);
    }
    edge.flush().await?;
    bar.finish_and_clear();
    Ok(passages as f64 / seconds.max(f64::EPSILON))
}

async fn measure(edge: &Edge, questions: &[PassageQuery]) -> Result<Latency, Failure> {
    for question in questions.iter().take(WARM_UP) {
        edge.search(question).await?;
    }
    let mut millis = Vec::with_capacity(questions.len());
    for question in questions {
        let started = Instant::now();
        let found = fuse(edge.search(question).await?, &Fusion::default(), RANKING_DEPTH);
        millis.push(started.elapsed().as_secs_f64() * 1_000.0);
        if found.is_empty() {
            return Err(Failure::Failed("a synthetic question found nothing".into()));
        }
    }
    let at = |share| percentile(&millis, share);
    Ok(Latency { p50_ms: at(0.5), p95_ms: at(0.95) })
}
