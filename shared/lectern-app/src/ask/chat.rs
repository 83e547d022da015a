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
        let Some(name) = &settings.answers.model else { return self.chat.as_deref() };
        match self.chat_models.get(name) {
            Some(model) => model.as_deref(),
            None => {
                warn!(
                    model = name,
                    "a collection names a chat model this deployment does not have; the default one stands in"
                );
                self.chat.as_deref()
            }
        }
    }
}
