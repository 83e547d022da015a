//! A streamed reply, event by event.

use std::pin::Pin;

use bytes::Bytes;
use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures::{Stream, StreamExt, stream};
use lectern_core::{
    errors::PortError,
    ports::{ChatEvent, ChatStream, TokenCount},
};
use tokio::time::{Instant, timeout};

use super::wire::{Choice, Chunk, Usage};
use crate::http::{
    ReplyLimits,
    body::{Pieces, bounded_pieces},
    failures::{self, Failure},
};

pub(super) const OPERATION: &str = "openai chat";

type Events = Pin<Box<dyn Stream<Item = Result<Event, EventStreamError<Failure>>> + Send>>;

/// What is known of a reply so far.
pub(super) struct Reply {
    events: Events,
    deadline: Instant,
    limits: ReplyLimits,
    usage: Option<TokenCount>,
    /// The reason the server gave for the reply's end, once it did.
    finish_reason: Option<String>,
    over: bool,
}

/// Returns the events of a reply that is at hand, in the pieces it came in: one that was recorded, or made up.
#[must_use]
pub fn replayed(pieces: Vec<Bytes>, limits: ReplyLimits) -> ChatStream {
    let pieces = bounded_pieces(stream::iter(pieces.into_iter().map(Ok)), limits);
    Reply::new(pieces, Instant::now() + limits.first_event, limits).rest()
}

impl Reply {
    /// Returns the reply whose body is `pieces` and that must be complete by `deadline`.
    pub(super) fn new(pieces: Pieces, deadline: Instant, limits: ReplyLimits) -> Self {
        let events = Box::pin(pieces.eventsource());
        Self { events, deadline, limits, usage: None, finish_reason: None, over: false }
    }

    /// Returns the reply's events; `first` goes before the rest.
    pub(super) fn into_stream(self, first: ChatEvent) -> ChatStream {
        Box::pin(stream::iter([Ok(first)]).chain(self.rest()))
    }

    fn rest(self) -> ChatStream {
        Box::pin(stream::unfold(self, |mut reply| async move {
            let event = reply.next().await?;
            Some((event, reply))
        }))
    }

    /// Returns the next token, the end, or why there is none; `None` after the end or an error.
    pub(super) async fn next(&mut self) -> Option<Result<ChatEvent, PortError>> {
        while !self.over {
            let event = match self.receive().await {
                Ok(Some(event)) => self.read(&event.data),
                Ok(None) => self.end().map(Some),
                Err(error) => Err(error),
            };
            match event {
                Ok(Some(event)) => {
                    self.over = matches!(event, ChatEvent::Done { .. });
                    return Some(Ok(event));
                }
                Ok(None) => (),
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    async fn receive(&mut self) -> Result<Option<Event>, PortError> {
        let wait = self.limits.stall.min(self.deadline.saturating_duration_since(Instant::now()));
        let event = timeout(wait, self.events.next()).await;
        let event = event.map_err(|_| failures::silent(OPERATION, wait))?;
        event.transpose().map_err(|error| match error {
            EventStreamError::Transport(Failure::Transport(error)) if !error.is_timeout() => {
                Failure::Cut.at(OPERATION)
            }
            EventStreamError::Transport(failure) => failure.at(OPERATION),
            // Their messages quote the line.
            EventStreamError::Utf8(_) | EventStreamError::Parser(_) => {
                Failure::Encoding.at(OPERATION)
            }
        })
    }

    fn read(&mut self, data: &str) -> Result<Option<ChatEvent>, PortError> {
        if data == "[DONE]" {
            return self.done().map(Some);
        }
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|error| Failure::json(&error).at(OPERATION))?;
        if let Some(error) = chunk.error {
            return Err(failures::broken_off(OPERATION, &error));
        }
        self.usage = chunk.usage.map(TokenCount::from).or(self.usage);
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(None) };
        if choice.finish_reason.is_some() {
            self.finish_reason.clone_from(&choice.finish_reason);
        }
        Ok(text_of(choice).map(ChatEvent::Token))
    }

    /// Some servers close the connection instead of sending `[DONE]`; a stated reason makes that an end.
    fn end(&self) -> Result<ChatEvent, PortError> {
        if self.finish_reason.is_none() {
            return Err(Failure::Cut.at(OPERATION));
        }
        self.done()
    }

    fn done(&self) -> Result<ChatEvent, PortError> {
        done(self.finish_reason.as_deref(), self.usage)
    }
}

impl From<Usage> for TokenCount {
    fn from(usage: Usage) -> Self {
        Self { prompt: usage.prompt_tokens, completion: usage.completion_tokens }
    }
}

fn text_of(choice: Choice) -> Option<String> {
    choice.delta?.content.filter(|text| !text.is_empty())
}

fn done(reason: Option<&str>, usage: Option<TokenCount>) -> Result<ChatEvent, PortError> {
    match reason {
        Some("content_filter") => {
            Err(Failure::Withheld { reason: "content_filter".to_owned() }.at(OPERATION))
        }
        _ => Ok(ChatEvent::Done { usage, truncated: reason == Some("length") }),
    }
}

/// Returns the events of a reply that came as one JSON object although a stream was asked for.
pub(super) fn events_of_json(body: &[u8]) -> Result<Vec<ChatEvent>, PortError> {
    let reply: Chunk =
        serde_json::from_slice(body).map_err(|error| Failure::json(&error).at(OPERATION))?;
    if let Some(error) = reply.error {
        return Err(failures::broken_off(OPERATION, &error));
    }
    let usage = reply.usage.map(TokenCount::from);
    let choice = reply.choices.into_iter().next().ok_or_else(|| Failure::Empty.at(OPERATION))?;
    let end = done(choice.finish_reason.as_deref(), usage)?;
    Ok(text_of(choice).map(ChatEvent::Token).into_iter().chain([end]).collect())
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
