//! What the search flow adds to the index's own search: fusion, arrangement, and the check against the documents'
//! records.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use lectern_app::{
    cache::{CacheLimits, Caches},
    clock::Clock,
    search::{Search, SearchRequest},
};
use lectern_core::{
    auth::Caller,
    document::Metadata,
    errors::{ErrorKind, PortError},
    fusion::Fusion,
    ids::{CollectionId, DocumentId},
    metrics::share::percentile,
    passage::{EVERYBODY, PassageQuery, Point},
    ports::{Embedder, EmbeddingModel, PassageReader as _, PassageWriter as _},
};
use lectern_index::{Edge, IndexSettings};
use lectern_tables::{
    Tables, collections::Collection, registration::Registration, versions::Claim,
};
use serde_json::json;

use super::{Finding, corpus, decimal, synthetic::Synthetic};
use crate::{failure::Failure, output::Output, text_table::Align};

const SEED: u64 = 7_302;
const DIMENSIONS: usize = 384;
const PASSAGES: usize = 10_000;
/// Passages of one document.
const PASSAGES_OF_A_DOCUMENT: usize = 20;
const WORDS_OF_A_PASSAGE: usize = 120;
const WORDS_OF_A_QUESTION: usize = 6;
const QUESTIONS: usize = 300;
const WARM_UP: usize = 20;
const LIMIT: usize = 10;
const LEASE: Duration = Duration::from_secs(60);
const WRITING: &str = "writing documents {wide_bar} {pos}/{len}, {eta} left";

/// Knows the vectors of the questions, so that embedding takes no time.
#[derive(Debug)]
struct Known {
    model: EmbeddingModel,
    vectors: HashMap<String, Vec<f32>>,
}

#[async_trait]
impl Embedder for Known {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        let vectors = texts.iter().map(|text| self.vectors.get(text).cloned());
        vectors.collect::<Option<_>>().ok_or_else(|| PortError::bare(ErrorKind::Invalid, "embed"))
    }
}

pub(super) async fn run(output: &Output) -> Result<Finding, Failure> {
    let directory = tempfile::tempdir()?;
    let model = EmbeddingModel { id: "bench".into(), dimensions: DIMENSIONS };
    let edge = Edge::open(directory.path(), IndexSettings::new(Some(model.clone()))?).await?;
    let tables = Tables::connect("embedded::memory:").await?;
    tables.ensure().await?;
    let mut source = Synthetic::new(SEED, DIMENSIONS);
    let caller = Caller::operator(corpus::tenant());
    write(&tables, &edge, &mut source, &caller, output).await?;

    let questions: Vec<(String, Vec<f32>)> =
        (0..QUESTIONS).map(|_| (source.words(WORDS_OF_A_QUESTION), source.vector())).collect();
    let search = Search {
        tables,
        passages: Arc::new(edge.clone()),
        embedder: Some(Arc::new(Known { model, vectors: questions.iter().cloned().collect() })),
        reranker: None,
        fusion: Fusion::default(),
        caches: Caches::new(None, CacheLimits::default(), Clock::system()),
    };
    let (mut alone, mut whole, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (text, vector)) in questions.into_iter().enumerate() {
        let query = corpus::query(&text, Some(vector));
        let request = request(&text)?;
        // Each question in both orders of who comes first, so that neither finds the other's caches warm.
        let index_first = number % 2 == 0;
        let (index, flow) = if index_first {
            let index = by_index(&edge, &query).await?;
            (index, by_flow(&search, &caller, &request).await?)
        } else {
            let flow = by_flow(&search, &caller, &request).await?;
            (by_index(&edge, &query).await?, flow)
        };
        if number >= WARM_UP {
            alone.push(index);
            whole.push(flow);
            added.push(flow - index);
        }
    }
    Ok(finding(&alone, &whole, &added))
}

fn finding(alone: &[f64], whole: &[f64], added: &[f64]) -> Finding {
    let row = |what: &str, millis: &[f64]| {
        let at = |share| decimal(percentile(millis, share), 2);
        vec![what.to_owned(), at(0.5), at(0.95)]
    };
    let median = |millis| percentile(millis, 0.5);
    let ratio = median(whole) / median(alone).max(f64::EPSILON);
    let mut rows =
        vec![row("index alone", alone), row("search", whole), row("search − index", added)];
    rows.push(vec!["search ÷ index".to_owned(), decimal(ratio, 2), String::new()]);
    let value = json!({
        "passages": PASSAGES, "questions": added.len(), "limit": LIMIT,
        "index_p50_ms": median(alone), "search_p50_ms": median(whole), "added_p50_ms": median(added),
        "added_p95_ms": percentile(added, 0.95), "ratio": ratio,
    });
    let columns =
        vec![("10 000 PASSAGES", Align::Left), ("p50 ms", Align::Right), ("p95 ms", Align::Right)];
    Finding { name: "overhead", value, columns, rows }
}

async fn by_index(edge: &Edge, query: &PassageQuery) -> Result<f64, Failure> {
    let started = Instant::now();
    edge.search(query).await?;
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}

async fn by_flow(
    search: &Search,
    caller: &Caller,
    request: &SearchRequest,
) -> Result<f64, Failure> {
    let started = Instant::now();
    let found = search.search(caller, request).await?;
    let millis = started.elapsed().as_secs_f64() * 1_000.0;
    if found.passages.len() < LIMIT {
        return Err(Failure::Failed("a synthetic question found too little".into()));
    }
    Ok(millis)
}

fn request(question: &str) -> Result<SearchRequest, Failure> {
    let question = question.parse();
    Ok(SearchRequest {
        collection: CollectionId::default_collection(),
        question: question.map_err(|_| Failure::Failed("a synthetic question is none".into()))?,
        filter: None,
        limit: Some(LIMIT),
        mmr: None,
        per_document: None,
        grouped: false,
        collapses: true,
        time_budget: LEASE,
        // What retrieval costs, not what it costs to look it up.
        cache: false,
        session_id: None,
    })
}

/// Writes documents with their records, as ingestion leaves them.
async fn write(
    tables: &Tables,
    edge: &Edge,
    source: &mut Synthetic,
    caller: &Caller,
    output: &Output,
) -> Result<(), Failure> {
    let (default, now) = (CollectionId::default_collection(), Clock::system().now());
    let collection = Collection::new(caller.tenant.clone(), default, "Default".into(), now);
    tables.collections().create_if_absent(&collection).await?;
    let documents = PASSAGES / PASSAGES_OF_A_DOCUMENT;
    let bar = output.progress(documents as u64, WRITING);
    for number in 0..documents {
        let id = register(tables, caller, number).await?;
        let mut points: Vec<Point> = Vec::with_capacity(PASSAGES_OF_A_DOCUMENT);
        for ordinal in 0..PASSAGES_OF_A_DOCUMENT {
            let text = source.words(WORDS_OF_A_PASSAGE);
            let mut point = corpus::point(0, "synthetic", text, Some(source.vector()));
            point.passage.document_id = id.clone();
            point.passage.ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
            points.push(point);
        }
        edge.upsert(points).await?;
        bar.inc(1);
    }
    edge.flush().await?;
    bar.finish_and_clear();
    Ok(())
}

/// Registers a document and makes its first version live.
async fn register(tables: &Tables, caller: &Caller, number: usize) -> Result<DocumentId, Failure> {
    let now = Clock::system().now();
    let registration = Registration {
        tenant: caller.tenant.clone(),
        collection: CollectionId::default_collection(),
        document_id: None,
        new_id: DocumentId::new(now, number as u128 + 1),
        by_content: false,
        name: format!("{number}.md"),
        media_type: "text/markdown".into(),
        size_bytes: 1,
        sha256: format!("{number:064x}"),
        acl: vec![EVERYBODY.to_owned()],
        metadata: Metadata::new(),
        uploaded_by: None,
    };
    let id = tables.documents().register(&registration, now).await?.document.id;
    let claim = tables.versions().claim(&caller.tenant, &id, 1, now, LEASE, 1).await?;
    let Claim::Won(claimed) = claim else {
        return Err(Failure::Failed("a synthetic document cannot be claimed".into()));
    };
    let chunks = u32::try_from(PASSAGES_OF_A_DOCUMENT).unwrap_or(u32::MAX);
    tables.versions().switch_live(&claimed.lease, chunks, now).await?;
    Ok(id)
}
