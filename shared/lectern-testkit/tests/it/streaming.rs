//! Streaming functions.

use lectern_testkit::lambda::{Driver, Ended, Outcome};

use crate::stand_in::{request, stand_in};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn pieces_come_as_they_are_written() {
    let driver = Driver::start(&stand_in("streaming"));
    let mut streaming = driver.invoke_streaming(&request("/three")).await.unwrap();
    assert_eq!(streaming.status, 201);
    let header = |name: &str| {
        let found = streaming.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.clone())
    };
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("set-cookie").as_deref(), Some("a=1"));
    let first = streaming.next_chunk().await.unwrap();
    assert_eq!(text(&first.bytes), "data: 0\n\n");
    let rest = streaming.finish().await;
    let streamed = rest.streamed();
    assert_eq!(streamed.ended, Ended::Complete);
    assert_eq!(text(&streamed.body()), "data: 1\n\ndata: 2\n\n");
    assert!(streamed.chunks[1].after > first.after, "{streamed:?}");
    // The same, read at once.
    let reply = driver.invoke(&request("/three")).await.http();
    assert_eq!((reply.status, reply.text()), (201, "data: 0\n\ndata: 1\n\ndata: 2\n\n"));
}

#[tokio::test]
async fn an_error_in_the_middle_is_recognised_where_the_runtime_writes_it() {
    let driver = Driver::start(&stand_in("streaming"));
    let invocation = driver.invoke(&request("/fail")).await;
    let streamed = invocation.streamed();
    let error = streamed.trailer_error().unwrap();
    assert_eq!(error.error_type, "Runtime.StreamError");
    assert_eq!(error.message, "the stand-in fails in the middle");
    // This is what a client sees, and why no body may fail once it has begun.
    assert_eq!(streamed.ended, Ended::FailedInBody(error.clone()));
    let body = streamed.body();
    assert!(text(&body).contains("Lambda-Runtime-Function-Error-Type"), "{body:?}");
    assert_eq!(driver.invoke(&request("/three")).await.http().status, 201);
}

#[tokio::test]
async fn an_error_in_trailers_is_no_part_of_the_body() {
    let driver = Driver::start(&stand_in("trailers"));
    let invocation = driver.invoke(&request("/")).await;
    let streamed = invocation.streamed();
    assert_eq!((streamed.status, text(&streamed.body())), (200, "hi"));
    let error = streamed.trailer_error().unwrap();
    assert_eq!((error.error_type.as_str(), error.message.as_str()), ("Stand.In", "out of ink"));
    assert_eq!(streamed.ended, Ended::Failed(error.clone()));
}

#[tokio::test]
async fn an_error_before_the_stream_is_an_ordinary_one() {
    let driver = Driver::start(&stand_in("streaming"));
    match driver.invoke_streaming(&request("/error")).await.unwrap_err().outcome {
        Outcome::Error(error) => assert!(error.message.contains("before it streams"), "{error:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_panic_in_the_middle_looks_like_the_end() {
    let driver = Driver::start(&stand_in("streaming"));
    let invocation = driver.invoke(&request("/panic")).await;
    let streamed = invocation.streamed();
    assert_eq!((&streamed.ended, text(&streamed.body())), (&Ended::Complete, "data: 0\n\n"));
    driver.log_line("the stand-in panics in the middle").await;
    assert_eq!(driver.invoke(&request("/three")).await.http().status, 201);
}

#[tokio::test]
async fn the_end_of_the_process_cuts_the_stream() {
    let driver = Driver::start(&stand_in("streaming"));
    let invocation = driver.invoke(&request("/exit")).await;
    assert_eq!(invocation.streamed().ended, Ended::Cut);
    assert_eq!(driver.exit().await.code(), Some(3));
}

#[tokio::test]
async fn the_timeout_cuts_the_stream() {
    let bootstrap = stand_in("streaming").timeout(std::time::Duration::from_millis(200));
    let driver = Driver::start(&bootstrap);
    driver.first_poll().await;
    let invocation = driver.invoke(&request("/sleep")).await;
    let streamed = invocation.streamed();
    assert_eq!((&streamed.ended, text(&streamed.body())), (&Ended::TimedOut, "data: 0\n\n"));
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_in_the_function_too() {
    let driver = Driver::start(&stand_in("streaming"));
    let mut streaming = driver.invoke_streaming(&request("/endless")).await.unwrap();
    assert!(streaming.next_chunk().await.is_some());
    drop(streaming);
    driver.log_line("410 Gone").await;
    driver.log_line("stream was dropped").await;
    assert_eq!(driver.invoke(&request("/three")).await.http().status, 201);
}

#[tokio::test]
async fn a_stream_that_is_severed_ends_the_function() {
    let driver = Driver::start(&stand_in("streaming"));
    let mut streaming = driver.invoke_streaming(&request("/endless")).await.unwrap();
    assert!(streaming.next_chunk().await.is_some());
    streaming.sever();
    driver.log_line("stream was dropped").await;
    assert_eq!(driver.exit().await.code(), Some(1));
}
