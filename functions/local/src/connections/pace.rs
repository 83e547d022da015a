//! How fast a client must send a request's body.

use std::{io, time::Duration};

use axum::{
    BoxError,
    body::{Body, HttpBody as _},
};
use futures::{TryStreamExt as _, stream::try_unfold};
use tokio::time::{Instant, timeout_at};

/// How long a client may be silent while it sends a body.
const BODY_SILENCE: Duration = Duration::from_secs(20);
/// How long a whole body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Least speed of uploads beyond [`BODY_TIMEOUT`], in bytes a second: half a megabit. The largest document of the default
/// settings, 50 MB, has 13 minutes.
const LEAST_UPLOAD_SPEED: u64 = 64 * 1024;

/// How fast a client must send a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long it may be silent.
    pub(super) silence: Duration,
    /// How long the whole may take.
    pub(super) whole: Duration,
    /// Bytes that earn the whole another second; `None` where none do.
    pub(super) speed: Option<u64>,
}

impl Pace {
    /// Of requests, whose bodies are small.
    pub(super) const REQUESTS: Self =
        Self { silence: BODY_SILENCE, whole: BODY_TIMEOUT, speed: None };
    /// Of uploads.
    pub(super) const UPLOADS: Self = Self { speed: Some(LEAST_UPLOAD_SPEED), ..Self::REQUESTS };

    /// Returns `body`, which fails with [`io::ErrorKind::TimedOut`] when its sender falls behind.
    pub(super) fn keep(self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let begun = Instant::now();
        let pieces = body.into_data_stream();
        let paced = try_unfold((pieces, 0_u64), move |(mut pieces, received)| async move {
            let until = self.until(begun, Instant::now(), received);
            let Ok(next) = timeout_at(until, pieces.try_next()).await else {
                return Err(behind(received, begun.elapsed()));
            };
            let piece = next.map_err(BoxError::from)?;
            Ok(piece.map(|piece| {
                let received = received.saturating_add(piece.len() as u64);
                (piece, (pieces, received))
            }))
        });
        Body::from_stream(paced)
    }

    /// Returns until when the next piece of a body must come of which `received` bytes are there.
    fn until(&self, begun: Instant, now: Instant, received: u64) -> Instant {
        let earned = self.speed.map_or(0, |speed| received / speed);
        let whole = self.whole + Duration::from_secs(earned);
        (now + self.silence).min(begun + whole)
    }
}

fn behind(received: u64, took: Duration) -> BoxError {
    let reason = format!("{received} bytes of a body came in {took:.1?}");
    io::Error::new(io::ErrorKind::TimedOut, reason).into()
}

#[cfg(test)]
mod tests {
    use axum::body::{Bytes, to_bytes};
    use futures::{Stream, StreamExt as _, stream};

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    /// Longer than any test may take.
    const FOREVER: Duration = Duration::from_secs(3_600);

    fn seconds(from: Instant, to: Instant) -> u64 {
        to.duration_since(from).as_secs()
    }

    #[test]
    fn large_uploads_have_the_time_that_the_least_speed_takes() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let megabyte = 1 << 20;
        for (pace, now, received, expected) in [
            (Pace::REQUESTS, 0, 0, 20),
            (Pace::REQUESTS, 5, 1, 25),
            (Pace::REQUESTS, 29, 2, 30),
            (Pace::REQUESTS, 29, megabyte, 30),
            (Pace::UPLOADS, 0, 0, 20),
            (Pace::UPLOADS, 29, 0, 30),
            (Pace::UPLOADS, 29, 64 * 1024 - 1, 30),
            (Pace::UPLOADS, 29, 64 * 1024, 31),
            (Pace::UPLOADS, 29, megabyte, 46),
            (Pace::UPLOADS, 100, 1_000 * megabyte, 120),
        ] {
            let until = pace.until(begun, after(now), received);
            assert_eq!(seconds(begun, until), expected, "{pace:?} {now} {received}");
        }
    }

    /// Returns a body of two bytes and whatever comes then.
    fn sent(pace: Pace, rest: impl Stream<Item = u8> + Send + 'static) -> Body {
        let pieces = stream::iter(*b"ab").chain(rest);
        let pieces = pieces.map(|byte| Ok::<_, io::Error>(Bytes::from(vec![byte])));
        pace.keep(Body::from_stream(pieces))
    }

    fn is_timeout(error: &axum::Error) -> bool {
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return io.kind() == io::ErrorKind::TimedOut;
            }
            cause = error.source();
        }
        false
    }

    #[tokio::test]
    async fn a_body_that_comes_in_time_is_whole() {
        let pace = Pace { silence: FOREVER, whole: FOREVER, speed: None };
        let body = sent(pace, stream::iter(*b"cd"));
        assert_eq!(to_bytes(body, 100).await.unwrap(), "abcd");
        assert!(pace.keep(Body::empty()).is_end_stream());
    }

    #[tokio::test]
    async fn silence_ends_a_body_and_so_does_a_byte_now_and_then() {
        let silent = Pace { silence: SHORT, whole: FOREVER, speed: None };
        let error = to_bytes(sent(silent, stream::pending()), 100).await.unwrap_err();
        assert!(is_timeout(&error), "{error:?}");

        // It is never silent, and never comes to an end.
        let dribble = stream::unfold((), |()| async {
            tokio::task::yield_now().await;
            Some((b'x', ()))
        });
        let slow = Pace { silence: FOREVER, whole: SHORT, speed: None };
        let error = to_bytes(sent(slow, dribble), usize::MAX).await.unwrap_err();
        assert!(is_timeout(&error), "{error:?}");
    }
}
