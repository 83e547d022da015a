//! Qdrant's own engine in this process: one directory, no server, no network.
//!
//! The engine is synchronous, so every call runs on the blocking pool. It does no work of its own in
//! the background: the process that owns it calls [`Edge::maintain`].

mod convert;
mod engine;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    passage::{Candidates, Passage, PassageQuery, Point, PointId, Scope, ScrollPage, Visibility},
    ports::{PassageReader, PassageWriter},
};
use qdrant_edge::{
    CountRequest, OperationError, PointOperations, QueryBatchRequest, ScoredPoint, ScrollRequest,
    WithPayloadInterface, WithVector,
};

use self::engine::Engine;
pub use self::engine::{FLUSH_AFTER_POINTS, SCANNED_POINTS};
use crate::{
    batches::batches,
    conditions,
    rankings::rank,
    settings::{IndexSettings, MAX_PAGE, MAX_RANKING, check_ids},
};

/// The embedded index. Clones share one engine; the directory is free when the last is dropped.
///
/// BM25's IDF counts the documents of all tenants of the index, as a Qdrant collection does.
#[derive(Clone, Debug)]
pub struct Edge {
    engine: Arc<Engine>,
    settings: IndexSettings,
}

impl Edge {
    /// Opens or creates the index of `settings` under `directory`, and replays what the last process wrote
    /// but had not flushed.
    ///
    /// # Errors
    /// `Conflict` when another process (or another `Edge`) holds the directory; `Internal` when
    /// it cannot be read or written.
    pub async fn open(
        directory: impl Into<PathBuf>,
        settings: IndexSettings,
    ) -> Result<Self, PortError> {
        let directory = directory.into();
        let opened = settings.clone();
        let engine = blocking("edge open", move || Engine::open(&directory, &opened)).await?;
        Ok(Self { engine: Arc::new(engine), settings })
    }

    /// Flushes, then optimises where it pays (above [`SCANNED_POINTS`] unindexed points, or many deleted
    /// ones). Returns whether it optimised. Reads and writes go on meanwhile. Call it after a batch of
    /// ingestion and every few seconds.
    ///
    /// # Errors
    /// `Internal` when the disk refuses.
    pub async fn maintain(&self) -> Result<bool, PortError> {
        self.run("edge maintain", Engine::maintain).await
    }

    /// Brings everything written to the disk. Call it before the process ends.
    ///
    /// # Errors
    /// `Internal` when the disk refuses.
    pub async fn flush(&self) -> Result<(), PortError> {
        self.run("edge flush", Engine::flush).await
    }

    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Engine) -> Result<T, OperationError> + Send + 'static,
    ) -> Result<T, PortError> {
        let engine = Arc::clone(&self.engine);
        blocking(operation, move || {
            work(&engine).map_err(|error| convert::port_error(operation, error))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panic| PortError::new(ErrorKind::Internal, operation, panic))?
}

#[async_trait]
impl PassageReader for Edge {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        const OPERATION: &str = "edge search";
        self.settings.check(query.dense.as_ref(), OPERATION)?;
        let limit = query.limit.min(MAX_RANKING);
        let Some(conditions) = conditions::of_query(query, OPERATION)? else {
            return Ok(Candidates::default());
        };
        if limit == 0 {
            return Ok(Candidates::default());
        }
        let filter = convert::filter(&conditions);
        let dense = query.dense.clone();
        let dense = dense.map(|vector| convert::dense_query(vector, filter.clone(), limit));
        let sparse = (!query.sparse.is_empty())
            .then(|| convert::sparse_query(query.sparse.clone(), filter, limit));
        let asked = [dense.is_some(), sparse.is_some()];
        let requests: Vec<_> = dense.into_iter().chain(sparse).collect();
        if requests.is_empty() {
            return Ok(Candidates::default());
        }
        let found = self
            .run(OPERATION, move |engine| {
                engine.shard.query_batch(QueryBatchRequest::new(requests))
            })
            .await?;
        let mut rankings = found.into_iter();
        let mut next = |asked: bool| {
            let points = if asked { rankings.next().unwrap_or_default() } else { Vec::new() };
            ranking(points, limit, OPERATION)
        };
        Ok(Candidates { dense: next(asked[0])?, sparse: next(asked[1])? })
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        const OPERATION: &str = "edge get";
        check_ids(ids, OPERATION)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut request = ScrollRequest::new();
        request.limit = Some(ids.len());
        request.filter = Some(convert::filter(&conditions::of_ids(visibility, ids)));
        request.with_payload = Some(WithPayloadInterface::Bool(true));
        let (records, _) = self.run(OPERATION, move |engine| engine.shard.scroll(request)).await?;
        records.into_iter().map(|record| convert::passage(record, OPERATION)).collect()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        const OPERATION: &str = "edge count";
        let mut request = CountRequest::new();
        request.filter = Some(convert::filter(&conditions::of_scope(scope, OPERATION)?));
        let count = self.run(OPERATION, move |engine| engine.shard.count(request)).await?;
        Ok(count as u64)
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        const OPERATION: &str = "edge scroll";
        let limit = limit.clamp(1, MAX_PAGE);
        let mut request = ScrollRequest::new();
        request.offset = from.map(convert::point_id);
        // One more than asked: the first of the next page.
        request.limit = Some(limit + 1);
        request.filter = Some(convert::filter(&conditions::of_scope(scope, OPERATION)?));
        request.with_payload = Some(WithPayloadInterface::Bool(true));
        request.with_vector = WithVector::Bool(true);
        let (records, _) = self.run(OPERATION, move |engine| engine.shard.scroll(request)).await?;
        let mut points = records
            .into_iter()
            .map(|record| convert::restored(record, OPERATION))
            .collect::<Result<Vec<_>, _>>()?;
        let next = points.get(limit).map(|point| point.passage.point_id());
        points.truncate(limit);
        Ok(ScrollPage { points, next })
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.run("edge ping", |engine| engine.shard.info().map(|_| ())).await
    }
}

#[async_trait]
impl PassageWriter for Edge {
    async fn upsert(&self, points: Vec<Point>) -> Result<(), PortError> {
        const OPERATION: &str = "edge upsert";
        self.settings.check_points(&points, OPERATION)?;
        self.run(OPERATION, move |engine| {
            batches(points).into_iter().try_for_each(|batch| {
                engine.upsert(batch.into_iter().map(convert::point).collect())
            })
        })
        .await
    }

    async fn delete(&self, scope: &Scope) -> Result<(), PortError> {
        const OPERATION: &str = "edge delete";
        let filter = convert::filter(&conditions::of_scope(scope, OPERATION)?);
        let deletion = PointOperations::DeletePointsByFilter(filter);
        self.run(OPERATION, move |engine| engine.update(deletion, 1)).await
    }
}

fn ranking(
    points: Vec<ScoredPoint>,
    limit: usize,
    operation: &'static str,
) -> Result<Vec<lectern_core::passage::ScoredPassage>, PortError> {
    let scored = points.into_iter().map(|point| convert::scored(point, operation));
    Ok(rank(scored.collect::<Result<_, _>>()?, limit))
}
