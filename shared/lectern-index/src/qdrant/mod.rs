//! A Qdrant server over gRPC.

mod connection;
mod convert;
mod errors;
mod schema;

use std::{fmt, future::Future, time::Duration};

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    passage::{
        Candidates, Passage, PassageQuery, Point, PointId, Scope, ScoredPassage, ScrollPage,
        Visibility,
    },
    ports::{PassageReader, PassageWriter},
    secret::LiveSecret,
};
use qdrant_client::{
    QdrantError,
    qdrant::{
        BatchResult, CountPoints, DeletePoints, PointsOperationResponse, PointsSelector,
        QueryBatchPoints, ScrollPoints, UpdateResult, UpdateStatus, UpsertPoints,
        points_selector::PointsSelectorOneOf, with_payload_selector, with_vectors_selector,
    },
};
use tokio::sync::OnceCell;

pub use self::connection::Timeouts;
use self::connection::{Client, Connection};

use crate::{
    batches::batches,
    conditions,
    rankings::rank,
    settings::{IndexSettings, MAX_PAGE, MAX_RANKING, check_ids},
};

/// The index on a Qdrant server: one collection per embedding model, addressed by its alias.
///
/// BM25's IDF counts the documents of all tenants of the collection.
pub struct Qdrant {
    server: Connection,
    settings: IndexSettings,
    alias: String,
    ensured: OnceCell<()>,
}

impl fmt::Debug for Qdrant {
    // The client's own form shows the API key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Qdrant").field("alias", &self.alias).finish_non_exhaustive()
    }
}

impl Qdrant {
    /// Returns an index on the server at `url` (`http://` or `https://`, gRPC port). Nothing is sent
    /// before the first call. TLS needs a rustls provider installed by the process.
    ///
    /// # Errors
    /// `Invalid` when the address is none.
    pub fn connect(
        url: &str,
        api_key: Option<LiveSecret>,
        settings: IndexSettings,
        timeouts: Timeouts,
    ) -> Result<Self, PortError> {
        let alias = settings.name();
        let server = Connection::new(url, api_key, timeouts)?;
        Ok(Self { server, settings, alias, ensured: OnceCell::new() })
    }

    /// Creates collection, field indexes and alias where they are missing. Two processes may do so at
    /// once. Writers call it by themselves, and readers that find nothing; a process calls it at start, which warms the
    /// connection too.
    ///
    /// # Errors
    /// `Conflict` when the alias names a collection for other vectors; else what the server says.
    pub async fn ensure(&self) -> Result<(), PortError> {
        self.ensured.get_or_try_init(|| self.create_missing()).await.map(|_| ())
    }

    async fn create_missing(&self) -> Result<(), PortError> {
        const OPERATION: &str = "qdrant ensure";
        match self.check_collection(OPERATION).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            checked => return checked,
        }
        let collection = schema::collection(&self.settings);
        let created = self
            .server
            .write(OPERATION, |client| {
                let collection = collection.clone();
                async move { client.create_collection(collection).await }
            })
            .await;
        if let Err(error) = created {
            // Somebody else may have been faster; servers differ in the status they give for it.
            let name = schema::collection_name(&self.settings);
            let exists = self
                .server
                .write(OPERATION, |client| {
                    let name = name.clone();
                    async move { client.collection_exists(name).await }
                })
                .await?;
            if !exists {
                return Err(error);
            }
        }
        for index in schema::field_indexes(&self.settings) {
            self.server
                .write(OPERATION, |client| {
                    let index = index.clone();
                    async move { client.create_field_index(index).await }
                })
                .await?;
        }
        // The alias comes last: where it exists, everything does.
        let alias = schema::alias(&self.settings);
        self.server
            .write(OPERATION, |client| {
                let alias = alias.clone();
                async move { client.create_alias(alias).await }
            })
            .await?;
        self.check_collection(OPERATION).await
    }

    /// Reads. Where nothing was ever written (the start of this process came before the collection, or could not reach
    /// the server), there is nothing to find, which is no failure. A collection that was there and is gone is one.
    async fn read<T, F>(
        &self,
        operation: &'static str,
        call: impl Fn(Client) -> F,
    ) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, QdrantError>>,
    {
        match self.server.read(operation, &call).await {
            Err(error) if error.kind == ErrorKind::NotFound && !self.ensured.initialized() => {
                self.ensure().await?;
                self.server.read(operation, call).await
            }
            other => other,
        }
    }

    async fn check_collection(&self, operation: &'static str) -> Result<(), PortError> {
        let call = |client: Client| {
            let alias = self.alias.clone();
            async move { client.collection_info(alias).await }
        };
        let info = self.server.read(operation, call).await?.result.unwrap_or_default();
        if schema::dimensions(&info) == self.settings.dimensions() {
            return Ok(());
        }
        let reason = "the collection was created for vectors of another length";
        Err(PortError::new(ErrorKind::Conflict, operation, reason))
    }
}

/// The server stops work nobody waits for; it counts whole seconds.
fn server_side(limit: Duration) -> Option<u64> {
    Some(limit.as_secs().max(1))
}

#[async_trait]
impl PassageReader for Qdrant {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        const OPERATION: &str = "qdrant search";
        self.settings.check(query.dense.as_ref(), OPERATION)?;
        let limit = query.limit.min(MAX_RANKING);
        let Some(conditions) = conditions::of_query(query, OPERATION)? else {
            return Ok(Candidates::default());
        };
        let filter = convert::filter(&conditions);
        let dense = query
            .dense
            .clone()
            .map(|vector| convert::dense_query(&self.alias, vector, filter.clone(), limit));
        let sparse = (!query.sparse.is_empty())
            .then(|| convert::sparse_query(&self.alias, query.sparse.clone(), filter, limit));
        let asked = [dense.is_some(), sparse.is_some()];
        let query_points: Vec<_> = dense.into_iter().chain(sparse).collect();
        if query_points.is_empty() || limit == 0 {
            return Ok(Candidates::default());
        }
        let batch = QueryBatchPoints {
            collection_name: self.alias.clone(),
            query_points,
            timeout: server_side(self.server.timeouts.read),
            ..QueryBatchPoints::default()
        };
        let found = self
            .read(OPERATION, |client| {
                let batch = batch.clone();
                async move { client.query_batch(batch).await }
            })
            .await?
            .result;
        if found.len() != asked.into_iter().filter(|asked| *asked).count() {
            let reason = "the server answered another number of queries";
            return Err(PortError::new(ErrorKind::Internal, OPERATION, reason));
        }
        let mut rankings = found.into_iter();
        let mut next = |asked: bool| {
            let batch =
                if asked { rankings.next().unwrap_or_default() } else { BatchResult::default() };
            ranking(batch, limit, OPERATION)
        };
        Ok(Candidates { dense: next(asked[0])?, sparse: next(asked[1])? })
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        const OPERATION: &str = "qdrant get";
        check_ids(ids, OPERATION)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // A scroll and not a look-up by id: the server holds it to what the caller may see.
        let request = ScrollPoints {
            collection_name: self.alias.clone(),
            filter: Some(convert::filter(&conditions::of_ids(visibility, ids))),
            limit: Some(u32::try_from(ids.len()).expect("at most MAX_PAGE")),
            with_payload: Some(with_payload_selector::SelectorOptions::Enable(true).into()),
            timeout: server_side(self.server.timeouts.read),
            ..ScrollPoints::default()
        };
        let found = self
            .read(OPERATION, |client| {
                let request = request.clone();
                async move { client.scroll(request).await }
            })
            .await?
            .result;
        found.into_iter().map(|point| convert::passage(point.payload, OPERATION)).collect()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        const OPERATION: &str = "qdrant count";
        let request = CountPoints {
            collection_name: self.alias.clone(),
            filter: Some(convert::filter(&conditions::of_scope(scope, OPERATION)?)),
            exact: Some(true),
            timeout: server_side(self.server.timeouts.read),
            ..CountPoints::default()
        };
        let reply = self
            .read(OPERATION, |client| {
                let request = request.clone();
                async move { client.count(request).await }
            })
            .await?;
        let missing = || PortError::new(ErrorKind::Internal, OPERATION, "the reply has no count");
        reply.result.map(|counted| counted.count).ok_or_else(missing)
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        const OPERATION: &str = "qdrant scroll";
        let limit = limit.clamp(1, MAX_PAGE);
        let request = ScrollPoints {
            collection_name: self.alias.clone(),
            filter: Some(convert::filter(&conditions::of_scope(scope, OPERATION)?)),
            offset: from.map(convert::point_id),
            // One more than asked: the first of the next page.
            limit: Some(u32::try_from(limit + 1).expect("at most one more than MAX_PAGE")),
            with_payload: Some(with_payload_selector::SelectorOptions::Enable(true).into()),
            with_vectors: Some(with_vectors_selector::SelectorOptions::Enable(true).into()),
            timeout: server_side(self.server.timeouts.read),
            ..ScrollPoints::default()
        };
        let reply = self
            .read(OPERATION, |client| {
                let request = request.clone();
                async move { client.scroll(request).await }
            })
            .await?;
        let mut points = reply
            .result
            .into_iter()
            .map(|retrieved| convert::restored(retrieved, OPERATION))
            .collect::<Result<Vec<_>, _>>()?;
        let next = points.get(limit).map(|point| point.passage.point_id());
        points.truncate(limit);
        Ok(ScrollPage { points, next })
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.check_collection("qdrant ping").await
    }
}

#[async_trait]
impl PassageWriter for Qdrant {
    async fn upsert(&self, points: Vec<Point>) -> Result<(), PortError> {
        const OPERATION: &str = "qdrant upsert";
        self.settings.check_points(&points, OPERATION)?;
        self.ensure().await?;
        for batch in batches(points) {
            let request = UpsertPoints {
                collection_name: self.alias.clone(),
                wait: Some(true),
                points: batch.into_iter().map(convert::point).collect(),
                timeout: server_side(self.server.timeouts.write),
                ..UpsertPoints::default()
            };
            let reply = self
                .server
                .write(OPERATION, |client| {
                    let request = request.clone();
                    async move { client.upsert_points(request).await }
                })
                .await?;
            completed(&reply, OPERATION)?;
        }
        Ok(())
    }

    async fn delete(&self, scope: &Scope) -> Result<(), PortError> {
        const OPERATION: &str = "qdrant delete";
        self.ensure().await?;
        let filter = convert::filter(&conditions::of_scope(scope, OPERATION)?);
        let request = DeletePoints {
            collection_name: self.alias.clone(),
            wait: Some(true),
            points: Some(PointsSelector {
                points_selector_one_of: Some(PointsSelectorOneOf::Filter(filter)),
            }),
            timeout: server_side(self.server.timeouts.write),
            ..DeletePoints::default()
        };
        let reply = self
            .server
            .write(OPERATION, |client| {
                let request = request.clone();
                async move { client.delete_points(request).await }
            })
            .await?;
        completed(&reply, OPERATION)
    }
}

/// `wait` is a wish: a server that gives up waiting says so in an otherwise good reply.
fn completed(reply: &PointsOperationResponse, operation: &'static str) -> Result<(), PortError> {
    let status = reply.result.as_ref().map(UpdateResult::status);
    match status {
        Some(UpdateStatus::Completed) => Ok(()),
        _ => Err(PortError::new(
            ErrorKind::Timeout,
            operation,
            "the server did not wait for the write",
        )),
    }
}

fn ranking(
    batch: BatchResult,
    limit: usize,
    operation: &'static str,
) -> Result<Vec<ScoredPassage>, PortError> {
    let scored = batch.result.into_iter().map(|point| convert::scored(point, operation));
    Ok(rank(scored.collect::<Result<_, _>>()?, limit))
}
