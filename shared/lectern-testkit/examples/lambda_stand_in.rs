//! A function that behaves as its `MODE` and the paths of its events say: what the driver is tested with.
#![allow(clippy::unwrap_used, reason = "only tests start it; a panic is its report")]
#![allow(clippy::print_stdout, reason = "the driver reads both outputs")]

use std::{
    env,
    io::{Error as IoError, Read, Write},
    net::TcpStream,
    process,
    time::Duration,
};

use axum::body::{Body, Bytes};
use lambda_http::{Error, Request, RequestExt, Response, service_fn, tracing};
use serde_json::json;
use tokio::time::sleep;

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(600);
/// Between the pieces of a stream.
const PAUSE: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    eprintln!("stand-in starts");
    let mode = env::var_os("MODE").and_then(|mode| mode.into_string().ok());
    match mode.as_deref() {
        Some("streaming") => lambda_http::run_with_streaming_response(service_fn(streamed)).await,
        Some("init-error") => {
            let report = r#"{"errorType":"Stand.In","errorMessage":"no pepper"}"#;
            post("/2018-06-01/runtime/init/error", "", report);
            Err("no pepper".into())
        }
        Some("init-panic") => panic!("the stand-in panics at init"),
        Some("trailers") => trailers().await,
        Some("rude") => loop {
            next();
        },
        _ => lambda_http::run(service_fn(buffered)).await,
    }
}

async fn buffered(request: Request) -> Result<Response<String>, Error> {
    let body = match request.uri().path() {
        "/error" => return Err("the stand-in fails".into()),
        "/panic" => panic!("the stand-in panics"),
        "/exit" => process::exit(3),
        "/sleep" => {
            sleep(LONG).await;
            String::new()
        }
        "/large" => "x".repeat(7 * 1024 * 1024),
        path => {
            println!("stand-in answers {path}");
            json!({
                "method": request.method().as_str(),
                "path": path,
                "tags": request.query_string_parameters().all("tag"),
                "key": request.headers()["authorization"].to_str()?,
                "body": request.body().to_vec(),
                "function": request.lambda_context().invoked_function_arn,
                "home": env::var_os("HOME").is_some(),
            })
            .to_string()
        }
    };
    let response = Response::builder().header("content-type", "application/json");
    Ok(response.header("set-cookie", "a=1").header("set-cookie", "b=2").body(body)?)
}

async fn streamed(request: Request) -> Result<Response<Body>, Error> {
    let path = request.uri().path().to_owned();
    if path == "/error" {
        return Err("the stand-in fails before it streams".into());
    }
    let response = Response::builder().status(201).header("content-type", "text/event-stream");
    Ok(response.header("set-cookie", "a=1").body(Body::from_stream(pieces(path)))?)
}

/// Tells when a stream is dropped, at its end or before.
struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        eprintln!("stand-in's stream was dropped");
    }
}

fn pieces(path: String) -> impl futures::Stream<Item = Result<Bytes, IoError>> {
    let dropped = Dropped;
    async_stream::stream! {
        let _dropped = dropped;
        for number in 0_u32.. {
            yield Ok(Bytes::from(format!("data: {number}\n\n")));
            sleep(PAUSE).await;
            match path.as_str() {
                "/fail" => {
                    yield Err(IoError::other("the stand-in fails in the middle"));
                    break;
                }
                "/panic" => panic!("the stand-in panics in the middle"),
                "/exit" => process::exit(3),
                "/sleep" => sleep(LONG).await,
                "/endless" => {}
                _ if number == 2 => break,
                _ => {}
            }
        }
    }
}

/// Answers one event with a stream that ends in the trailers of an error, as the Runtime API's documentation has
/// it.
async fn trailers() -> Result<(), Error> {
    let id = next();
    // {"errorMessage":"out of ink"}
    let body = "eyJlcnJvck1lc3NhZ2UiOiJvdXQgb2YgaW5rIn0=";
    let chunks = format!(
        "16\r\n{{\"statusCode\":200}}\0\0\0\0\r\n6\r\n\0\0\0\0hi\r\n0\r\n\
         Lambda-Runtime-Function-Error-Type: Stand.In\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n"
    );
    let headers = "Lambda-Runtime-Function-Response-Mode: streaming\r\n\
         Content-Type: application/vnd.awslambda.http-integration-response\r\nTransfer-Encoding: chunked\r\n";
    post(&format!("/2018-06-01/runtime/invocation/{id}/response"), headers, &chunks);
    sleep(LONG).await;
    Ok(())
}

/// Takes an event and returns its id.
fn next() -> String {
    let answer = ask("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n", "");
    let id = answer.lines().find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: "));
    id.unwrap().to_owned()
}

fn post(path: &str, headers: &str, body: &str) {
    let length = if headers.contains("chunked") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    ask(&format!("POST {path} HTTP/1.1\r\n{headers}{length}"), body);
}

fn ask(head: &str, body: &str) -> String {
    let address = env::var_os("AWS_LAMBDA_RUNTIME_API").unwrap().into_string().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("{head}Host: runtime\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
