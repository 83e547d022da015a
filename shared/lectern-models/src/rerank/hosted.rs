//! Cohere's, Jina's and Voyage's rerankers: one shape, in which the vendors name two fields differently.

use std::time::Duration;

use async_trait::async_trait;
use lectern_core::{errors::PortError, ports::Reranker};
use serde::{Deserialize, Serialize};

use super::{
    Vendor,
    scores::{cut, in_order, read, sendable, within},
};
use crate::http::Endpoint;

/// One reranking model of a vendor.
#[derive(Clone, Debug)]
pub struct HostedReranker {
    endpoint: Endpoint,
    vendor: Vendor,
    /// The vendor's name of the model.
    name: String,
    /// Vendor and name.
    model: String,
}

#[derive(Serialize)]
struct Request<'call> {
    model: &'call str,
    query: &'call str,
    documents: &'call [&'call str],
    /// Cohere and Jina. Said although all is the default, for gateways whose default is less.
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<usize>,
    /// Voyage.
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<usize>,
    /// Jina and Voyage; Cohere's v2 never returns them.
    #[serde(skip_serializing_if = "Option::is_none")]
    return_documents: Option<bool>,
    /// Voyage; the others truncate without being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncation: Option<bool>,
}

#[derive(Deserialize)]
struct Reply {
    /// `data` is Voyage's name.
    #[serde(alias = "data")]
    results: Vec<Scored>,
}

#[derive(Deserialize)]
struct Scored {
    index: usize,
    relevance_score: f32,
}

impl HostedReranker {
    /// Returns the model that `vendor` calls `name`. `endpoint` is the part before `/rerank`.
    #[must_use]
    pub fn new(endpoint: Endpoint, vendor: Vendor, name: &str) -> Self {
        Self { endpoint, vendor, name: name.to_owned(), model: format!("{vendor}:{name}") }
    }

    fn request<'call>(&'call self, query: &'call str, documents: &'call [&str]) -> Request<'call> {
        let (model, all) = (self.name.as_str(), Some(documents.len()));
        let request = Request {
            model,
            query,
            documents,
            top_n: None,
            top_k: None,
            return_documents: None,
            truncation: None,
        };
        match self.vendor {
            Vendor::Cohere => Request { top_n: all, ..request },
            Vendor::Jina => Request { top_n: all, return_documents: Some(false), ..request },
            Vendor::Voyage => Request {
                top_k: all,
                return_documents: Some(false),
                truncation: Some(true),
                ..request
            },
        }
    }
}

#[async_trait]
impl Reranker for HostedReranker {
    fn model(&self) -> &str {
        &self.model
    }

    async fn rerank(
        &self,
        question: &str,
        passages: &[String],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        let operation = self.vendor.operation();
        let documents = sendable(passages, operation)?;
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let request = self.request(cut(question), &documents);
        let exchange = self.endpoint.exchange("rerank", &request, timeout, operation);
        let reply: Reply = read(&within(timeout, operation, exchange).await?, operation)?;
        let scored = reply.results.into_iter().map(|scored| (scored.index, scored.relevance_score));
        in_order(scored, documents.len(), operation)
    }
}
