//! Chunks become points: unchanged chunks keep their vectors, the rest is embedded in batches.

use std::{collections::HashMap, sync::Arc};

use lectern_core::{
    analysis::{self, Bm25},
    chunking::Chunk,
    document::{DocumentVersion, Progress},
    errors::{ErrorKind, PortError},
    passage::{Passage, Point, Scope, indexed_text},
    redaction::Survey,
    text::ParsedText,
};
use lectern_tables::versions::Claimed;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::{Ingest, IngestError};
use crate::spending::Meter;

/// Chunks embedded and written at once.
const BATCH: usize = 256;
/// Points read at once from the previous version.
const SCROLL: usize = 512;

/// Percent from which passages are counted for the log.
const SUSPICIOUS: u8 = 50;

type Vectors = HashMap<String, Vec<f32>>;

impl Ingest {
    /// Writes all points of a version and returns how many vectors were taken from earlier ones.
    pub(super) async fn index(
        &self,
        claimed: &Claimed,
        parsed: &Arc<ParsedText>,
        chunks: &[Chunk],
    ) -> Result<usize, IngestError> {
        let version = &claimed.version;
        let known = self.known_vectors(version).await?;
        let source = source(version, parsed).await?;
        let mut reused = 0;
        let (mut done, mut hostile) = (0, 0);
        for batch in chunks.chunks(BATCH) {
            let points = points(&source, batch).await?;
            let (points, kept) = self.embed(version, points, &known).await?;
            reused += kept;
            hostile += points.iter().filter(|point| point.passage.is_hostile(SUSPICIOUS)).count();
            self.writer.upsert(points).await?;
            done += batch.len();
            if chunks.len() > BATCH {
                self.report(claimed, done, chunks.len()).await?;
            }
        }
        if hostile > 0 {
            warn!(document.id = %version.document_id, version = version.version, hostile, chunks = chunks.len(), "passages of a document carry instructions to whoever answers from them");
        }
        Ok(reused)
    }

    /// Returns the vectors of the document's earlier versions by the hash of what was embedded.
    async fn known_vectors(&self, claimed: &DocumentVersion) -> Result<Vectors, PortError> {
        let mut known = Vectors::new();
        if claimed.version == 1 || self.embedder.is_none() {
            return Ok(known);
        }
        let scope = Scope::document(&claimed.tenant, &claimed.document_id);
        let mut from = None;
        loop {
            let page = self.reader.scroll(&scope, from, SCROLL).await?;
            for point in page.points {
                if let Some(dense) = point.dense {
                    known.insert(point.passage.text_sha256, dense);
                }
            }
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(known),
            }
        }
    }

    /// Gives points their vectors where there is an embedder, at the expense of whoever handed the version in; returns how
    /// many were known.
    async fn embed(
        &self,
        version: &DocumentVersion,
        mut points: Vec<Point>,
        known: &Vectors,
    ) -> Result<(Vec<Point>, usize), PortError> {
        let Some(embedder) = &self.embedder else { return Ok((points, 0)) };
        for point in &mut points {
            point.dense = known.get(&point.passage.text_sha256).cloned();
        }
        let missing: Vec<&mut Point> =
            points.iter_mut().filter(|point| point.dense.is_none()).collect();
        let texts: Vec<String> = missing.iter().map(|point| point.passage.indexed_text()).collect();
        let meter = Meter::default();
        let made = meter.embed(embedder.as_ref(), &texts).await;
        // By batch, whatever becomes of it: a worker that dies in a later one has spent this.
        self.spending.book(&version.tenant, version.uploaded_by.as_ref(), meter).await;
        let made = made?;
        if made.len() != texts.len() {
            return Err(PortError::bare(ErrorKind::Internal, "embed"));
        }
        for (point, vector) in missing.into_iter().zip(made) {
            point.dense = Some(vector);
        }
        let kept = points.len() - texts.len();
        Ok((points, kept))
    }

    /// Renews the lease and records progress; fails when the lease was lost.
    async fn report(&self, claimed: &Claimed, done: usize, total: usize) -> Result<(), PortError> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let progress = Progress { chunks_done: count(done), chunks_total: count(total) };
        let now = self.clock.now();
        self.tables.versions().renew(&claimed.lease, now, self.lease).await?;
        self.tables.versions().progress(&claimed.lease, &progress, now).await
    }
}

/// A version's text with what its passages have in common.
struct Source {
    version: DocumentVersion,
    parsed: Arc<ParsedText>,
    language: &'static str,
    /// Where the lines of the text end.
    newlines: Vec<usize>,
    /// Where it holds personal data.
    survey: Survey,
}

impl Source {
    fn of(version: DocumentVersion, parsed: Arc<ParsedText>) -> Self {
        let language = analysis::detect_language(&parsed.text);
        let newlines = parsed.text.match_indices('\n').map(|(at, _)| at).collect();
        let survey = Survey::of(&parsed);
        Self { version, parsed, language, newlines, survey }
    }

    /// Returns the line, from 1, that holds byte `offset`.
    fn line(&self, offset: usize) -> u32 {
        let before = self.newlines.partition_point(|newline| *newline < offset);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    fn passage(&self, chunk: &Chunk) -> Passage {
        let text = chunk.span.of(&self.parsed.text).unwrap_or_default().to_owned();
        let indexed = indexed_text(&chunk.heading, &text);
        let text_sha256 = hex::encode(Sha256::digest(&indexed));
        Passage {
            tenant: self.version.tenant.clone(),
            collection: self.version.collection.clone(),
            document_id: self.version.document_id.clone(),
            version: self.version.version,
            ordinal: chunk.ordinal,
            document_name: self.version.name.clone(),
            heading: chunk.heading.clone(),
            page: chunk.page,
            line: self.line(chunk.span.start),
            span: chunk.span,
            text,
            text_sha256,
            hostility: Some(Passage::hostility_of(&indexed)),
            personal: Some(self.survey.places(chunk)),
            language: self.language.to_owned(),
            acl: self.version.acl.clone(),
            metadata: self.version.metadata.clone(),
        }
    }

    fn point(&self, chunk: &Chunk) -> Point {
        let passage = self.passage(chunk);
        let sparse = Bm25::default().document_vector(&passage.indexed_text(), self.language);
        Point { passage, dense: None, sparse }
    }
}

/// Reads a text for what its passages have in common, off the executor.
async fn source(
    version: &DocumentVersion,
    parsed: &Arc<ParsedText>,
) -> Result<Arc<Source>, PortError> {
    let (version, parsed) = (version.clone(), Arc::clone(parsed));
    let read = tokio::task::spawn_blocking(move || Arc::new(Source::of(version, parsed)));
    read.await.map_err(|panic| PortError::new(ErrorKind::Internal, "survey a text", panic))
}

/// Returns the points of some chunks, without dense vectors; made off the executor.
async fn points(source: &Arc<Source>, chunks: &[Chunk]) -> Result<Vec<Point>, PortError> {
    let (source, chunks) = (Arc::clone(source), chunks.to_vec());
    let made = tokio::task::spawn_blocking(move || {
        chunks.iter().map(|chunk| source.point(chunk)).collect()
    });
    made.await.map_err(|panic| PortError::new(ErrorKind::Internal, "analyse chunks", panic))
}
