//! Asking the judge: JSON in, JSON out, counted and bounded.

use std::time::Duration;

use futures::StreamExt as _;
use lectern_core::{
    chunking::estimate_tokens,
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatMessage, ChatModel, ChatRequest, Role, TokenCount},
};
use serde_json::Value;

use super::{
    MAX_TEXT_BYTES, Unscored,
    replies::{self, Reply},
};

/// Most tokens of a reply: a hundred verdicts with their reasons.
const MAX_REPLY_TOKENS: u32 = 4_096;
/// Longest reply that is read; the rest is left.
const MAX_REPLY_BYTES: usize = 65_536;
/// What is sent after a reply that cannot be used.
const REPAIR: &str = include_str!("../../../prompts/judge.repair.md");

/// The judge and what it took so far.
pub(super) struct Asking<'model> {
    chat: &'model dyn ChatModel,
    timeout: Duration,
    calls: u32,
    tokens: TokenCount,
}

impl<'model> Asking<'model> {
    pub(super) fn new(chat: &'model dyn ChatModel, timeout: Duration) -> Self {
        Self { chat, timeout, calls: 0, tokens: TokenCount::default() }
    }

    /// Returns the calls and the tokens so far.
    pub(super) fn spent(&self) -> (u32, TokenCount) {
        (self.calls, self.tokens)
    }

    /// Returns what the judge replies to `input` under `instructions`. A reply that is not the JSON asked for, or
    /// that `fits` refuses, is sent back once.
    pub(super) async fn ask<T: Reply>(
        &mut self,
        instructions: &str,
        input: &Value,
        fits: impl Fn(&T) -> bool,
    ) -> Result<T, Unscored> {
        let message = |role, content: &str| ChatMessage { role, content: content.to_owned() };
        // As JSON no text can leave the field it is in.
        let mut messages =
            vec![message(Role::System, instructions), message(Role::User, &input.to_string())];
        let first = self.reply(&messages).await?;
        if let Some(reply) = replies::read(&first).filter(&fits) {
            return Ok(reply);
        }
        // Some APIs refuse a message without content.
        if !first.trim().is_empty() {
            messages.push(message(Role::Assistant, cut(&first)));
        }
        messages.push(message(Role::User, REPAIR));
        let second = self.reply(&messages).await?;
        replies::read(&second).filter(fits).ok_or(Unscored::Malformed)
    }

    async fn reply(&mut self, messages: &[ChatMessage]) -> Result<String, PortError> {
        self.calls += 1;
        let request = ChatRequest {
            messages: messages.to_vec(),
            max_tokens: MAX_REPLY_TOKENS,
            temperature: 0.0,
            timeout: self.timeout,
        };
        let mut stream = self.chat.stream(request).await?;
        let mut text = String::new();
        let counted = loop {
            match stream.next().await {
                Some(Ok(ChatEvent::Token(piece))) => text.push_str(&piece),
                Some(Ok(ChatEvent::Done { usage, .. })) => break usage,
                Some(Ok(ChatEvent::Withheld { .. })) => {
                    return Err(PortError::bare(ErrorKind::Invalid, "judge reply"));
                }
                Some(Err(error)) => return Err(error),
                None => return Err(PortError::bare(ErrorKind::Unavailable, "judge reply")),
            }
            if text.len() > MAX_REPLY_BYTES {
                text.truncate(text.floor_char_boundary(MAX_REPLY_BYTES));
                break None;
            }
        };
        let TokenCount { prompt, completion } =
            counted.unwrap_or_else(|| estimate(messages, &text));
        self.tokens.prompt = self.tokens.prompt.saturating_add(prompt);
        self.tokens.completion = self.tokens.completion.saturating_add(completion);
        Ok(text)
    }
}

fn estimate(messages: &[ChatMessage], reply: &str) -> TokenCount {
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    let prompt = messages.iter().map(|message| estimate_tokens(&message.content)).sum();
    TokenCount { prompt: count(prompt), completion: count(estimate_tokens(reply)) }
}

/// Returns the longest beginning of `text` that is sent.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}
