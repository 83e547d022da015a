//! Buffered functions, and functions that fail to start.

use std::{os::unix::process::ExitStatusExt, time::Duration};

use lectern_testkit::lambda::{Driver, FunctionError, Outcome, RestEvent, binary};
use serde_json::json;

use crate::stand_in::{request, stand_in};

const SIGKILL: i32 = 9;

#[tokio::test]
async fn a_request_arrives_and_its_answer_returns() {
    let driver = Driver::start(&stand_in("buffered"));
    assert!(driver.first_poll().await > Duration::ZERO);
    let event = RestEvent::post("/echo")
        .bearer("lk_test")
        .query("tag", "a b")
        .query("tag", "ö")
        .bytes("application/pdf", &[0, 159, 146, 150])
        .build();
    let invocation = driver.invoke(&event).await;
    let reply = invocation.http();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("Content-Type"), Some("application/json"));
    let cookies = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
    assert_eq!(cookies.count(), 2);
    let expected = json!({
        "method": "POST",
        "path": "/echo",
        "tags": ["a b", "ö"],
        "key": "Bearer lk_test",
        "body": [0, 159, 146, 150],
        "function": "arn:aws:lambda:eu-central-1:123456789012:function:stand-in",
        "home": false,
    });
    assert_eq!(reply.json(), expected);
    assert!(invocation.duration > Duration::ZERO);
    assert!(driver.log_line("answers /echo").await.contains("stand-in"));
    assert!(driver.peak_rss_bytes() > 1_000_000);
    assert!(driver.cpu_time() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_environment_outlives_errors_and_panics() {
    let driver = Driver::start(&stand_in("buffered"));
    for (path, expected) in [("/error", "the stand-in fails"), ("/panic", "the stand-in panics")] {
        match driver.invoke(&request(path)).await.outcome {
            Outcome::Error(error) => assert!(error.message.contains(expected), "{error:?}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    assert_eq!(driver.invoke(&request("/echo")).await.http().status, 200);
    let first = driver.send(&request("/echo"));
    let second = driver.send(&request("/echo"));
    assert_eq!(second.outcome().await.http().status, 200);
    assert_eq!(first.outcome().await.http().status, 200);
}

#[tokio::test]
async fn the_end_of_the_process_is_an_outcome() {
    let driver = Driver::start(&stand_in("buffered"));
    let (exits, never) = (driver.send(&request("/exit")), driver.send(&request("/echo")));
    for pending in [exits, never, driver.send(&request("/echo"))] {
        match pending.outcome().await.outcome {
            Outcome::Exited(status) => assert_eq!(status.code(), Some(3)),
            other => panic!("{other:?}"),
        }
    }
    assert!(!driver.is_alive());
    assert_eq!(driver.exit().await.code(), Some(3));
}

#[tokio::test]
async fn a_process_can_be_killed_in_the_middle_of_an_event() {
    let driver = Driver::start(&stand_in("buffered"));
    let mut pending = driver.send(&request("/sleep"));
    assert!(pending.taken().await);
    assert_eq!(driver.kill().await.signal(), Some(SIGKILL));
    match pending.outcome().await.outcome {
        Outcome::Exited(status) => assert_eq!(status.signal(), Some(SIGKILL)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_overruns_the_timeout_is_killed() {
    let driver = Driver::start(&stand_in("buffered").timeout(Duration::from_millis(100)));
    driver.first_poll().await;
    let invocation = driver.invoke(&request("/sleep")).await;
    assert!(matches!(invocation.outcome, Outcome::TimedOut), "{invocation:?}");
    assert!(invocation.duration >= Duration::from_millis(100));
    assert!(!driver.is_alive());
}

#[tokio::test]
async fn an_answer_over_6_mb_is_refused_and_the_function_goes_on() {
    let driver = Driver::start(&stand_in("buffered"));
    match driver.invoke(&request("/large")).await.outcome {
        Outcome::Error(error) => assert_eq!(error.error_type, "Function.ResponseSizeTooLarge"),
        other => panic!("{other:?}"),
    }
    assert_eq!(driver.invoke(&request("/echo")).await.http().status, 200);
}

#[tokio::test]
async fn an_event_that_is_none_of_a_rest_api_is_the_functions_error() {
    let driver = Driver::start(&stand_in("buffered"));
    let outcome = driver.invoke(&json!({})).await.outcome;
    assert!(matches!(outcome, Outcome::Error(_)), "{outcome:?}");
    assert_eq!(driver.invoke(&request("/echo")).await.http().status, 200);
}

#[tokio::test]
async fn a_function_may_report_why_it_cannot_start() {
    let driver = Driver::start(&stand_in("init-error"));
    let expected =
        FunctionError { error_type: "Stand.In".to_owned(), message: "no pepper".to_owned() };
    match driver.invoke(&request("/echo")).await.outcome {
        Outcome::InitError(error) => assert_eq!(error, expected),
        other => panic!("{other:?}"),
    }
    assert_eq!(driver.exit().await.code(), Some(1));
}

#[tokio::test]
async fn a_panic_at_init_is_an_exit_with_its_message_in_the_log() {
    let driver = Driver::start(&stand_in("init-panic"));
    match driver.invoke(&request("/echo")).await.outcome {
        Outcome::Exited(status) => assert_eq!(status.code(), Some(101)),
        other => panic!("{other:?}"),
    }
    let log = driver.log().join("\n");
    assert!(log.contains("the stand-in panics at init"), "{log}");
}

#[tokio::test]
#[should_panic(expected = "the function ended: exit status: 101")]
async fn the_first_poll_of_a_function_that_cannot_start_panics() {
    Driver::start(&stand_in("init-panic")).first_poll().await;
}

#[tokio::test]
async fn who_asks_on_without_answering_has_not_answered() {
    let driver = Driver::start(&stand_in("rude"));
    let first = driver.send(&request("/echo"));
    let _second = driver.send(&request("/echo"));
    let outcome = first.outcome().await.outcome;
    assert!(matches!(outcome, Outcome::Malformed(_)), "{outcome:?}");
}

#[test]
#[should_panic(expected = "cannot start /nowhere/bootstrap")]
fn a_program_that_is_not_there_is_named() {
    let mut bootstrap = stand_in("buffered");
    bootstrap.program = "/nowhere/bootstrap".into();
    let _ = Driver::start(&bootstrap);
}

#[test]
#[should_panic(expected = "function `nowhere` is not built")]
fn a_function_that_is_not_built_is_named() {
    let _ = binary("nowhere");
}
