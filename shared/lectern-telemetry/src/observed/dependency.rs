//! The index, each call noted; see [`crate::circuit`].

use std::ops::Deref;

use async_trait::async_trait;
use lectern_core::{
    errors::PortError,
    passage::{Candidates, Passage, PassageQuery, Point, PointId, Scope, ScrollPage, Visibility},
    ports::{PassageReader, PassageWriter},
};

use crate::{call::Dependency, circuit::Circuit};

/// A port whose calls are noted, and not made while they cannot succeed. It is what it holds, otherwise.
#[derive(Clone, Debug)]
pub struct Observed<T> {
    port: T,
    circuit: Circuit,
}

impl<T> Observed<T> {
    /// Returns a port of the index.
    #[must_use]
    pub fn new(port: T) -> Self {
        Self { port, circuit: Circuit::to(Dependency::Index) }
    }
}

impl<T> Deref for Observed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.port
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: PassageReader> PassageReader for Observed<T> {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        self.circuit.call("search", self.port.search(query)).await
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        self.circuit.call("get", self.port.get(visibility, ids)).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        self.circuit.call("count", self.port.count(scope)).await
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        self.circuit.call("scroll", self.port.scroll(scope, from, limit)).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.circuit.probe(self.port.ping()).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: PassageWriter> PassageWriter for Observed<T> {
    async fn upsert(&self, points: Vec<Point>) -> Result<(), PortError> {
        self.circuit.call("upsert", self.port.upsert(points)).await
    }

    async fn delete(&self, scope: &Scope) -> Result<(), PortError> {
        self.circuit.call("delete", self.port.delete(scope)).await
    }
}
