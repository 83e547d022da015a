//! Embedders, chat models and rerankers.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use lectern_app::ask::ChatModels;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{ChatModel, Embedder, EmbeddingModel, Reranker},
};
use lectern_models::{
    bedrock::Guardrail,
    config::{ApiConfig, ChatConfig, ConfigError, EmbedderConfig},
    retrying::RetryPolicy,
};

use crate::{
    secrets::Secrets,
    settings::{ModelApi, Reranking},
};

/// Where the layer that packs the model in process has its files (AWS Lambda Developer Guide, "Layer paths").
const MINILM_DIRECTORY: &str = "/opt/models/all-MiniLM-L6-v2";

/// Returns the API of models, with its key.
#[must_use]
pub fn api(settings: &ModelApi, secrets: &Secrets) -> ApiConfig {
    ApiConfig { base_url: settings.url.clone(), key: secrets.optional(settings.key.as_ref()) }
}

/// Returns the embedder; connects to nothing.
///
/// # Errors
/// When it cannot be used.
pub fn embedder(
    config: &EmbedderConfig,
    api: &ApiConfig,
    model_directory: Option<&Path>,
) -> Result<Option<Arc<dyn Embedder>>, ConfigError> {
    let directory = model_directory.unwrap_or(Path::new(MINILM_DIRECTORY));
    config.open(api, directory, RetryPolicy::default())
}

/// Returns an embedder to ask whether it is there, for a function that embeds nothing: a model in process is wherever it is
/// used, and is not loaded for this.
///
/// # Errors
/// When it cannot be used.
pub fn embedder_to_ping(
    config: &EmbedderConfig,
    api: &ApiConfig,
) -> Result<Option<Arc<dyn Embedder>>, ConfigError> {
    match (config, config.embedding_model()?) {
        (EmbedderConfig::MiniLm, Some(model)) => Ok(Some(Arc::new(Elsewhere(model)))),
        _ => embedder(config, api, None),
    }
}

/// Returns the embedder for a function that asks seldom: `None` for the model in process, which is too large to load for that.
/// Questions are then searched by BM25.
///
/// # Errors
/// When it cannot be used.
pub fn embedder_elsewhere(
    config: &EmbedderConfig,
    api: &ApiConfig,
) -> Result<Option<Arc<dyn Embedder>>, ConfigError> {
    match config {
        EmbedderConfig::MiniLm => Ok(None),
        _ => embedder(config, api, None),
    }
}

/// The model in process, in other processes.
#[derive(Debug)]
struct Elsewhere(EmbeddingModel);

#[async_trait]
impl Embedder for Elsewhere {
    fn model(&self) -> &EmbeddingModel {
        &self.0
    }

    async fn embed(&self, _: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        let reason = "this function embeds nothing";
        Err(PortError::new(ErrorKind::Invalid, "embed", reason))
    }
}

/// Returns the chat model and all that collections may name, each behind `guardrail` where there is one; connects to
/// nothing.
///
/// # Errors
/// When one cannot be used.
pub fn chats(
    chat: &ChatConfig,
    alternatives: &[ChatConfig],
    guardrail: Option<&Guardrail>,
    api: &ApiConfig,
) -> Result<(Option<Arc<dyn ChatModel>>, ChatModels), ConfigError> {
    let mut models = ChatModels::from([(ChatConfig::Extractive.to_string(), None)]);
    for alternative in alternatives {
        let model = alternative.open(api, guardrail, RetryPolicy::default())?;
        models.insert(alternative.to_string(), model);
    }
    let model = chat.open(api, guardrail, RetryPolicy::default())?;
    models.insert(chat.to_string(), model.clone());
    Ok((model, models))
}

/// Returns the reranker; connects to nothing.
///
/// # Errors
/// When it cannot be used.
pub fn reranker(
    settings: &Reranking,
    secrets: &Secrets,
) -> Result<Option<Arc<dyn Reranker>>, ConfigError> {
    let key = secrets.optional(settings.key.as_ref());
    let api = ApiConfig { base_url: settings.url.clone(), key };
    settings.reranker.open(&api, RetryPolicy::default())
}
