//! Which chat model writes an answer.

use std::{collections::BTreeMap, sync::Arc};

use lectern_core::{ports::ChatModel, settings::CollectionSettings};
use tracing::warn;

use super::Ask;

/// The chat models that a collection's settings may name, by what `LECTERN_CHAT` would say; extractive mode is
/// one of them, without a model.
pub type ChatModels = BTreeMap<String, Option<Arc<dyn ChatModel>>>;

impl Ask {
    /// Returns the model that the settings name, `None` for extractive mode. A model this deployment does not
    /// have costs the choice, not the answer.
    pub(super) fn chat(&self, settings: &CollectionSettings) -> Option<&dyn ChatModel> {
        let named = settings.answers.model.as_ref().and_then(|name| self.chat_models.get(name));
        named.unwrap_or(&self.chat).as_deref()
    }

    /// Says so when the settings name a model this deployment does not have.
    pub(super) fn warn_of_missing(&self, settings: &CollectionSettings) {
        let named = settings.answers.model.as_ref();
        if let Some(model) = named.filter(|name| !self.chat_models.contains_key(*name)) {
            warn!(
                model,
                "a collection names a chat model this deployment does not have; the default one stands in"
            );
        }
    }
}
