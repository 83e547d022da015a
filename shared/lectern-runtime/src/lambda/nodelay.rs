//! Small writes that leave at once.
//!
//! The runtime's client leaves Nagle's algorithm on (RFC 896): the second small event of a stream waits for the first one's
//! acknowledgement, which the other side delays by up to 40 ms. Nothing lets us configure that client, so its socket is found
//! among the process's own by its peer.

use std::sync::atomic::{AtomicBool, Ordering};

static DONE: AtomicBool = AtomicBool::new(false);

/// Switches Nagle's algorithm off on the connection to the Runtime API, at the first call. Where that cannot be done
/// streams are slower and nothing else.
pub(super) fn once() {
    if DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = linux::switch_off() {
        tracing::debug!(%error, "small writes may be delayed");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{io, net::SocketAddr};

    use rustix::{
        net::{SocketAddrAny, getpeername, sockopt::set_tcp_nodelay},
        process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
    };

    /// Most descriptors that are looked at.
    const MAX_DESCRIPTORS: i32 = 256;

    /// A descriptor of our own is reached through the process's own handle (pidfd_getfd(2)), which duplicates it: the option
    /// belongs to the socket that both share.
    pub(super) fn switch_off() -> io::Result<()> {
        let Some(peer) = runtime_api() else { return Ok(()) };
        let myself = pidfd_open(getpid(), PidfdFlags::empty())?;
        for descriptor in 3..MAX_DESCRIPTORS {
            let Ok(copy) = pidfd_getfd(&myself, descriptor, PidfdGetfdFlags::empty()) else {
                continue;
            };
            let address = getpeername(&copy).ok().flatten();
            if address.and_then(to_std) == Some(peer) {
                set_tcp_nodelay(&copy, true)?;
            }
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the platform's own variable, no setting")]
    fn runtime_api() -> Option<SocketAddr> {
        std::env::var("AWS_LAMBDA_RUNTIME_API").ok()?.parse().ok()
    }

    fn to_std(address: SocketAddrAny) -> Option<SocketAddr> {
        SocketAddr::try_from(address).ok()
    }
}
