//! Streamed answers: API Gateway's prelude, the pieces as they come, the trailers of an error.

use std::time::{Duration, Instant};

use axum::{
    body::{Body, Bytes},
    http::HeaderMap,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    FunctionError,
    runtime_api::{Signal, Signals},
};

/// What stands between the prelude and the body.
const DELIMITER: [u8; 8] = [0; 8];
/// Within so many bytes API Gateway wants the delimiter.
const MAX_PRELUDE_BYTES: usize = 16 * 1024;
/// The trailers of an error in the middle of a stream.
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// A streamed answer, whole.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// The status of the prelude.
    pub status: u16,
    /// Its headers, in lower case, cookies among them.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub chunks: Vec<Chunk>,
    /// How it ended.
    pub ended: Ended,
}

impl Streamed {
    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let pieces: Vec<&[u8]> = self.chunks.iter().map(|chunk| chunk.bytes.as_ref()).collect();
        pieces.concat().into()
    }

    /// Returns the error the stream ended with, however it was told.
    #[must_use]
    pub fn trailer_error(&self) -> Option<&FunctionError> {
        match &self.ended {
            Ended::Failed(error) | Ended::FailedInBody(error) => Some(error),
            Ended::Complete | Ended::Cut | Ended::TimedOut => None,
        }
    }
}

/// A piece of a body: what the function wrote at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// When it came, since the function took the event.
    pub after: Duration,
    /// The bytes.
    pub bytes: Bytes,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As the function wanted.
    Complete,
    /// With the trailers of an error.
    Failed(FunctionError),
    /// With the trailers of an error as the last piece of the body, where the client sees them:
    /// `lambda_runtime` 1.5 writes them there.
    FailedInBody(FunctionError),
    /// With the connection, mostly because the process died.
    Cut,
    /// With the function's timeout: it was killed.
    TimedOut,
}

/// Status and headers of a streamed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
}

/// Nobody reads the stream any more.
#[derive(Debug)]
pub(super) struct HungUp;

/// Hands a streamed answer on, piece by piece. `plain` is the content type of one without a prelude.
pub(super) async fn pump(
    mut body: Body,
    plain: Option<String>,
    taken: Instant,
    signals: &Signals,
) -> Result<(), HungUp> {
    let mut prelude = plain.is_none().then(Vec::new);
    if let Some(content_type) = plain {
        let headers = vec![("content-type".to_owned(), content_type)];
        signals.send(Signal::Head(Head { status: 200, headers }));
    }
    let mut ended = Ended::Complete;
    loop {
        let frame = tokio::select! {
            biased;
            () = signals.closed() => return Err(HungUp),
            frame = body.frame() => frame,
        };
        let frame = match frame {
            None => break,
            Some(Err(_)) => {
                ended = Ended::Cut;
                break;
            }
            Some(Ok(frame)) => frame,
        };
        let bytes = match frame.into_data() {
            Ok(bytes) => bytes,
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                ended = in_trailers(&trailers).map_or(ended, Ended::Failed);
                continue;
            }
        };
        let bytes = match begin(&mut prelude, bytes, signals) {
            Ok(bytes) => bytes,
            Err(reason) => {
                signals.send(Signal::Malformed(reason));
                return Ok(());
            }
        };
        if let Some(error) = in_body(&bytes) {
            ended = Ended::FailedInBody(error);
        }
        if !bytes.is_empty() {
            signals.send(Signal::Chunk(Chunk { after: taken.elapsed(), bytes }));
        }
    }
    signals.send(match prelude {
        Some(begun) => Signal::Malformed(format!(
            "the stream ended ({ended:?}) before its prelude: {:?}",
            String::from_utf8_lossy(&begun)
        )),
        None => Signal::Ended(ended),
    });
    Ok(())
}

/// Takes bytes to the prelude while there is one, and returns those that follow it.
fn begin(prelude: &mut Option<Vec<u8>>, bytes: Bytes, signals: &Signals) -> Result<Bytes, String> {
    let Some(begun) = prelude else { return Ok(bytes) };
    begun.extend_from_slice(&bytes);
    let delimiter = begun.windows(DELIMITER.len()).position(|part| part == DELIMITER);
    if delimiter.unwrap_or(begun.len()) > MAX_PRELUDE_BYTES {
        return Err(format!("the prelude is longer than {MAX_PRELUDE_BYTES} bytes"));
    }
    let Some(delimiter) = delimiter else { return Ok(Bytes::new()) };
    signals.send(Signal::Head(head(&begun[..delimiter])?));
    let rest = begun.split_off(delimiter + DELIMITER.len());
    *prelude = None;
    Ok(rest.into())
}

/// Parses the prelude: `statusCode`, `headers`, `multiValueHeaders`, `cookies`.
fn head(prelude: &[u8]) -> Result<Head, String> {
    let prelude: Value = serde_json::from_slice(prelude)
        .map_err(|error| format!("the prelude is no JSON: {error}"))?;
    let status = prelude["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.ok_or_else(|| format!("the prelude has no `statusCode`: {prelude}"))?;
    let mut headers = super::reply::headers_of(&prelude);
    for cookie in prelude["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        headers.push(("set-cookie".to_owned(), cookie.to_owned()));
    }
    Ok(Head { status, headers })
}

fn in_trailers(trailers: &HeaderMap) -> Option<FunctionError> {
    let text = |name| trailers.get(name).and_then(|value| value.to_str().ok());
    Some(error(text(ERROR_TYPE)?, text(ERROR_BODY).unwrap_or("")))
}

/// Recognises trailers that were written as a piece of the body.
fn in_body(bytes: &[u8]) -> Option<FunctionError> {
    let lines = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n")?;
    let (first, second) = lines.split_once("\r\n")?;
    let (name, error_type) = first.split_once(": ")?;
    let (second_name, body) = second.split_once(": ")?;
    let is_error =
        name.eq_ignore_ascii_case(ERROR_TYPE) && second_name.eq_ignore_ascii_case(ERROR_BODY);
    is_error.then(|| error(error_type, body))
}

/// Returns an error from its two trailers; the body is base64 of JSON, or of a bare message.
fn error(error_type: &str, body: &str) -> FunctionError {
    let decoded = STANDARD.decode(body).unwrap_or_else(|_| body.as_bytes().to_vec());
    let report: Value = serde_json::from_slice(&decoded).unwrap_or_default();
    let message = report["errorMessage"].as_str().map(str::to_owned);
    FunctionError {
        error_type: error_type.to_owned(),
        message: message.unwrap_or_else(|| String::from_utf8_lossy(&decoded).into_owned()),
    }
}
