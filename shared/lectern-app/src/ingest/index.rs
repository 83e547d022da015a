//! Chunks become points: unchanged chunks keep their vectors, the rest is embedded in batches.

use std::collections::HashMap;

use lectern_core::{
    analysis::{self, Bm25},
    chunking::Chunk,
    document::{DocumentVersion, Progress},
    errors::{ErrorKind, PortError},
    passage::{Passage, Point, Scope, indexed_text},
    text::ParsedText,
};
use lectern_tables::versions::Claimed;
use sha2::{Digest as _, Sha256};

use super::{Ingest, IngestError, LEASE};

/// Chunks embedded and written at once.
const BATCH: usize = 256;
/// Points read at once from the previous version.
const SCROLL: usize = 512;

type Vectors = HashMap<String, Vec<f32>>;

impl Ingest {
    /// Writes all points of a version and returns how many vectors were taken from earlier ones.
    pub(super) async fn index(
        &self,
        claimed: &Claimed,
        parsed: &ParsedText,
        chunks: &[Chunk],
    ) -> Result<usize, IngestError> {
        let version = &claimed.version;
        let known = self.known_vectors(version).await?;
        let language = analysis::detect_language(&parsed.text);
        let bm25 = Bm25::default();
        let mut reused = 0;
        let mut done = 0;
        for batch in chunks.chunks(BATCH) {
            let passages: Vec<Passage> =
                batch.iter().map(|chunk| passage(version, parsed, chunk, language)).collect();
            let (vectors, kept) = self.vectors(&passages, &known).await?;
            reused += kept;
            let points = passages.into_iter().zip(vectors).map(|(passage, dense)| {
                let sparse = bm25.document_vector(&passage.indexed_text(), language);
                Point { passage, dense, sparse }
            });
            self.writer.upsert(points.collect()).await?;
            done += batch.len();
            if chunks.len() > BATCH {
                self.report(claimed, done, chunks.len()).await?;
            }
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

    /// Returns a vector per passage where there is an embedder, and how many were known.
    async fn vectors(
        &self,
        passages: &[Passage],
        known: &Vectors,
    ) -> Result<(Vec<Option<Vec<f32>>>, usize), PortError> {
        let Some(embedder) = &self.embedder else { return Ok((vec![None; passages.len()], 0)) };
        let mut vectors: Vec<Option<Vec<f32>>> =
            passages.iter().map(|passage| known.get(&passage.text_sha256).cloned()).collect();
        let missing: Vec<usize> =
            (0..passages.len()).filter(|position| vectors[*position].is_none()).collect();
        let texts: Vec<String> =
            missing.iter().map(|position| passages[*position].indexed_text()).collect();
        let made = embedder.embed(&texts).await?;
        if made.len() != texts.len() {
            return Err(PortError::bare(ErrorKind::Internal, "embed"));
        }
        for (position, vector) in missing.iter().zip(made) {
            vectors[*position] = Some(vector);
        }
        Ok((vectors, passages.len() - missing.len()))
    }

    /// Renews the lease and records progress; fails when the lease was lost.
    async fn report(&self, claimed: &Claimed, done: usize, total: usize) -> Result<(), PortError> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let progress = Progress { chunks_done: count(done), chunks_total: count(total) };
        let now = self.clock.now();
        self.tables.versions().renew(&claimed.lease, now, LEASE).await?;
        self.tables.versions().progress(&claimed.lease, &progress, now).await
    }
}

fn passage(
    claimed: &DocumentVersion,
    parsed: &ParsedText,
    chunk: &Chunk,
    language: &str,
) -> Passage {
    let text = chunk.span.of(&parsed.text).unwrap_or_default().to_owned();
    let text_sha256 = hex::encode(Sha256::digest(indexed_text(&chunk.heading, &text)));
    Passage {
        tenant: claimed.tenant.clone(),
        collection: claimed.collection.clone(),
        document_id: claimed.document_id.clone(),
        version: claimed.version,
        ordinal: chunk.ordinal,
        document_name: claimed.name.clone(),
        heading: chunk.heading.clone(),
        page: chunk.page,
        line: u32::try_from(parsed.line_of(chunk.span.start)).unwrap_or(u32::MAX),
        span: chunk.span,
        text,
        text_sha256,
        language: language.to_owned(),
        acl: claimed.acl.clone(),
        metadata: claimed.metadata.clone(),
    }
}
