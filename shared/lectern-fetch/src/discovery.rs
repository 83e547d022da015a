//! The keys an OpenID Connect issuer publishes: its configuration is read under its own identifier, and says where they are
//! (OpenID Connect Discovery 1.0, sections 3 and 4).

use std::sync::Arc;

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    issuers::Issuer,
    ports::IssuerKeys,
};
use serde::Deserialize;
use url::{Host, Url};

use crate::get::Getter;

const CONFIGURATION: &str = "read an issuer's configuration";
const KEYS: &str = "read an issuer's keys";

/// Reads keys where issuers publish them: over TLS, or from this machine.
#[derive(Debug, Default)]
pub struct Discovery {
    getter: Getter,
}

/// Returns who reads the keys of any issuer.
#[must_use]
pub fn published() -> Arc<dyn IssuerKeys> {
    Arc::new(Discovery::default())
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

#[async_trait]
impl IssuerKeys for Discovery {
    async fn fetch(&self, issuer: &Issuer) -> Result<Vec<u8>, PortError> {
        let address =
            format!("{}/.well-known/openid-configuration", issuer.issuer.trim_end_matches('/'));
        let address = trusted(&address, CONFIGURATION, true)?;
        let is_here = is_here(&address);
        let read = self.getter.json(CONFIGURATION, address).await?;
        let configuration: Configuration = serde_json::from_slice(&read)
            .map_err(|error| PortError::new(ErrorKind::Invalid, CONFIGURATION, error))?;
        // Section 4.3: else somebody who can answer for one issuer could answer for another.
        if configuration.issuer != issuer.issuer {
            let reason = "it is the configuration of another issuer";
            return Err(PortError::new(ErrorKind::Invalid, CONFIGURATION, reason));
        }
        self.getter.json(KEYS, trusted(&configuration.jwks_uri, KEYS, is_here)?).await
    }
}

/// Returns an address nobody on the way can answer for: over TLS or, where it `may_be_here`, on this machine. An issuer elsewhere
/// has its keys elsewhere: if it could send this process to itself, whatever listens here would answer for it.
fn trusted(address: &str, operation: &'static str, may_be_here: bool) -> Result<Url, PortError> {
    let url = Url::parse(address)
        .map_err(|error| PortError::new(ErrorKind::Invalid, operation, error))?;
    if url.scheme() == "https" || (url.scheme() == "http" && may_be_here && is_here(&url)) {
        Ok(url)
    } else {
        let reason = "its address must begin with https://";
        Err(PortError::new(ErrorKind::Invalid, operation, reason))
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error as _, time::Duration};

    use lectern_core::issuers::Issuers;
    use lectern_testkit::issuer::{IssuerServer, Signer};

    use super::*;
    use crate::get::MAX_BYTES;

    fn issuer(url: &str) -> Issuer {
        let settings = serde_json::json!([{
            "issuer": url, "audience": "a", "tenant": "acme", "permissions": ["query"]
        }]);
        let issuers: Issuers = settings.to_string().parse().unwrap();
        issuers.iter().next().unwrap().clone()
    }

    async fn fetch(server: &IssuerServer) -> Result<Vec<u8>, ErrorKind> {
        let found = Discovery::default().fetch(&issuer(&server.url())).await;
        found.map_err(|error| error.kind)
    }

    #[tokio::test]
    async fn keys_are_found_where_the_configuration_says() {
        let server = IssuerServer::start();
        server.publish(vec![Signer::new("one").jwk()]);
        let found: serde_json::Value =
            serde_json::from_slice(&fetch(&server).await.unwrap()).unwrap();
        assert_eq!(found["keys"][0]["kid"], "one");
    }

    #[tokio::test]
    async fn nobody_else_answers_for_an_issuer() {
        let server = IssuerServer::start();
        server.pretend("https://login.example.com");
        assert_eq!(fetch(&server).await, Err(ErrorKind::Invalid));
        server.pretend(&server.url());
        server.point_to("http://keys.example.com/");
        assert_eq!(fetch(&server).await, Err(ErrorKind::Invalid));
        server.point_to("file:///etc/passwd");
        assert_eq!(fetch(&server).await, Err(ErrorKind::Invalid));
        // What redirects elsewhere is not followed.
        server.point_to(&format!("{}/elsewhere", server.url()));
        assert_eq!(fetch(&server).await, Err(ErrorKind::Invalid));
    }

    #[tokio::test]
    async fn an_issuer_that_is_away_or_endless_is_an_error() {
        let server = IssuerServer::start();
        server.set_down(true);
        assert_eq!(fetch(&server).await, Err(ErrorKind::Unavailable));
        server.set_down(false);
        server.publish(vec![serde_json::json!("x".repeat(MAX_BYTES))]);
        assert_eq!(fetch(&server).await, Err(ErrorKind::TooLarge));
        let away = Discovery::default().fetch(&issuer("http://127.0.0.1:9")).await;
        assert_eq!(away.map_err(|error| error.kind), Err(ErrorKind::Unavailable));
    }

    #[tokio::test]
    async fn an_issuer_that_hangs_is_left() {
        // The system accepts the connection, and nobody answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let discovery = Discovery { getter: Getter::within(Duration::from_millis(200)) };
        let found = discovery.fetch(&issuer(&url)).await;
        assert_eq!(found.map_err(|error| error.kind), Err(ErrorKind::Timeout));
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for fine in [
            "https://login.example.com/x",
            "http://127.0.0.1:9/",
            "http://[::1]/",
            "http://localhost:1/",
        ] {
            assert!(trusted(fine, KEYS, true).is_ok(), "{fine}");
            let is_tls = fine.starts_with("https:");
            assert_eq!(trusted(fine, KEYS, false).is_ok(), is_tls, "{fine} of an issuer elsewhere");
        }
        for wrong in [
            "http://login.example.com/",
            "file:///etc/passwd",
            "http://127.0.0.1.example.com/",
            "login",
            "",
        ] {
            assert_eq!(trusted(wrong, KEYS, true).unwrap_err().kind, ErrorKind::Invalid, "{wrong}");
        }
    }

    #[test]
    fn an_address_that_is_none_keeps_its_cause() {
        let failed = trusted("login", KEYS, true).unwrap_err();
        let cause = failed.source().unwrap().downcast_ref();
        assert_eq!(cause, Some(&url::ParseError::RelativeUrlWithoutBase));
    }
}
