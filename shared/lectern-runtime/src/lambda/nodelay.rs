//! Small writes that leave at once.
//!
//! The runtime's client leaves Nagle's algorithm on (RFC 896): the second small event of a stream waits for the first one's
//! acknowledgement, which the other side delays by up to 40 ms. Nothing lets us configure that client, so its socket is found
//! among the process's own by its peer.

/// Switches Nagle's algorithm off on every connection to the Runtime API there is: the client opens another one now and
/// then, so each invocation looks, in some tens of microseconds. Where that cannot be done streams are slower and
/// nothing else.
pub(super) fn switch_off() {
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

    /// A descriptor of our own is reached through the process's own handle (pidfd_getfd(2)), which duplicates it: the option
    /// belongs to the socket that both share.
    pub(super) fn switch_off() -> io::Result<()> {
        let Some(peer) = runtime_api() else { return Ok(()) };
        let myself = pidfd_open(getpid(), PidfdFlags::empty())?;
        for entry in std::fs::read_dir("/proc/self/fd")? {
            let name = entry?.file_name();
            let Some(descriptor) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
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
