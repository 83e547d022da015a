//! The server's connections: bounded in number and in time, so that slow clients and many of them cost the others little.

mod admission;
mod pace;
#[cfg(test)]
mod tests;

use std::{io, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use self::admission::RoomLimits;
pub(crate) use self::admission::{Rooms, admit, admit_upload};

/// Most connections at once; more wait until one ends.
const MAX_CONNECTIONS: usize = 12_000;
/// How long a client may take to send a request's headers, and be silent before the first request and between two.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take nothing of a response that waits for it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause when no connection can be accepted, because files are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What clients may take of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections at once.
    connections: usize,
    /// How long headers may take, and the silence before them.
    headers: Duration,
    /// How long a client may take nothing of a response that waits for it.
    writes: Duration,
    /// Room for requests.
    requests: RoomLimits,
    /// Room for uploads.
    uploads: RoomLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            headers: HEADER_TIMEOUT,
            writes: WRITE_TIMEOUT,
            requests: RoomLimits::REQUESTS,
            uploads: RoomLimits::UPLOADS,
        }
    }
}

/// Serves until `stopped`, then lets requests under way finish.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stopped: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut stopped = std::pin::pin!(stopped);
    // HTTP/1.1 only: a browser speaks HTTP/2 over TLS, which ends before this server, and a proxy speaks HTTP/1.1 to it unless
    // told otherwise. So nothing waits for the version a client speaks, and no connection lives by answering pings.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.headers);
    loop {
        let accepting = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stopped => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        // A token of an answer is a small write that must not wait for the next.
        if let Err(error) = stream.set_nodelay(true) {
            warn!(%error, "failed to set TCP_NODELAY");
        }
        let service = router.clone().map_request(move |request: http::Request<_>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let service = TowerToHyperService::new(service);
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(limits.writes));
        let stream = TokioIo::new(Box::pin(stream));
        let connection = builder.serve_connection(stream, service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    warn!(%error, "failed to accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
