//! Bodies with a bound: nothing a server sends is buffered without one.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use lectern_core::errors::PortError;
use reqwest::Response;
use tokio::time::timeout;

use super::{ReplyLimits, failures};
use failures::Failure;

/// The pieces of a body, each with what went wrong instead.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Failure>> + Send>>;

/// Returns the pieces of `response`, ending in an error past [`ReplyLimits::body_bytes`] or when a line grows
/// past [`ReplyLimits::line_bytes`].
pub(crate) fn bounded(response: Response, limits: ReplyLimits) -> Pieces {
    bounded_pieces(response.bytes_stream().map(|piece| piece.map_err(Failure::from)), limits)
}

pub(crate) fn bounded_pieces(
    pieces: impl Stream<Item = Result<Bytes, Failure>> + Send + 'static,
    limits: ReplyLimits,
) -> Pieces {
    let mut received = 0;
    let mut line = 0;
    Box::pin(pieces.map(move |piece| {
        let piece = piece?;
        received += piece.len();
        if received > limits.body_bytes {
            return Err(Failure::TooLong { limit_bytes: limits.body_bytes });
        }
        for byte in &piece {
            line = if matches!(byte, b'\n' | b'\r') { 0 } else { line + 1 };
            if line > limits.line_bytes {
                return Err(Failure::LineTooLong { limit_bytes: limits.line_bytes });
            }
        }
        Ok(piece)
    }))
}

/// Returns the whole body of `response` if it arrives within `wait` and [`ReplyLimits::body_bytes`].
pub(crate) async fn whole(
    response: Response,
    limits: ReplyLimits,
    wait: Duration,
    operation: &'static str,
) -> Result<Vec<u8>, PortError> {
    // JSON may well stand on one line.
    let mut pieces = bounded(response, ReplyLimits { line_bytes: usize::MAX, ..limits });
    let collect = async {
        let mut body = Vec::new();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece?);
        }
        Ok(body)
    };
    let body: Result<_, Failure> =
        timeout(wait, collect).await.map_err(|_| failures::silent(operation, wait))?;
    body.map_err(|failure| failure.at(operation))
}
