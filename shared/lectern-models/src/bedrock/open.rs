//! Opens the models that a setting names.

#[cfg(feature = "bedrock")]
mod adapters {
    use std::sync::Arc;

    use lectern_core::ports::{ChatModel, Embedder};

    use crate::{
        bedrock::{Bedrock, BedrockChat, BedrockEmbedder, EmbeddingLimits, Guardrail, Limits},
        config::ConfigError,
        retrying::{RetryPolicy, Retrying},
        timed::Timed,
    };

    /// Returns the embedder of the environment's Bedrock. Asks nobody.
    pub(crate) fn open_embedder(
        model: &str,
        dimensions: Option<usize>,
        policy: RetryPolicy,
    ) -> Result<Arc<dyn Embedder>, ConfigError> {
        let budget = policy.embedding_budget;
        // Half, so that a request that hangs leaves time for another.
        let default = EmbeddingLimits::default();
        let limits = EmbeddingLimits { timeout: default.timeout.min(budget / 2), ..default };
        let bedrock = Bedrock::from_env(Limits::default());
        let embedder = BedrockEmbedder::new(bedrock, model, dimensions, limits, policy)?;
        Ok(Arc::new(Timed::new(embedder, budget)))
    }

    /// Returns the chat model of the environment's Bedrock, behind `guardrail` where there is one. Asks nobody.
    pub(crate) fn open_chat(
        model: &str,
        guardrail: Option<&Guardrail>,
        policy: RetryPolicy,
    ) -> Result<Arc<dyn ChatModel>, ConfigError> {
        let chat = BedrockChat::new(Bedrock::from_env(Limits::default()), model);
        let chat = match guardrail {
            Some(guardrail) => chat.guarded(guardrail.clone()),
            None => chat,
        };
        Ok(Arc::new(Retrying::new(chat, policy)))
    }
}

#[cfg(not(feature = "bedrock"))]
mod adapters {
    use std::sync::Arc;

    use lectern_core::ports::{ChatModel, Embedder};

    use crate::{bedrock::Guardrail, config::ConfigError, retrying::RetryPolicy};

    pub(crate) fn open_embedder(
        _: &str,
        _: Option<usize>,
        _: RetryPolicy,
    ) -> Result<Arc<dyn Embedder>, ConfigError> {
        Err(ConfigError::NotCompiled("bedrock"))
    }

    pub(crate) fn open_chat(
        _: &str,
        _: Option<&Guardrail>,
        _: RetryPolicy,
    ) -> Result<Arc<dyn ChatModel>, ConfigError> {
        Err(ConfigError::NotCompiled("bedrock"))
    }
}

pub(crate) use adapters::{open_chat, open_embedder};
