//! Connections opened before the first request.
//!
//! The init phase of a function has a full processor and costs no request any time: a TLS handshake there is one that no
//! user waits for.

use std::{future::Future, pin::Pin, time::Duration};

use futures::future::join_all;
use lectern_core::errors::{PortError, chain};
use tracing::{info, warn};

/// How long the init phase waits for connections. Lambda allows 10 s for all of it.
pub const WARM_UP: Duration = Duration::from_millis(1_500);

/// One connection: what it leads to, and a call that opens it.
pub type Warming<'a> =
    (&'static str, Pin<Box<dyn Future<Output = Result<(), PortError>> + Send + 'a>>);

/// Opens connections at the same time. One that fails is opened by the first request that needs it.
pub async fn warm_up(connections: Vec<Warming<'_>>) {
    let opened = connections.into_iter().map(|(name, call)| async move {
        match tokio::time::timeout(WARM_UP, call).await {
            Ok(Ok(())) => info!(dependency = name, "connected"),
            Ok(Err(error)) => {
                warn!(dependency = name, error = %chain(&error), "failed to connect ahead")
            }
            Err(_) => warn!(dependency = name, "did not connect in time"),
        }
    });
    join_all(opened).await;
}

#[cfg(test)]
mod tests {
    use lectern_core::errors::ErrorKind;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_or_fails_keeps_nobody() {
        let started = tokio::time::Instant::now();
        warm_up(vec![
            ("hangs", Box::pin(std::future::pending())),
            ("fails", Box::pin(async { Err(PortError::bare(ErrorKind::Unavailable, "test")) })),
            ("works", Box::pin(async { Ok(()) })),
        ])
        .await;
        assert_eq!(started.elapsed(), WARM_UP);
    }
}
