//! Chat models.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use lectern_core::{
    errors::PortError,
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream},
};
use tracing::Instrument as _;

use super::model::{Named, Seen};
use crate::{call::Dependency, circuit::Circuit, labels};

/// A chat model whose calls are noted, to the last event of a reply, and not made while they cannot succeed.
#[derive(Clone, Debug)]
pub struct ObservedChat {
    inner: Arc<dyn ChatModel>,
    named: Named,
    circuit: Circuit,
}

impl ObservedChat {
    /// Returns `inner`; `provider` as the GenAI conventions name it, `openai` or `aws.bedrock`.
    #[must_use]
    pub fn new(inner: Arc<dyn ChatModel>, provider: &'static str) -> Self {
        let model = labels::word(inner.model());
        let named = Named { operation: "chat", provider, model };
        Self { inner, named, circuit: Circuit::to(Dependency::Chat) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChatModel for ObservedChat {
    fn model(&self) -> &str {
        self.inner.model()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError> {
        let mut seen = Seen::new(self.named);
        seen.admit(&self.circuit)?;
        let begun = self.inner.stream(request).instrument(seen.span.clone()).await;
        let mut reply = match begun {
            Ok(reply) => reply,
            Err(error) => {
                let refused = Err(error);
                seen.ended(&refused);
                return refused;
            }
        };
        let span = seen.span.clone();
        Ok(Box::pin(futures::stream::poll_fn(move |context| {
            let _entered = span.enter();
            let polled = reply.poll_next_unpin(context);
            if let std::task::Poll::Ready(Some(event)) = &polled {
                note(&mut seen, event);
            }
            polled
        })))
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.circuit.probe(self.inner.ping()).await
    }
}

fn note(seen: &mut Seen, event: &Result<ChatEvent, PortError>) {
    match event {
        Ok(ChatEvent::Token(_)) => seen.begun(),
        Ok(ChatEvent::Done { usage, .. } | ChatEvent::Withheld { usage }) => {
            if let Some(tokens) = usage {
                seen.used(*tokens);
            }
            seen.ended(event);
        }
        Err(_) => seen.ended(event),
    }
}
