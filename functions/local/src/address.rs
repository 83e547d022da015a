//! Where the process listens that serves a data directory: told by a file in it to whoever finds the directory in use.
//!
//! The file is a courtesy. One that a killed process left says nothing to anybody: what it names is tried first, and the next
//! process that opens the directory removes it.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

/// The file's name in a data directory.
const FILE: &str = "address";
/// How long the address may take to answer; it is this machine's.
const TRY_TIMEOUT: Duration = Duration::from_millis(200);
/// Largest file that is read: an address is far shorter.
const MAX_BYTES: u64 = 256;

/// The file, removed when dropped.
#[derive(Debug)]
pub(crate) struct Told(PathBuf);

impl Drop for Told {
    fn drop(&mut self) {
        // Whoever reads it meanwhile finds that nobody answers there.
        drop(fs::remove_file(&self.0));
    }
}

/// Says that the directory is served at an address.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn tell(data: &Path, address: SocketAddr) -> io::Result<Told> {
    let path = data.join(FILE);
    fs::write(&path, from_here(address).to_string())?;
    Ok(Told(path))
}

/// Removes what a killed process left. For who has the directory.
pub(crate) fn forget(data: &Path) {
    drop(fs::remove_file(data.join(FILE)));
}

/// Returns the address at which the directory is served, as `--api` wants it; `None` when nobody says so or nobody answers there.
pub(crate) fn of(data: &Path) -> Option<String> {
    let path = data.join(FILE);
    if fs::metadata(&path).ok()?.len() > MAX_BYTES {
        return None;
    }
    let address: SocketAddr = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
    TcpStream::connect_timeout(&address, TRY_TIMEOUT).ok()?;
    Some(format!("http://{address}"))
}

/// Returns the address by which this machine reaches itself.
fn from_here(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_address_is_told_while_somebody_answers_there() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(of(data.path()), None);
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = tell(data.path(), listener.local_addr().unwrap()).unwrap();
        assert_eq!(of(data.path()), Some(format!("http://127.0.0.1:{port}")));
        drop(listener);
        assert_eq!(of(data.path()), None, "nobody answers");
        drop(told);
        assert!(!data.path().join(FILE).exists());
    }

    #[test]
    fn what_is_no_address_is_passed_over() {
        let data = tempfile::tempdir().unwrap();
        let long = "1".repeat(1_000);
        for text in ["", "nonsense", "127.0.0.1", &long] {
            fs::write(data.path().join(FILE), text).unwrap();
            assert_eq!(of(data.path()), None, "{text}");
        }
        forget(data.path());
        forget(data.path());
        assert!(!data.path().join(FILE).exists());
    }
}
