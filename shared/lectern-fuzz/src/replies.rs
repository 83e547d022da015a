//! Events of a chat model: however they are cut, a reply ends once, with `Done` or an error.

use std::{sync::LazyLock, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use lectern_core::ports::ChatEvent;
use lectern_models::{http::ReplyLimits, openai::replayed};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

const LIMITS: ReplyLimits = ReplyLimits {
    connect: Duration::from_secs(1),
    first_event: Duration::from_secs(1),
    stall: Duration::from_secs(1),
    line_bytes: 1_000,
    body_bytes: 10_000,
};

/// Pieces as they arrive: the first byte says how long each is.
pub(crate) fn replies(bytes: &[u8]) {
    let Some((length, bytes)) = super::chosen(bytes) else { return };
    let pieces = bytes.chunks(length.max(1)).map(Bytes::copy_from_slice).collect();
    let events = RUNTIME.block_on(replayed(pieces, LIMITS).collect::<Vec<_>>());
    let (last, before) = events.split_last().expect("a reply ends");
    assert!(matches!(last, Ok(ChatEvent::Done { .. }) | Err(_)), "{last:?}");
    assert!(before.iter().all(|event| matches!(event, Ok(ChatEvent::Token(_)))), "{before:?}");
    let text: usize = before
        .iter()
        .map(|event| match event {
            Ok(ChatEvent::Token(token)) => token.len(),
            _ => 0,
        })
        .sum();
    assert!(text <= LIMITS.body_bytes * 3, "no more than came, but for marks of what is no UTF-8");
}
