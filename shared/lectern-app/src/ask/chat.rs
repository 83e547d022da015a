//! Which chat model writes an answer.

use std::{collections::BTreeMap, sync::Arc};

use lectern_core::{
    chunking::estimate_tokens,
    errors::chain,
    ports::{ChatModel, TokenCount},
    pricing::MicroDollars,
    prompt::PromptBudget,
    settings::CollectionSettings,
};
use tracing::{debug, warn};

use super::{Ask, AskRequest, MAX_REPLY_TOKENS, rewrite::MAX_REWRITE_TOKENS};
use crate::spending::Bill;

/// Most tokens of instructions and of what stands between passages, by estimate.
const INSTRUCTION_TOKENS: usize = 400;
/// Most tokens a model counts for one that is estimated, with room: estimates are calibrated to be above .79 of what is counted
/// in 99 of 100 texts.
const TOKENS_PER_ESTIMATED: usize = 2;
/// Most calls for one question: a follow-up is rewritten, it is answered, and answered again when a document changed meanwhile.
const MAX_CALLS: u64 = 3;

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

    /// Returns what a question costs at most, whichever model answers it.
    pub(super) fn most(&self, request: &AskRequest) -> MicroDollars {
        let question = estimate_tokens(request.question.as_str());
        let PromptBudget { passages, history } = self.budget;
        let prompt = (passages + history + question + INSTRUCTION_TOKENS) * TOKENS_PER_ESTIMATED;
        let asked = TokenCount {
            prompt: u32::try_from(prompt).unwrap_or(u32::MAX),
            completion: MAX_REPLY_TOKENS.max(MAX_REWRITE_TOKENS),
        };
        let models = self.chat_models.values().flatten().chain(&self.chat);
        let dearest = models.map(|chat| self.spending.prices.cost(chat.model(), asked)).max();
        MicroDollars(dearest.unwrap_or_default().0.saturating_mul(MAX_CALLS))
    }

    /// Sets aside what an answer may cost, where a model may be asked. Whether that was possible is told when one is.
    pub(super) async fn prefetch(&self, bill: &Bill) {
        if self.chat.is_none() && self.chat_models.values().all(Option::is_none) {
            return;
        }
        if let Err(error) = bill.reserve().await {
            debug!(error = %chain(&error), "nothing was set aside for an answer");
        }
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
