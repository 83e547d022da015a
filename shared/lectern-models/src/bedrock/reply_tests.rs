//! Replies from events, with the clock stopped: what Bedrock may send, and may fail to send.

use aws_sdk_bedrockruntime::types::{
    ContentBlockDeltaEvent, ConverseStreamMetadataEvent, MessageStopEvent,
    ReasoningContentBlockDelta,
};
use lectern_core::errors::ErrorKind;

use super::*;

const STALL: Duration = Duration::from_secs(3);

fn delta(delta: ContentBlockDelta) -> Event {
    let event = ContentBlockDeltaEvent::builder().content_block_index(0).delta(delta).build();
    Event::ContentBlockDelta(event.unwrap())
}

fn token(text: &str) -> Event {
    delta(ContentBlockDelta::Text(text.to_owned()))
}

fn stop(reason: &str) -> Event {
    Event::MessageStop(MessageStopEvent::builder().stop_reason(reason.into()).build().unwrap())
}

fn metadata() -> Event {
    let usage =
        TokenUsage::builder().input_tokens(9).output_tokens(2).total_tokens(11).build().unwrap();
    Event::Metadata(ConverseStreamMetadataEvent::builder().usage(usage).build())
}

fn reply(events: Vec<Event>, ending: Events) -> Reply {
    let events = stream::iter(events.into_iter().map(Ok)).chain(ending);
    Reply::new(events.boxed(), Instant::now() + Duration::from_secs(10), STALL)
}

/// Returns the text, how it ended, and checks that nothing follows the end.
async fn read(mut reply: Reply) -> (String, Result<ChatEvent, PortError>) {
    let mut text = String::new();
    loop {
        match reply.next().await.expect("a reply ends with Done or an error") {
            Ok(ChatEvent::Token(token)) => text.push_str(&token),
            end => {
                assert!(reply.next().await.is_none(), "something followed {end:?}");
                return (text, end);
            }
        }
    }
}

async fn read_closed(events: Vec<Event>) -> (String, Result<ChatEvent, PortError>) {
    read(reply(events, stream::empty().boxed())).await
}

#[tokio::test]
async fn reasons_end_a_reply_as_they_should() {
    let usage = Some(TokenCount { prompt: 9, completion: 2 });
    for (reason, truncated) in [
        ("end_turn", false),
        ("stop_sequence", false),
        ("max_tokens", true),
        ("model_context_window_exceeded", true),
        ("a_new_reason", false),
    ] {
        let (text, end) = read_closed(vec![token("a"), token(""), stop(reason), metadata()]).await;
        assert_eq!((text.as_str(), end.unwrap()), ("a", ChatEvent::Done { usage, truncated }));
    }
    for (reason, kind) in [
        ("content_filtered", ErrorKind::Invalid),
        ("malformed_model_output", ErrorKind::Unavailable),
    ] {
        let (text, end) = read_closed(vec![token("a"), stop(reason), metadata()]).await;
        assert_eq!((text.as_str(), end.unwrap_err().kind), ("a", kind));
    }
}

#[tokio::test]
async fn a_guardrail_withholds_a_reply_and_fails_none() {
    let usage = Some(TokenCount { prompt: 9, completion: 2 });
    let intervened = || stop("guardrail_intervened");
    let (text, end) = read_closed(vec![token("Sorry."), intervened(), metadata()]).await;
    assert_eq!((text.as_str(), end.unwrap()), ("Sorry.", ChatEvent::Withheld { usage }));
    let (_, end) = read_closed(vec![intervened()]).await;
    assert_eq!(end.unwrap(), ChatEvent::Withheld { usage: None });
}

#[tokio::test]
async fn the_metadata_end_a_reply_wherever_the_connection_stays() {
    let events = vec![token("a"), stop("end_turn"), metadata()];
    let (_, end) = read(reply(events, stream::pending().boxed())).await;
    assert!(matches!(end.unwrap(), ChatEvent::Done { usage: Some(_), .. }));
    let (_, end) = read_closed(vec![token("a"), metadata(), stop("end_turn")]).await;
    assert!(matches!(end.unwrap(), ChatEvent::Done { usage: Some(_), .. }));
    let (_, end) = read_closed(vec![token("a"), stop("end_turn")]).await;
    assert_eq!(end.unwrap(), ChatEvent::Done { usage: None, truncated: false });
}

#[tokio::test]
async fn an_end_without_a_reason_is_unavailable() {
    for events in [vec![], vec![token("a")], vec![token("a"), metadata()]] {
        let (_, end) = read_closed(events).await;
        assert_eq!(end.unwrap_err().kind, ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn reasoning_is_no_token() {
    let thought = ReasoningContentBlockDelta::Text("hm".to_owned());
    let thought = delta(ContentBlockDelta::ReasoningContent(thought));
    let (text, _) = read_closed(vec![thought, token("a"), stop("end_turn")]).await;
    assert_eq!(text, "a");
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_timeout_after_the_stall_limit() {
    let started = Instant::now();
    let (text, end) = read(reply(vec![token("a")], stream::pending().boxed())).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("a", ErrorKind::Timeout));
    assert_eq!(started.elapsed(), STALL);
}

#[tokio::test(start_paused = true)]
async fn a_trickle_is_a_timeout_at_the_deadline() {
    let started = Instant::now();
    let trickle = stream::repeat_with(|| Ok(token("a"))).then(|event| async {
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        event
    });
    let (text, end) = read(reply(vec![], trickle.boxed())).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("aaaa", ErrorKind::Timeout));
    assert_eq!(started.elapsed().as_secs(), 10);
}
