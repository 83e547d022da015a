//! Passages of live versions are read from the index, those of several small documents with one request.

use std::collections::HashMap;

use lectern_core::{
    document::{Document, DocumentVersion, Version},
    errors::PortError,
    ids::DocumentId,
    passage::{Point, Scope},
};

use super::{
    BackUp,
    digest::LineDigest,
    parts::Partition,
    records::{Kind, PassageLine},
};

/// Points read at once.
const POINTS_PER_PAGE: usize = 512;

/// A document and the record of its live version.
pub(super) type Live = (Document, DocumentVersion);

/// What of a version's passages is read already.
#[derive(Debug)]
pub(super) enum Passages {
    /// All.
    Read(Vec<Point>),
    /// None.
    Unread,
}

/// Returns runs of documents whose passages fit a page together, and those that need several alone.
pub(super) fn by_pages(documents: Vec<Live>) -> Vec<Vec<Live>> {
    let mut runs: Vec<Vec<Live>> = Vec::new();
    let mut expected = 0;
    for one in documents {
        let passages = one.1.chunk_count as usize;
        match runs.last_mut() {
            Some(run)
                if expected + passages <= POINTS_PER_PAGE && run.len() < Scope::MAX_DOCUMENTS =>
            {
                run.push(one);
                expected += passages;
            }
            _ => {
                runs.push(vec![one]);
                expected = passages;
            }
        }
    }
    runs
}

impl BackUp {
    /// Reads the passages of a run of documents, unless it is of one, whose passages may be many.
    pub(super) async fn read_passages(
        &self,
        run: &[Live],
    ) -> Result<HashMap<DocumentId, Vec<Point>>, PortError> {
        let mut found: HashMap<DocumentId, Vec<Point>> = HashMap::new();
        let [(first, _), _, ..] = run else { return Ok(found) };
        let live: HashMap<&DocumentId, Version> =
            run.iter().map(|(document, version)| (&document.id, version.version)).collect();
        let of_all = || live.values().copied();
        let (Some(oldest), Some(newest)) = (of_all().min(), of_all().max()) else {
            return Ok(found);
        };
        let ids = run.iter().map(|(document, _)| document.id.clone()).collect();
        let scope = Scope::documents(&first.tenant, ids).with_versions(oldest, newest);
        let mut from = None;
        loop {
            let page = self.reader.scroll(&scope, from, POINTS_PER_PAGE).await?;
            for point in page.points {
                let Point { passage, .. } = &point;
                // Others are left over, or were written since.
                if live.get(&passage.document_id) == Some(&passage.version) {
                    found.entry(passage.document_id.clone()).or_default().push(point);
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    /// Writes the passages of a version, those of a page in their order in the text; returns how many there are.
    pub(super) async fn copy_passages(
        &self,
        partition: &mut Partition,
        document: &Document,
        version: Version,
        passages: Passages,
        digest: &mut LineDigest,
    ) -> Result<u64, PortError> {
        if let Passages::Read(points) = passages {
            return write(partition, points, digest).await;
        }
        let scope = Scope::document(&document.tenant, &document.id).with_versions(version, version);
        let (mut from, mut read) = (None, 0);
        loop {
            let page = self.reader.scroll(&scope, from, POINTS_PER_PAGE).await?;
            read += write(partition, page.points, digest).await?;
            from = page.next;
            if from.is_none() {
                return Ok(read);
            }
        }
    }
}

async fn write(
    partition: &mut Partition,
    mut points: Vec<Point>,
    digest: &mut LineDigest,
) -> Result<u64, PortError> {
    // Ids differ between incarnations: in their order a restored document would make other parts.
    points.sort_by_key(|point| point.passage.ordinal);
    let lines: Vec<_> = points.into_iter().map(PassageLine::from).collect();
    let written = lines.len() as u64;
    *digest += partition.push_all(Kind::Passage, lines).await?;
    Ok(written)
}
