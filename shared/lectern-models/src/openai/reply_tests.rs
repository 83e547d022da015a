//! Replies from bytes, with the clock stopped: what a server may send, and may fail to send.

use std::time::Duration;

use futures::future;
use lectern_core::errors::{ErrorKind, chain};

use super::*;

const LIMITS: ReplyLimits = ReplyLimits {
    connect: Duration::from_secs(1),
    first_event: Duration::from_secs(9),
    stall: Duration::from_secs(3),
    line_bytes: 300,
    body_bytes: 2_000,
};

fn token(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

fn finish(reason: &str) -> String {
    format!("data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\n")
}

const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

type Ending = stream::BoxStream<'static, Result<Bytes, Failure>>;

fn reply(bytes: &str, ending: Ending) -> Reply {
    let text = Bytes::from(bytes.to_owned());
    let pieces = bounded_pieces(stream::iter([Ok(text)]).chain(ending), LIMITS);
    Reply::new(pieces, Instant::now() + Duration::from_secs(10), LIMITS)
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

async fn read_closed(bytes: &str) -> (String, Result<ChatEvent, PortError>) {
    read(reply(bytes, stream::empty().boxed())).await
}

#[tokio::test]
async fn tokens_usage_and_the_end() {
    let bytes = [": hello\n\n", &token("a"), &token(""), &token("b"), &finish("stop"), USAGE, DONE];
    let (text, end) = read_closed(&bytes.concat()).await;
    let usage = Some(TokenCount { prompt: 9, completion: 2 });
    assert_eq!((text.as_str(), end.unwrap()), ("ab", ChatEvent::Done { usage, truncated: false }));
}

#[tokio::test]
async fn a_reply_cut_at_max_tokens_says_so() {
    let (_, end) = read_closed(&[token("a"), finish("length")].concat()).await;
    assert_eq!(end.unwrap(), ChatEvent::Done { usage: None, truncated: true });
}

#[tokio::test]
async fn a_closed_connection_without_a_reason_is_unavailable() {
    for bytes in [token("a"), token("a").trim_end().to_owned(), String::new()] {
        let (_, end) = read_closed(&bytes).await;
        assert_eq!(end.unwrap_err().kind, ErrorKind::Unavailable);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_timeout_after_the_stall_limit() {
    let started = Instant::now();
    let (text, end) = read(reply(&token("a"), stream::pending().boxed())).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("a", ErrorKind::Timeout));
    assert_eq!(started.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_trickle_is_a_timeout_at_the_deadline() {
    let started = Instant::now();
    let trickle = stream::repeat_with(|| Ok(Bytes::from(token("a")))).then(|piece| async {
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        piece
    });
    let (text, end) = read(reply("", trickle.boxed())).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("aaaa", ErrorKind::Timeout));
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn an_endless_line_and_an_endless_reply_are_cut() {
    let line = stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 64])));
    let (_, end) = read(reply("data: ", line.boxed())).await;
    let message = chain(&end.unwrap_err());
    assert!(message.contains("longer than 300 bytes"), "{message}");
    let tokens = stream::repeat_with(|| Ok(Bytes::from(token("a"))));
    let (text, end) = read(reply("", tokens.boxed())).await;
    let message = chain(&end.unwrap_err());
    assert!(message.contains("larger than 2000 bytes"), "{message}");
    assert!(text.len() < 100);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_without_its_content() {
    let secret = "data: {\"choices\": \"confidential words\"}\n\n";
    for bytes in [secret.to_owned(), "data: {\"confidential words\n\n".to_owned()] {
        let (_, end) = read_closed(&bytes).await;
        let error = end.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(!chain(&error).contains("confidential"), "{}", chain(&error));
        assert!(!format!("{error:?}").contains("confidential"), "{error:?}");
    }
    let not_utf8 = future::ready(Ok(Bytes::from_static(b"data: \xff\xfe\n\n")));
    let (_, end) = read(reply("", stream::once(not_utf8).boxed())).await;
    assert_eq!(end.unwrap_err().kind, ErrorKind::Internal);
}

#[tokio::test]
async fn an_error_object_and_a_filter_end_the_reply() {
    let error = "data: {\"error\":{\"code\":503,\"message\":\"overloaded\"}}\n\n";
    let (text, end) = read_closed(&[&token("a"), error, &token("b")].concat()).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind), ("a", ErrorKind::Unavailable));
    let (_, end) = read_closed(&[&token("a"), &finish("content_filter"), DONE].concat()).await;
    assert_eq!(end.unwrap_err().kind, ErrorKind::Invalid);
}

#[test]
fn one_json_object_is_a_reply_too() {
    let body = br#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    let events = events_of_json(body).unwrap();
    let end = ChatEvent::Done { usage: None, truncated: false };
    assert_eq!(events, [ChatEvent::Token("hi".into()), end]);
    assert_eq!(events_of_json(b"{\"choices\":[]}").unwrap_err().kind, ErrorKind::Internal);
    assert_eq!(events_of_json(b"<html>").unwrap_err().kind, ErrorKind::Internal);
}
