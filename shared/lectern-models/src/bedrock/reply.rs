//! A streamed reply, event by event.

use std::{pin::Pin, time::Duration};

use aws_sdk_bedrockruntime::types::{
    ContentBlockDelta, ConverseStreamOutput as Event, StopReason, TokenUsage,
};
use futures::{Stream, StreamExt, stream};
use lectern_core::{
    errors::PortError,
    ports::{ChatEvent, ChatStream, TokenCount},
};
use tokio::time::{Instant, timeout};

use super::failures::{self, Failure};

pub(super) const OPERATION: &str = "bedrock chat";

/// The events of a reply, each with why there is none.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Event, PortError>> + Send>>;

/// What is known of a reply so far.
pub(super) struct Reply {
    events: Events,
    deadline: Instant,
    stall: Duration,
    usage: Option<TokenCount>,
    /// The reason the model gave for the reply's end, once it did.
    stop: Option<StopReason>,
    over: bool,
}

impl Reply {
    /// Returns the reply of `events`, none of which may take longer than `stall`, and that must be complete by
    /// `deadline`.
    pub(super) fn new(events: Events, deadline: Instant, stall: Duration) -> Self {
        Self { events, deadline, stall, usage: None, stop: None, over: false }
    }

    /// Returns the reply's events; `first` goes before the rest.
    pub(super) fn into_stream(self, first: ChatEvent) -> ChatStream {
        let rest = stream::unfold(self, |mut reply| async move {
            let event = reply.next().await?;
            Some((event, reply))
        });
        Box::pin(stream::iter([Ok(first)]).chain(rest))
    }

    /// Returns the next token, the end, or why there is none; `None` after the end or an error.
    pub(super) async fn next(&mut self) -> Option<Result<ChatEvent, PortError>> {
        while !self.over {
            let event = match self.receive().await {
                Ok(Some(event)) => self.read(event),
                Ok(None) => self.end().map(Some),
                Err(error) => Err(error),
            };
            match event {
                Ok(Some(event)) => {
                    self.over = !matches!(event, ChatEvent::Token(_));
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
        let wait = self.stall.min(self.deadline.saturating_duration_since(Instant::now()));
        let event = timeout(wait, self.events.next()).await;
        event.map_err(|_| failures::silent(OPERATION, wait))?.transpose()
    }

    /// Blocks of reasoning, images and what is not known yet are passed over.
    fn read(&mut self, event: Event) -> Result<Option<ChatEvent>, PortError> {
        match event {
            Event::ContentBlockDelta(delta) => Ok(delta.delta.and_then(text_of)),
            Event::MessageStop(stop) => {
                self.stop = Some(stop.stop_reason);
                Ok(None)
            }
            // The last event of a reply.
            Event::Metadata(metadata) => {
                self.usage = metadata.usage.as_ref().map(counted);
                if self.stop.is_some() { self.end().map(Some) } else { Ok(None) }
            }
            _ => Ok(None),
        }
    }

    /// Reasons: Amazon Bedrock API Reference, "`MessageStopEvent`".
    fn end(&self) -> Result<ChatEvent, PortError> {
        let Some(stop) = &self.stop else { return Err(Failure::Cut.at(OPERATION)) };
        let reason = || stop.as_str().to_owned();
        match stop {
            StopReason::GuardrailIntervened => Ok(ChatEvent::Withheld { usage: self.usage }),
            StopReason::ContentFiltered => {
                Err(Failure::Withheld { reason: reason() }.at(OPERATION))
            }
            StopReason::MalformedModelOutput | StopReason::MalformedToolUse => {
                Err(Failure::Spoiled { reason: reason() }.at(OPERATION))
            }
            StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Ok(self.done(true)),
            _ => Ok(self.done(false)),
        }
    }

    fn done(&self, truncated: bool) -> ChatEvent {
        ChatEvent::Done { usage: self.usage, truncated }
    }
}

fn text_of(delta: ContentBlockDelta) -> Option<ChatEvent> {
    match delta {
        ContentBlockDelta::Text(text) if !text.is_empty() => Some(ChatEvent::Token(text)),
        _ => None,
    }
}

fn counted(usage: &TokenUsage) -> TokenCount {
    let count = |tokens: i32| u32::try_from(tokens).unwrap_or_default();
    TokenCount { prompt: count(usage.input_tokens()), completion: count(usage.output_tokens()) }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
