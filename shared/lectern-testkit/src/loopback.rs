//! A server on the loopback, on a thread of its own, so that tests with a stopped clock, and tests of other
//! processes, can use it too.

use std::{net::SocketAddr, thread};

#[cfg(any(feature = "chat", feature = "collector", feature = "issuer", feature = "lambda"))]
use axum::serve::ListenerExt as _;
use tokio::{net::TcpListener, sync::oneshot};

/// A running server.
#[derive(Debug)]
pub(crate) struct Loopback {
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

impl Loopback {
    /// Serves `router` on a free port.
    #[cfg(any(feature = "chat", feature = "collector", feature = "issuer", feature = "lambda"))]
    pub(crate) fn start(router: axum::Router) -> Self {
        // Servers of models send each token at once.
        let serve = |listener: TcpListener| async move {
            let listener = listener.tap_io(|connection| connection.set_nodelay(true).unwrap());
            axum::serve(listener, router).await.unwrap();
        };
        Self::serve(serve)
    }

    /// Serves whatever `server` does with a listener on a free port.
    pub(crate) fn serve<Server, Serving>(server: Server) -> Self
    where
        Server: FnOnce(TcpListener) -> Serving + Send + 'static,
        Serving: Future<Output = ()> + Send,
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            tokio::select! {
                () = server(TcpListener::from_std(listener).unwrap()) => (),
                _ = stopped => (),
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = thread::spawn(move || runtime.block_on(serve));
        Self { address, running: Some((stop, thread)) }
    }

    /// Returns the address, without a slash at its end.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the server. Returns whether it was running.
    pub(crate) fn stop(&mut self) -> bool {
        let Some((stop, thread)) = self.running.take() else { return false };
        // The thread may have ended by itself; then there is nothing to stop.
        let _ = stop.send(());
        thread.join().unwrap();
        true
    }
}
