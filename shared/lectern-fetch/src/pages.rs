//! Documents by their address, as somebody else named it: parse → allowed? → resolve → every address public? → read, bounded.
//!
//! Whoever names an address decides what this process connects to, from where it stands: inside a network, beside a metadata
//! service. So an address is allowed by what it resolves to, at the moment of connecting: the addresses that are
//! checked are those that are connected to, and a name that answers differently the second time gains nothing (DNS
//! rebinding). Every redirect goes through the same. Nothing is asked of a proxy, which would resolve names by itself.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    web::{Hosts, MAX_URL_BYTES, PAGE_TIMEOUT, Page, PageError, WebReader},
};
use reqwest::{
    Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};
use thiserror::Error;
use tokio::time::timeout;
use url::{Host, Url};

use crate::{addresses::is_public, bounded};

/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most addresses of a name that are looked at.
const MAX_ADDRESSES: usize = 32;
/// Who asks.
const USER_AGENT: &str = concat!("Lectern/", env!("CARGO_PKG_VERSION"));

/// Reads documents from hosts the operator allows.
#[derive(Clone, Debug)]
pub struct Pages {
    client: Client,
    hosts: Hosts,
    rules: Rules,
}

/// What is read. Tests of this crate alone have other rules than the default.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// Whether an address is outside.
    is_outside: fn(IpAddr) -> bool,
    /// Whether only https on its usual port is read.
    https_only: bool,
    /// How long one document may take.
    timeout: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { is_outside: is_public, https_only: true, timeout: PAGE_TIMEOUT }
    }
}

/// Returns who reads documents from these hosts; nobody where there is none.
///
/// # Errors
/// When the TLS stack cannot be set up.
pub fn reader(hosts: &Hosts) -> Result<Option<Arc<dyn WebReader>>, PortError> {
    if hosts.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Pages::new(hosts.clone())?)))
}

impl Pages {
    /// Returns a reader of documents from these hosts.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up.
    pub fn new(hosts: Hosts) -> Result<Self, PortError> {
        Self::with(hosts, Rules::default(), Arc::new(SystemLookup))
    }

    fn with(hosts: Hosts, rules: Rules, lookup: Arc<dyn Resolve>) -> Result<Self, PortError> {
        crate::get::ensure_tls();
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(PublicOnly { rules, lookup }))
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| PortError::new(ErrorKind::Internal, "set up TLS", error))?;
        Ok(Self { client, hosts, rules })
    }

    async fn follow(&self, address: &str, max_bytes: usize) -> Result<Page, PageError> {
        let mut url = self.checked(address)?;
        for _ in 0..=MAX_REDIRECTS {
            let sent = self.client.get(url.clone()).send().await;
            let response = sent.map_err(unreachable)?;
            if response.status().is_redirection() && response.status() != StatusCode::NOT_MODIFIED {
                let next = response.headers().get(header::LOCATION);
                let next = next.and_then(|value| url.join(value.to_str().ok()?).ok());
                url = self.checked(next.ok_or(PageError::Redirects)?.as_str())?;
                continue;
            }
            if response.status() != StatusCode::OK {
                return Err(PageError::Status(response.status().as_u16()));
            }
            return whole(&url, response, max_bytes).await;
        }
        Err(PageError::Redirects)
    }

    /// Returns an address that may be asked; one that is written in numbers is looked at here, for nothing resolves it.
    fn checked(&self, address: &str) -> Result<Url, PageError> {
        if address.len() > MAX_URL_BYTES {
            return Err(PageError::Address);
        }
        let url = Url::parse(address).map_err(|_| PageError::Address)?;
        let is_usual = !self.rules.https_only || (url.scheme() == "https" && url.port().is_none());
        if !is_usual || !url.username().is_empty() || url.password().is_some() {
            return Err(PageError::Address);
        }
        let in_numbers = match url.host().ok_or(PageError::Address)? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        };
        if in_numbers.is_some_and(|address| !(self.rules.is_outside)(address)) {
            return Err(PageError::Inside);
        }
        match url.host_str() {
            Some(host) if self.hosts.allow(host) => Ok(url),
            _ => Err(PageError::Host),
        }
    }
}

#[async_trait]
impl WebReader for Pages {
    async fn read(&self, address: &str, max_bytes: usize) -> Result<Page, PageError> {
        let read = timeout(self.rules.timeout, self.follow(address, max_bytes)).await;
        read.unwrap_or(Err(PageError::TimedOut))
    }
}

/// A name has an address inside.
#[derive(Debug, Error)]
#[error("the name has an address that is not on the public internet")]
struct LeadsInside;

/// Resolves names as the system does.
struct SystemLookup;

impl Resolve for SystemLookup {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Resolves names to public addresses. A name of which one address is inside is refused whole: it is not what it seems.
struct PublicOnly {
    rules: Rules,
    lookup: Arc<dyn Resolve>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let Rules { is_outside, .. } = self.rules;
        let found = self.lookup.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = found.await?.take(MAX_ADDRESSES).collect();
            if !found.iter().all(|address| is_outside(address.ip())) {
                return Err(LeadsInside.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

fn unreachable(error: reqwest::Error) -> PageError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if inner.is::<LeadsInside>() {
            return PageError::Inside;
        }
        cause = inner.source();
    }
    PageError::Unreachable(error.without_url().into())
}

async fn whole(url: &Url, response: Response, max_bytes: usize) -> Result<Page, PageError> {
    let said = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = said.and_then(|said| said.split(';').next());
    let media_type = media_type.map(|essence| essence.trim().to_ascii_lowercase());
    let bytes = bounded::body(response, max_bytes).await.map_err(unreachable)?;
    let bytes = bytes.ok_or(PageError::TooLarge(max_bytes))?;
    let last = url.path_segments().and_then(|mut parts| parts.next_back());
    let name = last.filter(|name| !name.is_empty());
    let name =
        name.map(|name| percent_encoding::percent_decode_str(name).decode_utf8_lossy().into());
    Ok(Page { bytes, name, media_type })
}

#[cfg(test)]
mod tests;
