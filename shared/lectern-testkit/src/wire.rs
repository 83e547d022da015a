//! A connection between a program and what it depends on, which fails as told: for programs whose ports cannot be decorated.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::loopback::Loopback;

/// What is wrong with a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Each request arrives so much later.
    Slow(Duration),
    /// Each request is answered with 500.
    Failing,
    /// Every second piece of a request ends the connection.
    Flapping,
    /// Each request is answered with a page that has nothing to do with it, as a captive portal does.
    Wrong,
    /// Takes requests and never answers.
    Silent,
    /// Closes every connection.
    Gone,
}

const FAILED: &[u8] =
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 20\r\nconnection: close\r\n\r\n<html>Log in!</html>";

/// A wire to a server.
#[derive(Debug)]
pub struct Wire {
    loopback: Loopback,
    fault: watch::Sender<Fault>,
}

impl Wire {
    /// Returns a wire to `upstream`, `http://127.0.0.1:4000`, that carries everything.
    ///
    /// # Panics
    /// When that is no address.
    #[must_use]
    pub fn to(upstream: &str) -> Self {
        let address = upstream.trim_start_matches("http://").trim_end_matches('/');
        let address: SocketAddr = address.parse().expect("a wire goes to an address and port");
        let (fault, told) = watch::channel(Fault::None);
        let loopback = Loopback::serve(move |listener| serve(listener, address, told));
        Self { loopback, fault }
    }

    /// Returns the address that stands for the server's.
    #[must_use]
    pub fn url(&self) -> String {
        self.loopback.base_url()
    }

    /// Makes it fail from now on, connections that are open as well; [`Fault::None`] heals it.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn serve(listener: TcpListener, upstream: SocketAddr, fault: watch::Receiver<Fault>) {
    let pieces = Arc::new(AtomicUsize::new(0));
    loop {
        let (client, _) = listener.accept().await.expect("the loopback accepts");
        let (fault, pieces) = (fault.clone(), Arc::clone(&pieces));
        tokio::spawn(async move {
            // An end that went away is what this is for.
            let _ = carry(client, upstream, fault, &pieces).await;
        });
    }
}

/// Carries bytes both ways until either end, or the fault, ends it.
async fn carry(
    mut client: TcpStream,
    upstream: SocketAddr,
    mut fault: watch::Receiver<Fault>,
    pieces: &AtomicUsize,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        if *fault.borrow_and_update() == Fault::Gone {
            return Ok(());
        }
        tokio::select! {
            read = client.read(&mut asked) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                // As it is now, not as it was when it began to wait.
                let now = *fault.borrow_and_update();
                match now {
                    Fault::None => {}
                    Fault::Slow(late) => tokio::time::sleep(late).await,
                    Fault::Failing => return client.write_all(FAILED).await,
                    Fault::Wrong => return client.write_all(PAGE).await,
                    Fault::Flapping if pieces.fetch_add(1, Ordering::Relaxed) % 2 == 1 => return Ok(()),
                    Fault::Flapping => {}
                    Fault::Silent => continue,
                    Fault::Gone => return Ok(()),
                }
                server.write_all(&asked[..read]).await?;
            }
            read = server.read(&mut answered) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                client.write_all(&answered[..read]).await?;
            }
            changed = fault.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
        }
    }
}
