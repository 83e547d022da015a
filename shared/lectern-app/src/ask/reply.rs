//! The model's reply, collected while its tokens are passed on.

use std::time::Duration;

use futures::StreamExt as _;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream},
    prompt::Prompt,
};
use tokio::sync::mpsc;

use super::{AskEvent, MAX_REPLY_TOKENS, send};
use crate::{errors::FlowError, spending::Bill};

/// Longest reply in bytes; more is cut off, whatever the model was told.
pub(super) const MAX_REPLY_BYTES: usize = 32_768;

/// A reply that has begun.
pub(super) struct Begun {
    stream: ChatStream,
    /// How many of the passages the prompt holds.
    pub(super) passages_used: usize,
}

/// Sends `prompt` to the model, at the cost of `bill`.
pub(super) async fn begin(
    bill: &Bill,
    chat: &dyn ChatModel,
    prompt: Prompt,
    timeout: Duration,
) -> Result<Begun, FlowError> {
    let request = ChatRequest {
        messages: prompt.messages,
        max_tokens: MAX_REPLY_TOKENS,
        temperature: 0.0,
        timeout,
    };
    let stream = bill.stream(chat, request).await?;
    Ok(Begun { stream, passages_used: prompt.passages_used })
}

/// Returns the whole reply, passing each piece on as it comes.
pub(super) async fn collect(
    begun: Begun,
    events: &mpsc::Sender<AskEvent>,
) -> Result<String, PortError> {
    let Begun { mut stream, .. } = begun;
    let mut text = String::new();
    let mut complete = false;
    while let Some(event) = stream.next().await {
        match event? {
            ChatEvent::Token(piece) => {
                text.push_str(&piece);
                send(events, AskEvent::Token(piece)).await;
            }
            ChatEvent::Done { .. } => {
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
    Ok(text)
}
