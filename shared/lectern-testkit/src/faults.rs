//! A decorator that makes any port fail on purpose, and counts what reaches it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    passage::{Candidates, Passage, PassageQuery, Point, PointId, Scope, ScrollPage, Visibility},
    ports::{PassageReader, PassageWriter, Reranker},
};

/// A port whose calls fail when the test says so; a failed call does not reach the port inside.
#[derive(Debug)]
pub struct Faulty<P: ?Sized> {
    inner: Arc<P>,
    calls: AtomicUsize,
    // A lock, not atomics: tests set it, calls look at it for an instant.
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    all: Option<ErrorKind>,
    nth: HashMap<usize, ErrorKind>,
}

impl<P: ?Sized> Faulty<P> {
    /// Returns a port that passes every call to `inner` until told otherwise.
    pub fn new(inner: Arc<P>) -> Self {
        Self { inner, calls: AtomicUsize::new(0), plan: Mutex::default() }
    }

    /// Makes call number `call`, counted from 1 since the beginning, fail with `kind`.
    pub fn fail_call(&self, call: usize, kind: ErrorKind) {
        self.plan.lock().expect("no test panics inside").nth.insert(call, kind);
    }

    /// Makes every call from now on fail with `kind`.
    pub fn fail_all(&self, kind: ErrorKind) {
        self.plan.lock().expect("no test panics inside").all = Some(kind);
    }

    /// Lets every call from now on through.
    pub fn heal(&self) {
        *self.plan.lock().expect("no test panics inside") = Plan::default();
    }

    /// Returns how many calls were made, failed ones included.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Counts a call and returns the port inside, for implementations of further ports.
    ///
    /// # Errors
    /// What the plan holds for this call.
    pub fn enter(&self, operation: &'static str) -> Result<&P, PortError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let plan = self.plan.lock().expect("no test panics inside");
        match plan.nth.get(&call).or(plan.all.as_ref()) {
            Some(kind) => Err(PortError::bare(*kind, operation)),
            None => Ok(&self.inner),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: PassageReader + ?Sized> PassageReader for Faulty<P> {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        self.enter("faulty search")?.search(query).await
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        self.enter("faulty get")?.get(visibility, ids).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        self.enter("faulty count")?.count(scope).await
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        self.enter("faulty scroll")?.scroll(scope, from, limit).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.enter("faulty ping")?.ping().await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: PassageWriter + ?Sized> PassageWriter for Faulty<P> {
    async fn upsert(&self, points: Vec<Point>) -> Result<(), PortError> {
        self.enter("faulty upsert")?.upsert(points).await
    }

    async fn delete(&self, scope: &Scope) -> Result<(), PortError> {
        self.enter("faulty delete")?.delete(scope).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Reranker + ?Sized> Reranker for Faulty<P> {
    fn model(&self) -> &str {
        self.inner.model()
    }

    async fn rerank(
        &self,
        question: &str,
        passages: &[String],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        self.enter("faulty rerank")?.rerank(question, passages, timeout).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fails_as_planned_and_counts() {
        let port = Faulty::new(Arc::new("port"));
        port.fail_call(2, ErrorKind::Timeout);
        assert!(port.enter("test").is_ok());
        assert_eq!(port.enter("test").unwrap_err().kind, ErrorKind::Timeout);
        port.fail_all(ErrorKind::Unavailable);
        assert_eq!(port.enter("test").unwrap_err().kind, ErrorKind::Unavailable);
        port.heal();
        assert!(port.enter("test").is_ok());
        assert_eq!(port.calls(), 4);
    }
}
