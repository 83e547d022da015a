//! Retrieval quality: every corpus document is one passage, so that only ranking is judged.

use std::path::Path;

use indicatif::ProgressBar;
use lectern_app::eval::{
    golden::{Content, GoldenDocument, GoldenQuestion, GoldenSet},
    read::{QRELS, read},
};
use lectern_core::{
    fusion::{Fusion, fuse},
    metrics::{
        ranking::{Grades, has_relevant, ndcg, recall},
        share::mean,
    },
    passage::{Candidates, indexed_text},
    ports::{PassageReader as _, PassageWriter as _},
};
use lectern_index::{Edge, IndexSettings};
use lectern_models::{
    config::{EmbedderConfig, minilm_directory},
    minilm::is_installed,
    retrying::RetryPolicy,
};
use serde_json::{Value, json};

use super::{
    Finding,
    corpus::{self, RANKING_DEPTH},
    decimal,
    vectors::CachedEmbedder,
};
use crate::{failure::Failure, golden_sets, output::Output, settings::Settings, text_table::Align};

/// Where both metrics are cut.
const CUT: usize = 10;
/// Points written at once.
const BATCH: usize = 256;
const EMBEDDING: &str = "embedding {msg} {wide_bar} {pos}/{len}, {eta} left";
const SEARCHING: &str = "searching {msg} {wide_bar} {pos}/{len}, {eta} left";

/// A judged collection, one passage a document.
#[derive(Debug)]
struct Dataset {
    name: String,
    documents: Vec<Record>,
    queries: Vec<JudgedQuery>,
}

/// A document.
#[derive(Debug)]
struct Record {
    id: String,
    title: String,
    text: String,
}

/// A query with at least one relevant document.
#[derive(Debug)]
struct JudgedQuery {
    text: String,
    grades: Grades,
}

impl From<GoldenSet> for Dataset {
    fn from(set: GoldenSet) -> Self {
        let record = |document: GoldenDocument| match document.content {
            Content::Text { title, text } => Some(Record { id: document.id, title, text }),
            Content::File(_) => None,
        };
        let judged = set.questions.into_iter().filter(|question| has_relevant(&question.grades));
        let query = |question: GoldenQuestion| JudgedQuery {
            text: question.question.as_str().to_owned(),
            grades: question.grades,
        };
        Self {
            name: set.name,
            documents: set.documents.into_iter().filter_map(record).collect(),
            queries: judged.map(query).collect(),
        }
    }
}

/// A set's documents and queries with their vectors, where there is an embedder.
struct Embedded {
    texts: Vec<String>,
    documents: Vec<Option<Vec<f32>>>,
    queries: Vec<Option<Vec<f32>>>,
}

/// One line of the result.
#[derive(Debug)]
struct Score {
    method: String,
    ndcg: f64,
    recall: f64,
}

pub(super) async fn run(
    sets: &Path,
    names: &[String],
    data: &Path,
    settings: &Settings,
    output: &Output,
) -> Result<Finding, Failure> {
    let mut embedder = embedder(data, settings, output)?;
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for folder in golden_sets::find(sets, names)? {
        let read = read(&folder, QRELS);
        let set = read.map_err(|error| Failure::Failed(lectern_core::errors::chain(&error)))?;
        let dataset = Dataset::from(set);
        // Files are for `lectern eval`: here one document is one passage.
        if dataset.documents.is_empty() {
            continue;
        }
        let embedded = embed(&dataset, embedder.as_mut(), output).await?;
        let candidates =
            search(&dataset, embedded, embedder.is_some(), settings, data, output).await?;
        for score in scores(&dataset, &candidates, embedder.is_some()) {
            rows.push(vec![
                dataset.name.clone(),
                score.method.clone(),
                decimal(score.ndcg, 4),
                decimal(score.recall, 4),
            ]);
            values.push(value(&dataset, &score));
        }
    }
    let columns = vec![
        ("SET", Align::Left),
        ("RANKING", Align::Left),
        ("nDCG@10", Align::Right),
        ("RECALL@10", Align::Right),
    ];
    Ok(Finding { name: "quality", value: values.into(), columns, rows })
}

fn value(dataset: &Dataset, score: &Score) -> Value {
    json!({
        "set": dataset.name, "documents": dataset.documents.len(), "queries": dataset.queries.len(),
        "ranking": score.method, "ndcg_at_10": score.ndcg, "recall_at_10": score.recall,
    })
}

fn embedder(
    data: &Path,
    settings: &Settings,
    output: &Output,
) -> Result<Option<CachedEmbedder>, Failure> {
    let directory = minilm_directory(data);
    if settings.embedder == EmbedderConfig::MiniLm && !is_installed(&directory) {
        output.note("note: no embedding model in the data directory, so BM25 alone is measured; `lectern model install` adds it");
        return Ok(None);
    }
    let opened = settings.embedder.open(&settings.api, &directory, RetryPolicy::default());
    let opened = opened.map_err(|error| Failure::Failed(lectern_core::errors::chain(&error)))?;
    opened.map(|embedder| CachedEmbedder::open(embedder, &data.join("bench"))).transpose()
}

async fn embed(
    dataset: &Dataset,
    embedder: Option<&mut CachedEmbedder>,
    output: &Output,
) -> Result<Embedded, Failure> {
    let texts: Vec<String> = dataset
        .documents
        .iter()
        .map(|document| indexed_text(&document.title, &document.text))
        .collect();
    let Some(embedder) = embedder else {
        let (documents, queries) = (vec![None; texts.len()], vec![None; dataset.queries.len()]);
        return Ok(Embedded { texts, documents, queries });
    };
    let questions: Vec<String> = dataset.queries.iter().map(|query| query.text.clone()).collect();
    let bar = output.progress((texts.len() + questions.len()) as u64, EMBEDDING);
    bar.set_message(dataset.name.clone());
    let documents = embedder.embed(&texts, &bar).await?;
    let queries = embedder.embed(&questions, &bar).await?;
    bar.finish_and_clear();
    let some = |vectors: Vec<Vec<f32>>| vectors.into_iter().map(Some).collect();
    Ok(Embedded { texts, documents: some(documents), queries: some(queries) })
}

/// Indexes a set in a directory of its own and returns both rankings of each query.
async fn search(
    dataset: &Dataset,
    embedded: Embedded,
    has_vectors: bool,
    settings: &Settings,
    data: &Path,
    output: &Output,
) -> Result<Vec<Candidates>, Failure> {
    let dimensions = embedded.documents.iter().flatten().map(Vec::len).next();
    let model = dimensions.filter(|_| has_vectors).map(|dimensions| {
        let id = format!("bench:{:?}", settings.embedder);
        lectern_core::ports::EmbeddingModel { id: id.chars().take(64).collect(), dimensions }
    });
    std::fs::create_dir_all(data)?;
    let directory = tempfile::tempdir_in(data)?;
    let edge = Edge::open(directory.path(), IndexSettings::new(model)?).await?;
    let bar = output.progress((dataset.documents.len() + dataset.queries.len()) as u64, SEARCHING);
    bar.set_message(dataset.name.clone());
    write(&edge, dataset, embedded.texts, embedded.documents, &bar).await?;
    let mut candidates = Vec::with_capacity(dataset.queries.len());
    for (query, dense) in dataset.queries.iter().zip(embedded.queries) {
        candidates.push(edge.search(&corpus::query(&query.text, dense)).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(candidates)
}

async fn write(
    edge: &Edge,
    dataset: &Dataset,
    texts: Vec<String>,
    vectors: Vec<Option<Vec<f32>>>,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let documents = dataset.documents.iter().zip(texts).zip(vectors);
    let mut batch = Vec::with_capacity(BATCH);
    for (ordinal, ((document, text), dense)) in documents.enumerate() {
        bar.inc(1);
        // Some sets have empty documents on purpose; Lectern refuses to ingest those.
        if text.trim().is_empty() {
            continue;
        }
        batch.push(corpus::point(ordinal as u64, &document.id, text, dense));
        if batch.len() == BATCH {
            edge.upsert(std::mem::take(&mut batch)).await?;
        }
    }
    edge.upsert(batch).await?;
    Ok(())
}

/// The rankings that are compared.
fn methods(has_vectors: bool) -> Vec<Fusion> {
    if !has_vectors {
        return vec![Fusion::SparseOnly];
    }
    vec![
        Fusion::SparseOnly,
        Fusion::DenseOnly,
        Fusion::default(),
        Fusion::MinMax { dense_weight: 0.3 },
        Fusion::MinMax { dense_weight: 0.7 },
        Fusion::Rrf { k: 60.0 },
        Fusion::WeightedRrf { k: 60.0, dense_weight: 0.7 },
        Fusion::DistributionBased,
    ]
}

fn name(fusion: &Fusion) -> String {
    let name = match fusion {
        Fusion::ByLanguage { dense_weight, foreign_dense_weight } => {
            format!("min-max {dense_weight:.1}, elsewhere {foreign_dense_weight:.2}")
        }
        Fusion::SparseOnly => "BM25".to_owned(),
        Fusion::DenseOnly => "dense".to_owned(),
        Fusion::MinMax { dense_weight } => format!("min-max, dense {dense_weight}"),
        Fusion::Rrf { k } => format!("RRF, k {k}"),
        Fusion::WeightedRrf { k, dense_weight } => format!("RRF, k {k}, dense {dense_weight}"),
        Fusion::DistributionBased => "DBSF".to_owned(),
    };
    if *fusion == Fusion::default() { format!("{name} (default)") } else { name }
}

fn scores(dataset: &Dataset, candidates: &[Candidates], has_vectors: bool) -> Vec<Score> {
    let score = |fusion: Fusion| {
        let mut ndcgs = Vec::with_capacity(candidates.len());
        let mut recalls = Vec::with_capacity(candidates.len());
        for (query, found) in dataset.queries.iter().zip(candidates) {
            let fused = fuse(found.clone(), &fusion, RANKING_DEPTH);
            let ranking: Vec<&str> =
                fused.iter().map(|scored| scored.passage.document_name.as_str()).collect();
            ndcgs.push(ndcg(&ranking, &query.grades, CUT));
            recalls.push(recall(&ranking, &query.grades, CUT));
        }
        Score { method: name(&fusion), ndcg: mean(&ndcgs), recall: mean(&recalls) }
    };
    methods(has_vectors).into_iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use lectern_core::passage::ScoredPassage;

    use super::*;

    fn found(name: &str, ordinal: u64, score: f32) -> ScoredPassage {
        ScoredPassage { passage: corpus::point(ordinal, name, "text".into(), None).passage, score }
    }

    #[test]
    fn each_ranking_is_judged_by_itself_and_fused() {
        let grades = Grades::from([("right".to_owned(), 1)]);
        let queries = vec![JudgedQuery { text: "q".into(), grades }];
        let dataset = Dataset { name: "tiny".into(), documents: vec![], queries };
        let dense = vec![found("wrong", 1, 0.9), found("right", 2, 0.1)];
        let sparse = vec![found("right", 2, 5.0), found("wrong", 1, 1.0)];
        let scores = scores(&dataset, &[Candidates { dense, sparse }], true);
        let of = |method: &str| scores.iter().find(|score| score.method == method).unwrap();
        assert!((of("BM25").ndcg - 1.0).abs() < 1e-9);
        assert!((of("dense").ndcg - 1.0 / 3_f64.log2()).abs() < 1e-9);
        assert!(scores.iter().all(|score| (score.recall - 1.0).abs() < 1e-9));
        assert!(scores.iter().any(|score| score.method.ends_with("(default)")));
    }
}
