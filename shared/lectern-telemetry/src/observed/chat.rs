//! Chat models.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use lectern_core::{
    errors::PortError,
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream, Quota},
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
        self.circuit.check("ping")?;
        self.inner.ping().await
    }

    fn quota(&self) -> Option<Quota> {
        self.inner.quota()
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::stream;
    use lectern_core::{breaker::FAILURES, errors::ErrorKind};

    use super::*;
    use crate::circuit::tests::stopped;

    /// A model that says a word, if that, and nothing more.
    #[derive(Debug)]
    struct Quiet {
        says: bool,
    }

    #[async_trait]
    impl ChatModel for Quiet {
        fn model(&self) -> &str {
            "quiet"
        }

        async fn stream(&self, _: ChatRequest) -> Result<ChatStream, PortError> {
            let word = self.says.then(|| Ok(ChatEvent::Token("Well".into())));
            Ok(Box::pin(stream::iter(word).chain(stream::pending())))
        }
    }

    fn observed(says: bool) -> ObservedChat {
        let model = ObservedChat::new(Arc::new(Quiet { says }), "openai");
        ObservedChat { circuit: stopped(Dependency::Chat), ..model }
    }

    /// Asks as often as opens a breaker, waits for three seconds each time, leaves, and asks once more.
    async fn left_again_and_again(says: bool) -> Result<(), ErrorKind> {
        let model = observed(says);
        let request = || ChatRequest {
            messages: Vec::new(),
            max_tokens: 1,
            temperature: 0.0,
            timeout: Duration::from_secs(60),
        };
        for _ in 0..FAILURES {
            let mut reply = model.stream(request()).await.map_err(|error| error.kind)?;
            let all = async { while reply.next().await.is_some() {} };
            assert!(tokio::time::timeout(Duration::from_secs(3), all).await.is_err());
        }
        model.stream(request()).await.map(|_| ()).map_err(|error| error.kind)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_leaves_an_answer_leaves_a_model_that_works() {
        assert_eq!(left_again_and_again(true).await, Ok(()));
        assert_eq!(left_again_and_again(false).await, Err(ErrorKind::Unavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_says_that_calls_fail_and_makes_none_of_them_well() {
        let model = observed(false);
        let failed = || Err::<(), _>(PortError::bare(ErrorKind::Unavailable, "chat"));
        for _ in 0..FAILURES {
            assert!(model.ping().await.is_ok());
            model.circuit.admit("chat").unwrap().ended(&failed());
        }
        assert!(model.ping().await.is_err() && model.circuit.admit("chat").is_err());
        // Nobody asks a model that is never well: it is for the next call to find out.
        tokio::time::advance(lectern_core::breaker::FIRST_PAUSE).await;
        assert!(model.ping().await.is_ok());
    }
}
