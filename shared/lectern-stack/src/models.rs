//! Embedders, chat models and rerankers.

use std::{path::Path, sync::Arc};

use lectern_app::ask::ChatModels;
use lectern_core::ports::{ChatModel, Embedder, Reranker};
use lectern_models::{
    config::{ApiConfig, ChatConfig, ConfigError, EmbedderConfig},
    retrying::RetryPolicy,
};

use crate::{
    secrets::Secrets,
    settings::{ModelApi, Reranking},
};

/// Where a bundle that packs the model in process has its files, relative to the function's folder.
const MINILM_DIRECTORY: &str = "/var/task/models/all-MiniLM-L6-v2";

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
) -> Result<Option<Arc<dyn Embedder>>, ConfigError> {
    config.open(api, Path::new(MINILM_DIRECTORY), RetryPolicy::default())
}

/// Returns the chat model and all that collections may name; connects to nothing.
///
/// # Errors
/// When one cannot be used.
pub fn chats(
    chat: &ChatConfig,
    alternatives: &[ChatConfig],
    api: &ApiConfig,
) -> Result<(Option<Arc<dyn ChatModel>>, ChatModels), ConfigError> {
    let mut models = ChatModels::from([(ChatConfig::Extractive.to_string(), None)]);
    for alternative in alternatives {
        let model = alternative.open(api, RetryPolicy::default())?;
        models.insert(alternative.to_string(), model);
    }
    let model = chat.open(api, RetryPolicy::default())?;
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
