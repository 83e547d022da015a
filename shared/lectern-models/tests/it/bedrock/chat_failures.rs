//! Chats that are refused, or break off.

use std::time::Duration;

use lectern_core::{
    errors::{ErrorKind, chain},
    ports::ChatModel,
};
use serde_json::json;
use tokio::sync::oneshot;

use super::{
    PROMPT,
    chat::{ask_scripted, model, request},
    frames::{event, exception, frame, tokens},
    server::{Ending, Reply, Server, invalid},
};

#[tokio::test]
async fn refusals_are_told_by_their_remedy() {
    let wait = Some(Duration::from_secs(7));
    let says = format!("you sent `{PROMPT}`");
    for (status, name, headers, kind) in [
        (429, "ThrottlingException", vec![], ErrorKind::RateLimited { retry_after: None }),
        (
            429,
            "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/",
            vec![("retry-after", "7")],
            ErrorKind::RateLimited { retry_after: wait },
        ),
        (403, "AccessDeniedException", vec![], ErrorKind::Unauthenticated),
        (403, "UnrecognizedClientException", vec![], ErrorKind::Unauthenticated),
        (403, "ExpiredTokenException", vec![], ErrorKind::Unauthenticated),
        (404, "ResourceNotFoundException", vec![], ErrorKind::NotFound),
        (400, "ValidationException", vec![], ErrorKind::Invalid),
        (408, "ModelTimeoutException", vec![], ErrorKind::Timeout),
        (429, "ModelNotReadyException", vec![], ErrorKind::Unavailable),
        (503, "ServiceUnavailableException", vec![], ErrorKind::Unavailable),
        (500, "InternalServerException", vec![], ErrorKind::Unavailable),
    ] {
        let (_, end) = ask_scripted(Reply::Exception(status, name, says.clone(), headers)).await;
        assert_eq!(end.unwrap_err().kind, kind, "{name}");
    }
    let long = format!("Input is too long for requested model. You sent `{PROMPT}`");
    let (_, end) = ask_scripted(invalid(&long)).await;
    assert_eq!(end.unwrap_err().kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn the_cause_names_the_exception_the_request_and_what_to_do() {
    let says = "Invocation of model ID m with on-demand throughput isn’t supported.".to_owned();
    let headers = vec![("x-amzn-requestid", "6f8d-1")];
    let (_, end) = ask_scripted(Reply::Exception(400, "ValidationException", says, headers)).await;
    let expected = "bedrock chat failed: the request is invalid: bedrock answered 400 with \
        `ValidationException` to request `6f8d-1`: the model is called by the id of an inference profile";
    assert_eq!(chain(&end.unwrap_err()), expected);
}

#[tokio::test]
async fn a_cut_a_stall_and_an_exception_after_tokens_end_the_reply() {
    let unfinished = event("messageStop", json!({"stopReason": "end_turn"})).slice(..20);
    let mut damaged = event("metadata", json!({})).to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let event_of =
        |json| frame(&[(":event-type", "messageStop"), (":message-type", "event")], &json);
    let error = [(":error-code", "InternalFailure"), (":message-type", "error")];
    let throttled = ErrorKind::RateLimited { retry_after: None };
    for (last, ending, kind) in [
        (None, Ending::Cut, ErrorKind::Unavailable),
        (None, Ending::Closed, ErrorKind::Unavailable),
        (Some(unfinished), Ending::Closed, ErrorKind::Unavailable),
        (None, Ending::Stall(oneshot::channel().0), ErrorKind::Timeout),
        (Some(damaged.into()), Ending::Closed, ErrorKind::Internal),
        (Some(event_of(json!(PROMPT))), Ending::Closed, ErrorKind::Internal),
        (Some(frame(&error, &json!({}))), Ending::Closed, ErrorKind::Unavailable),
        (Some(exception("throttlingException", PROMPT)), Ending::Closed, throttled),
        (
            Some(exception("modelStreamErrorException", PROMPT)),
            Ending::Closed,
            ErrorKind::Unavailable,
        ),
        (Some(exception("modelTimeoutException", PROMPT)), Ending::Closed, ErrorKind::Timeout),
        (Some(exception("validationException", PROMPT)), Ending::Closed, ErrorKind::Invalid),
    ] {
        let frames = tokens(&["a", "b"]).into_iter().chain(last).collect();
        let (text, end) = ask_scripted(Reply::Stream(frames, ending)).await;
        let error = end.unwrap_err();
        assert_eq!((text.as_str(), error.kind), ("ab", kind), "{}", chain(&error));
    }
}

#[tokio::test]
async fn a_failure_before_the_first_token_is_the_outer_error() {
    let too_long = exception("validationException", "Input is too long for requested model.");
    for (frames, ending, kind) in [
        (tokens(&[]), Ending::Cut, ErrorKind::Unavailable),
        (tokens(&[]), Ending::Stall(oneshot::channel().0), ErrorKind::Timeout),
        (vec![too_long], Ending::Closed, ErrorKind::TooLarge),
    ] {
        let server = Server::start([Reply::Stream(frames, ending)]).await;
        let error = model(&server).stream(request()).await.err().unwrap();
        assert_eq!(error.kind, kind);
    }
}

#[tokio::test]
async fn an_endless_reply_and_an_endless_frame_are_cut() {
    let token = tokens(&["a"]).remove(1);
    let frames = Reply::Stream(tokens(&["a"]), Ending::Repeated(token));
    let (text, end) = ask_scripted(frames).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(chain(&error).contains("larger than 65536 bytes"), "{}", chain(&error));
    assert!((1..1_000).contains(&text.len()), "{}", text.len());
    // A frame of a megabyte, of which the client shall not wait for the end.
    let frame = tokens(&[&"x".repeat(1_024 * 1_024)]).remove(1);
    let (_, end) = ask_scripted(Reply::Stream(vec![frame], Ending::Closed)).await;
    assert!(chain(&end.unwrap_err()).contains("larger than 65536 bytes"));
}
