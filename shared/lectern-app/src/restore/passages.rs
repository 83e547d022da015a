//! Passages are written as the backup has them, with vectors of the model that is in use here.

use std::time::Instant;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::TenantId,
    passage::Point,
};

use super::{
    Restore, RestoreError,
    write::{Live, Source},
};
use crate::back_up::{
    manifest::VectorsOf,
    records::{Kind, PassageLine},
};

/// Points written at once.
const POINTS_PER_WRITE: usize = 512;
/// Texts embedded at once.
const TEXTS_PER_CALL: usize = 64;

impl Restore {
    /// Writes the passages of live versions; returns how many, and how many got vectors of another model than the backup's.
    pub(super) async fn write_passages(
        &self,
        source: &Source<'_>,
        target: &TenantId,
        live: &Live,
        until: Instant,
    ) -> Result<(u64, u64), RestoreError> {
        let (mut written, mut embedded) = (0, 0);
        for part in source.parts(Kind::Passage) {
            if Instant::now() >= until {
                return Err(RestoreError::OutOfTime);
            }
            let lines: Vec<PassageLine> = source.lines(part).await?;
            let is_live = |line: &PassageLine| {
                live.get(&line.passage.document_id) == Some(&line.passage.version)
            };
            let points = lines.into_iter().filter(is_live).map(|line| point(line, target));
            let mut points: Vec<Point> = points.collect();
            if !self.has_same_model(source.manifest.embedding_model.as_ref()) {
                embedded += self.embed(&mut points).await?;
            }
            written += points.len() as u64;
            while !points.is_empty() {
                let rest = points.split_off(points.len().min(POINTS_PER_WRITE));
                self.writer.upsert(std::mem::replace(&mut points, rest)).await?;
            }
        }
        Ok((written, embedded))
    }

    /// Whether vectors of the backup's model are those of the model in use here.
    pub(super) fn has_same_model(&self, of_backup: Option<&VectorsOf>) -> bool {
        let here = self.back_up.model.as_ref().map(VectorsOf::from);
        here.as_ref() == of_backup
    }

    /// Gives points the vectors of the model in use here; returns how many.
    async fn embed(&self, points: &mut [Point]) -> Result<u64, PortError> {
        let Some(embedder) = &self.embedder else {
            points.iter_mut().for_each(|point| point.dense = None);
            return Ok(0);
        };
        for batch in points.chunks_mut(TEXTS_PER_CALL) {
            let texts: Vec<String> =
                batch.iter().map(|point| point.passage.indexed_text()).collect();
            let vectors = embedder.embed(&texts).await?;
            if vectors.len() != batch.len() {
                let reason = "the embedder returned another number of vectors";
                return Err(PortError::new(ErrorKind::Internal, "embed passages", reason));
            }
            for (point, vector) in batch.iter_mut().zip(vectors) {
                point.dense = Some(vector);
            }
        }
        Ok(points.len() as u64)
    }
}

pub(super) fn point(line: PassageLine, target: &TenantId) -> Point {
    let PassageLine { mut passage, dense, sparse, .. } = line;
    passage.tenant = target.clone();
    Point { passage, dense, sparse }
}
