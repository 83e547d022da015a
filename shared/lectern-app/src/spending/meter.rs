//! Counts the tokens of a call while they are sent and received, so that a call that is cut short is paid for, too.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use lectern_core::{
    chunking::estimate_tokens,
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream, TokenCount},
    pricing::{MicroDollars, PriceTable},
};

/// What was used, by call. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<Mutex<Vec<Call>>>);

#[derive(Clone, Debug)]
struct Call {
    model: String,
    tokens: TokenCount,
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
            Ok(ChatEvent::Done { usage, .. }) => {
                // Of the whole, which is less than the sum of its pieces.
                let received = estimated(estimate_tokens(&text));
                meter.count(call, |tokens| {
                    *tokens = usage.unwrap_or(TokenCount { completion: received, ..*tokens });
                });
            }
            Err(_) => {}
        })))
    }

    /// Returns the tokens of all calls so far, and what they cost.
    pub(super) fn read(&self, prices: &PriceTable) -> (TokenCount, MicroDollars) {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut all, mut cost) = (TokenCount::default(), MicroDollars::default());
        for Call { model, tokens } in calls.iter() {
            all.prompt = all.prompt.saturating_add(tokens.prompt);
            all.completion = all.completion.saturating_add(tokens.completion);
            cost.0 = cost.0.saturating_add(prices.cost(model, *tokens).0);
        }
        (all, cost)
    }

    fn begin(&self, model: &str, prompt: u32) -> usize {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = TokenCount { prompt, completion: 0 };
        calls.push(Call { model: model.to_owned(), tokens });
        calls.len() - 1
    }

    fn count(&self, call: usize, change: impl FnOnce(&mut TokenCount)) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut calls[call].tokens);
    }
}

fn estimated(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}
