//! A chat model behind Bedrock.

use async_trait::async_trait;
use aws_sdk_bedrockruntime::{
    operation::converse_stream::ConverseStreamOutput,
    types::{GuardrailStreamConfiguration, GuardrailStreamProcessingMode, InferenceConfiguration},
};
use futures::{StreamExt, stream};
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream},
};
use tokio::time::{Instant, timeout};

use super::{
    client::Bedrock,
    conversation::conversation,
    failures::{self, Failure},
    guardrail::Guardrail,
    reply::{Events, OPERATION, Reply},
};

/// One chat model. It is offered no tools.
#[derive(Clone, Debug)]
pub struct BedrockChat {
    bedrock: Bedrock,
    model: String,
    guardrail: Option<Guardrail>,
}

impl BedrockChat {
    /// Returns the model of this id: a foundation model's, an inference profile's, or the ARN of either.
    #[must_use]
    pub fn new(bedrock: Bedrock, model: impl Into<String>) -> Self {
        Self { bedrock, model: model.into(), guardrail: None }
    }

    /// Returns the model behind a guardrail, which looks at all it is sent and at all it replies.
    #[must_use]
    pub fn guarded(self, guardrail: Guardrail) -> Self {
        Self { guardrail: Some(guardrail), ..self }
    }

    /// Synchronous: Bedrock lets nothing of a reply through before it has looked at it, at the price of waiting for more of it.
    fn guardrail(&self) -> Option<GuardrailStreamConfiguration> {
        let Guardrail { id, version } = self.guardrail.as_ref()?;
        let guardrail = GuardrailStreamConfiguration::builder()
            .guardrail_identifier(id)
            .guardrail_version(version)
            .stream_processing_mode(GuardrailStreamProcessingMode::Sync);
        Some(guardrail.build())
    }

    async fn start(
        &self,
        request: &ChatRequest,
        deadline: Instant,
    ) -> Result<ChatStream, PortError> {
        let limits = self.bedrock.limits;
        let (system, turns) = conversation(&request.messages)
            .map_err(|error| PortError::new(ErrorKind::Internal, OPERATION, error))?;
        let inference = InferenceConfiguration::builder()
            .max_tokens(i32::try_from(request.max_tokens).unwrap_or(i32::MAX))
            .temperature(request.temperature)
            .build();
        let client = self.bedrock.client(OPERATION).await?;
        let send = client
            .converse_stream()
            .model_id(&self.model)
            .set_system(Some(system).filter(|system| !system.is_empty()))
            .set_messages(Some(turns))
            .inference_config(inference)
            .set_guardrail_config(self.guardrail())
            .send();
        let output =
            send.await.map_err(|error| failures::refused(OPERATION, error, limits.body_bytes))?;
        let mut reply = Reply::new(events(output, limits.body_bytes), deadline, limits.stall);
        let first = reply.next().await.unwrap_or_else(|| Err(Failure::Cut.at(OPERATION)))?;
        Ok(match first {
            ChatEvent::Done { .. } | ChatEvent::Withheld { .. } => {
                Box::pin(stream::iter([Ok(first)]))
            }
            ChatEvent::Token(_) => reply.into_stream(first),
        })
    }
}

fn events(output: ConverseStreamOutput, limit_bytes: usize) -> Events {
    let events = stream::try_unfold(output.stream, move |mut receiver| async move {
        match receiver.recv().await {
            Ok(event) => Ok(event.map(|event| (event, receiver))),
            Err(error) => Err(failures::broken_off(OPERATION, &error, limit_bytes)),
        }
    });
    events.boxed()
}

#[async_trait]
impl ChatModel for BedrockChat {
    fn model(&self) -> &str {
        &self.model
    }

    /// Returns once the first token is there, so that every failure before it is the outer error. Dropping the reply
    /// closes its connection, which stops the model.
    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError> {
        let deadline = Instant::now() + request.timeout;
        let wait = self.bedrock.limits.first_event.min(request.timeout);
        timeout(wait, self.start(&request, deadline))
            .await
            .map_err(|_| failures::silent(OPERATION, wait))?
    }
}
