//! Documents by their address: what is read, and why it is not.

use std::{error::Error, fmt::Debug, time::Duration};

use async_trait::async_trait;
use thiserror::Error;

pub use self::hosts::{Hosts, MAX_HOSTS, NotHosts};

mod hosts;

/// Longest address in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// How long one document may take, redirects and all.
pub const PAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// A document that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The last part of its address, `None` where that is empty.
    pub name: Option<String>,
    /// What its server says it is (RFC 9110, section 8.3.1): `text/html`, in lower case and without parameters.
    pub media_type: Option<String>,
}

/// Why a document was not read, in words for whoever named its address.
#[derive(Debug, Error)]
pub enum PageError {
    /// No address that is read.
    #[error(
        "must be an https:// address of at most {MAX_URL_BYTES} bytes, on the usual port and without a password"
    )]
    Address,
    /// The operator does not allow this host.
    #[error("this server reads no documents from there; its operator can allow the host")]
    Host,
    /// It leads inside.
    #[error("leads to an address that is not on the public internet")]
    Inside,
    /// Too many redirects, or one without a place.
    #[error("redirects too often, or to nowhere")]
    Redirects,
    /// Another status than 200.
    #[error("answers with status {0}")]
    Status(u16),
    /// More than may be read, in bytes.
    #[error("is larger than {0} bytes")]
    TooLarge(usize),
    /// It took longer than [`PAGE_TIMEOUT`].
    #[error("did not answer in {} seconds", PAGE_TIMEOUT.as_secs())]
    TimedOut,
    /// It cannot be reached.
    #[error("cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
}

/// Reads documents by addresses somebody else named.
///
/// Contract: nothing is connected to that is not on the public internet, whatever it is called, resolves to or redirects to; no
/// more than `max_bytes` is read, and no longer than [`PAGE_TIMEOUT`].
#[async_trait]
pub trait WebReader: Send + Sync + Debug {
    /// Returns the document at an address.
    async fn read(&self, address: &str, max_bytes: usize) -> Result<Page, PageError>;
}
