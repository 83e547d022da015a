//! Counts the tokens of a call while they are sent and received, so that a call that is cut short is paid for, too.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::StreamExt as _;
use lectern_core::{
    chunking::estimate_tokens,
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream, Embedder, TokenCount},
    pricing::PriceTable,
};

use super::Spent;

/// What was used, by call. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    calls: Vec<Call>,
    embeddings: Vec<Embedding>,
}

#[derive(Clone, Debug)]
struct Call {
    model: String,
    tokens: TokenCount,
}

#[derive(Clone, Debug)]
struct Embedding {
    model: String,
    tokens: u64,
}

impl Meter {
    /// Sends `request` to `chat` and counts: what the model says it used, or an estimate where it does not say.
    pub(super) async fn stream(
        &self,
        chat: &dyn ChatModel,
        request: ChatRequest,
    ) -> Result<ChatStream, PortError> {
        let sent: usize = request.messages.iter().map(|one| estimate_tokens(&one.content)).sum();
        let call = self.begin(chat.model(), estimated(sent));
        let stream = match chat.stream(request).await {
            Ok(stream) => stream,
            Err(error) => {
                // What timed out may have been read; what was refused was not.
                if error.kind != ErrorKind::Timeout {
                    self.count(call, |tokens| *tokens = TokenCount::default());
                }
                return Err(error);
            }
        };
        let (meter, mut text) = (self.clone(), String::new());
        Ok(Box::pin(stream.inspect(move |event| match event {
            Ok(ChatEvent::Token(piece)) => {
                text.push_str(piece);
                let received = estimated(estimate_tokens(piece));
                meter.count(call, |tokens| {
                    tokens.completion = tokens.completion.saturating_add(received);
                });
            }
            Ok(ChatEvent::Done { usage, .. } | ChatEvent::Withheld { usage }) => {
                // Of the whole, which is less than the sum of its pieces.
                let received = estimated(estimate_tokens(&text));
                meter.count(call, |tokens| {
                    *tokens = usage.unwrap_or(TokenCount { completion: received, ..*tokens });
                });
            }
            Err(_) => {}
        })))
    }

    /// Returns the vectors of `texts`, and counts what their provider says it read, or an estimate where it does not
    /// say. One that is given up on while it is read is counted by estimate.
    pub(crate) async fn embed(
        &self,
        embedder: &dyn Embedder,
        texts: &[String],
    ) -> Result<Vec<Vec<f32>>, PortError> {
        let model = embedder.model().id.clone();
        let begun = {
            let tokens = embedder.estimate(texts);
            let mut counted = self.counted();
            counted.embeddings.push(Embedding { model, tokens });
            counted.embeddings.len() - 1
        };
        match embedder.embed_counted(texts).await {
            Ok(made) => {
                self.counted().embeddings[begun].tokens = made.tokens;
                Ok(made.vectors)
            }
            Err(error) => {
                // As above.
                if error.kind != ErrorKind::Timeout {
                    self.counted().embeddings[begun].tokens = 0;
                }
                Err(error)
            }
        }
    }

    /// Returns the tokens of all calls so far, and what they cost.
    pub(super) fn read(&self, prices: &PriceTable) -> Spent {
        let counted = self.counted();
        let mut spent = Spent::default();
        for Call { model, tokens } in &counted.calls {
            spent.tokens.prompt = spent.tokens.prompt.saturating_add(tokens.prompt);
            spent.tokens.completion = spent.tokens.completion.saturating_add(tokens.completion);
            spent.cost.0 = spent.cost.0.saturating_add(prices.cost(model, *tokens).0);
        }
        // Together: a question's few tokens are less than a millionth of a dollar, to which each sum is rounded up.
        let mut embedded: BTreeMap<&str, u64> = BTreeMap::new();
        for Embedding { model, tokens } in &counted.embeddings {
            let sum = embedded.entry(model).or_default();
            *sum = sum.saturating_add(*tokens);
        }
        for (model, tokens) in embedded {
            spent.embedding_tokens = spent.embedding_tokens.saturating_add(tokens);
            let cost = prices.embedding_cost(model, tokens);
            spent.cost.0 = spent.cost.0.saturating_add(cost.0);
        }
        spent
    }

    fn begin(&self, model: &str, prompt: u32) -> usize {
        let mut counted = self.counted();
        let tokens = TokenCount { prompt, completion: 0 };
        counted.calls.push(Call { model: model.to_owned(), tokens });
        counted.calls.len() - 1
    }

    fn count(&self, call: usize, change: impl FnOnce(&mut TokenCount)) {
        change(&mut self.counted().calls[call].tokens);
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn estimated(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use lectern_core::pricing::MicroDollars;
    use proptest::prelude::*;

    use super::*;

    const CHATS: [&str; 3] = ["gpt-4o", "gpt-4o-mini", "mine"];
    const EMBEDDERS: [&str; 3] =
        ["openai:text-embedding-3-small", "openai:mine", "all-MiniLM-L6-v2"];

    proptest! {
        /// Tokens add up exactly; the cost is the calls' and, for each embedding model, that of all its tokens together.
        #[test]
        fn sums_add_up(
            chats in prop::collection::vec((0_usize..3, 0_u32..9_000, 0_u32..700), 0..6),
            embeddings in prop::collection::vec((0_usize..3, 0_u64..9_000), 0..6),
        ) {
            let (meter, prices) = (Meter::default(), PriceTable::built_in());
            let mut expected = Spent::default();
            for (model, prompt, completion) in chats {
                let tokens = TokenCount { prompt, completion };
                let call = meter.begin(CHATS[model], prompt);
                meter.count(call, |counted| *counted = tokens);
                expected.tokens.prompt += prompt;
                expected.tokens.completion += completion;
                expected.cost.0 += prices.cost(CHATS[model], tokens).0;
            }
            let mut by_model = [0; 3];
            for (model, tokens) in embeddings {
                let embedding = Embedding { model: EMBEDDERS[model].to_owned(), tokens };
                meter.counted().embeddings.push(embedding);
                by_model[model] += tokens;
            }
            expected.embedding_tokens = by_model.iter().sum();
            let costs = EMBEDDERS.iter().zip(by_model);
            let costs = costs.map(|(model, tokens)| prices.embedding_cost(model, tokens).0);
            expected.cost = MicroDollars(expected.cost.0 + costs.sum::<u64>());
            prop_assert_eq!(meter.read(&prices), expected);
        }
    }
}
