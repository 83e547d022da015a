//! The model's reply, collected while its tokens are passed on.

use std::time::Duration;

use futures::StreamExt as _;
use lectern_core::{
    chunking::estimate_tokens,
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream, TokenCount},
    prompt::Prompt,
};
use tokio::sync::mpsc;

use super::{AskEvent, MAX_REPLY_TOKENS, send};

/// Longest reply in bytes; more is cut off, whatever the model was told.
pub(super) const MAX_REPLY_BYTES: usize = 32_768;

/// A complete reply.
pub(super) struct Reply {
    /// The text.
    pub(super) text: String,
    /// What the model counted, or an estimate where it does not say.
    pub(super) tokens: TokenCount,
}

/// A reply that has begun.
pub(super) struct Begun {
    stream: ChatStream,
    estimated_prompt: usize,
    /// How many of the passages the prompt holds.
    pub(super) passages_used: usize,
}

/// Sends `prompt` to the model.
pub(super) async fn begin(
    chat: &dyn ChatModel,
    prompt: Prompt,
    timeout: Duration,
) -> Result<Begun, PortError> {
    let request = ChatRequest {
        messages: prompt.messages,
        max_tokens: MAX_REPLY_TOKENS,
        temperature: 0.0,
        timeout,
    };
    let stream = chat.stream(request).await?;
    let (estimated_prompt, passages_used) = (prompt.estimated_tokens, prompt.passages_used);
    Ok(Begun { stream, estimated_prompt, passages_used })
}

/// Returns the whole reply, passing each piece on as it comes.
pub(super) async fn collect(
    begun: Begun,
    events: &mpsc::Sender<AskEvent>,
) -> Result<Reply, PortError> {
    let Begun { mut stream, estimated_prompt, .. } = begun;
    let mut text = String::new();
    let mut counted = None;
    let mut complete = false;
    while let Some(event) = stream.next().await {
        match event? {
            ChatEvent::Token(piece) => {
                text.push_str(&piece);
                send(events, AskEvent::Token(piece)).await;
            }
            ChatEvent::Done { usage, .. } => {
                counted = usage;
                complete = true;
                break;
            }
        }
        if text.len() > MAX_REPLY_BYTES {
            text.truncate(text.floor_char_boundary(MAX_REPLY_BYTES));
            complete = true;
            break;
        }
    }
    if !complete {
        return Err(PortError::bare(ErrorKind::Unavailable, "chat reply"));
    }
    let estimate = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    let tokens = counted.unwrap_or_else(|| TokenCount {
        prompt: estimate(estimated_prompt),
        completion: estimate(estimate_tokens(&text)),
    });
    Ok(Reply { text, tokens })
}
