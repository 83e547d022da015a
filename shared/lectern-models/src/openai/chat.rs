//! A chat model behind an OpenAI-compatible API.

use std::time::SystemTime;

use async_trait::async_trait;
use futures::stream;
use lectern_core::{
    errors::PortError,
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream, Quota, Role},
};
use reqwest::{Response, header::CONTENT_TYPE};
use tokio::time::{Instant, timeout};

use super::{
    reply::{OPERATION, Reply, events_of_json},
    wire::{ChatBody, Message, StreamOptions},
};
use crate::http::{
    Endpoint, body,
    failures::{self, Failure},
};

/// One chat model of an endpoint.
#[derive(Clone, Debug)]
pub struct OpenAiChat {
    endpoint: Endpoint,
    model: String,
}

impl OpenAiChat {
    /// Returns the model that `endpoint` calls `model`.
    #[must_use]
    pub fn new(endpoint: Endpoint, model: impl Into<String>) -> Self {
        Self { endpoint: endpoint.for_one_model(), model: model.into() }
    }

    async fn start(
        &self,
        request: &ChatRequest,
        deadline: Instant,
    ) -> Result<ChatStream, PortError> {
        let messages = request.messages.iter().map(|message| Message {
            role: match message.role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            },
            content: &message.content,
        });
        let body = ChatBody {
            model: &self.model,
            messages: messages.collect(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        };
        let response = self.endpoint.post("chat/completions", &body, OPERATION).await?;
        let limits = self.endpoint.limits;
        let remaining = deadline.saturating_duration_since(Instant::now());
        if !response.status().is_success() {
            let (status, headers) = (response.status(), response.headers().clone());
            // A refusal whose body does not arrive is a refusal all the same.
            let wait = remaining.min(limits.stall);
            let body = body::whole(response, limits, wait, OPERATION).await.unwrap_or_default();
            return Err(failures::refused(OPERATION, status, &headers, &body, SystemTime::now()));
        }
        if is_json(&response) {
            let events =
                events_of_json(&body::whole(response, limits, remaining, OPERATION).await?)?;
            return Ok(Box::pin(stream::iter(events.into_iter().map(Ok))));
        }
        let mut reply = Reply::new(body::bounded(response, limits), deadline, limits);
        let first = reply.next().await.unwrap_or_else(|| Err(Failure::Cut.at(OPERATION)))?;
        Ok(match first {
            ChatEvent::Done { .. } | ChatEvent::Withheld { .. } => {
                Box::pin(stream::iter([Ok(first)]))
            }
            ChatEvent::Token(_) => reply.into_stream(first),
        })
    }
}

fn is_json(response: &Response) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| media_type.starts_with("application/json"))
}

#[async_trait]
impl ChatModel for OpenAiChat {
    fn model(&self) -> &str {
        &self.model
    }

    /// Returns once the first token is there, so that every failure before it is the outer error.
    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError> {
        let deadline = Instant::now() + request.timeout;
        let wait = self.endpoint.limits.first_event.min(request.timeout);
        timeout(wait, self.start(&request, deadline))
            .await
            .map_err(|_| failures::silent(OPERATION, wait))?
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.endpoint.ping(OPERATION).await
    }

    fn quota(&self) -> Option<Quota> {
        self.endpoint.quota()
    }
}
