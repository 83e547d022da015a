//! The index, each call noted; see [`crate::call`].

use std::ops::Deref;

use async_trait::async_trait;
use lectern_core::{
    errors::PortError,
    passage::{Candidates, Passage, PassageQuery, Point, PointId, Scope, ScrollPage, Visibility},
    ports::{PassageReader, PassageWriter},
};

use crate::call::{Dependency::Index, call};

/// A port whose calls are noted. It is what it holds, otherwise.
#[derive(Clone, Debug)]
pub struct Observed<T>(pub T);

impl<T> Deref for Observed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: PassageReader> PassageReader for Observed<T> {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        call(Index, "search", self.0.search(query)).await
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        call(Index, "get", self.0.get(visibility, ids)).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        call(Index, "count", self.0.count(scope)).await
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        call(Index, "scroll", self.0.scroll(scope, from, limit)).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        call(Index, "ping", self.0.ping()).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: PassageWriter> PassageWriter for Observed<T> {
    async fn upsert(&self, points: Vec<Point>) -> Result<(), PortError> {
        call(Index, "upsert", self.0.upsert(points)).await
    }

    async fn delete(&self, scope: &Scope) -> Result<(), PortError> {
        call(Index, "delete", self.0.delete(scope)).await
    }
}
