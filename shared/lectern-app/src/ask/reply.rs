//! The model's reply, collected while its tokens are passed on.

use std::time::Duration;

use futures::StreamExt as _;
use lectern_core::{
    errors::{ErrorKind, PortError},
    outgoing::Outgoing,
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream},
    prompt::Prompt,
};

use super::{MAX_REPLY_TOKENS, Turn};
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

/// Returns the whole reply as it may leave, passing each piece on as it comes; `None` when a guardrail keeps it back.
pub(super) async fn collect(
    begun: Begun,
    mut outgoing: Outgoing<'_>,
    turn: &Turn<'_>,
) -> Result<Option<String>, PortError> {
    let Begun { mut stream, .. } = begun;
    let mut text = String::new();
    let (mut received, mut complete) = (0, false);
    while let Some(event) = stream.next().await {
        match event? {
            ChatEvent::Token(piece) => {
                let room = MAX_REPLY_BYTES.saturating_sub(received);
                received += piece.len();
                // Cut before it passes: a part of an address is not the address.
                let piece = outgoing.push(&piece[..piece.floor_char_boundary(room)]);
                text.push_str(&piece);
                turn.pass_on(piece).await;
            }
            ChatEvent::Done { .. } => {
                complete = true;
                break;
            }
            ChatEvent::Withheld { .. } => return Ok(None),
        }
        if received > MAX_REPLY_BYTES {
            complete = true;
            break;
        }
    }
    if !complete {
        return Err(PortError::bare(ErrorKind::Unavailable, "chat reply"));
    }
    let rest = outgoing.finish();
    text.push_str(&rest);
    turn.pass_on(rest).await;
    Ok(Some(text))
}
