//! From a URL to an index.

use std::sync::Arc;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{PassageReader, PassageWriter},
    secret::LiveSecret,
};

use crate::settings::IndexSettings;

const OPERATION: &str = "index resolve";

/// An index somebody chose by URL. Exactly one of the adapters stands behind both ports.
#[derive(Clone, Debug)]
pub struct Index {
    /// The reading side.
    pub reader: Arc<dyn PassageReader>,
    /// The writing side.
    pub writer: Arc<dyn PassageWriter>,
    /// The embedded engine, when it is that: its owner calls `maintain`.
    #[cfg(feature = "edge")]
    pub edge: Option<crate::Edge>,
    /// The server, when it is that: its owner calls `ensure`.
    #[cfg(feature = "qdrant")]
    pub qdrant: Option<Arc<crate::Qdrant>>,
}

/// How a server is reached; an embedded index needs none of it.
#[derive(Clone, Debug, Default)]
pub struct ServerSettings {
    /// Sent with every call.
    pub api_key: Option<LiveSecret>,
    /// How long calls may take.
    #[cfg(feature = "qdrant")]
    pub timeouts: crate::Timeouts,
}

/// Returns the index at `url`: `edge:///a/directory` is opened, `http://host:6334` or
/// `https://host:6334` is connected to at the first call.
///
/// # Errors
/// `Invalid` when the URL is none of these or its adapter was not compiled in; else what
/// `Edge::open` says.
pub async fn resolve(
    url: &str,
    settings: IndexSettings,
    server: &ServerSettings,
) -> Result<Index, PortError> {
    match url.split_once("://") {
        Some(("edge", directory)) if !directory.is_empty() => open(directory, settings).await,
        Some(("http" | "https", authority)) if !authority.is_empty() => {
            connect(url, settings, server)
        }
        _ => {
            let reason = "an index URL is edge:///directory or http(s)://host:port";
            Err(PortError::new(ErrorKind::Invalid, OPERATION, reason))
        }
    }
}

#[cfg(feature = "edge")]
async fn open(directory: &str, settings: IndexSettings) -> Result<Index, PortError> {
    let edge = crate::Edge::open(directory, settings).await?;
    Ok(Index {
        reader: Arc::new(edge.clone()),
        writer: Arc::new(edge.clone()),
        edge: Some(edge),
        #[cfg(feature = "qdrant")]
        qdrant: None,
    })
}

#[cfg(not(feature = "edge"))]
async fn open(_directory: &str, _settings: IndexSettings) -> Result<Index, PortError> {
    Err(missing("edge"))
}

#[cfg(feature = "qdrant")]
fn connect(
    url: &str,
    settings: IndexSettings,
    server: &ServerSettings,
) -> Result<Index, PortError> {
    let api_key = server.api_key.clone();
    let qdrant = Arc::new(crate::Qdrant::connect(url, api_key, settings, server.timeouts)?);
    Ok(Index {
        reader: Arc::<crate::Qdrant>::clone(&qdrant),
        writer: Arc::<crate::Qdrant>::clone(&qdrant),
        #[cfg(feature = "edge")]
        edge: None,
        qdrant: Some(qdrant),
    })
}

#[cfg(not(feature = "qdrant"))]
fn connect(
    _url: &str,
    _settings: IndexSettings,
    _server: &ServerSettings,
) -> Result<Index, PortError> {
    Err(missing("qdrant"))
}

#[cfg(not(all(feature = "edge", feature = "qdrant")))]
fn missing(adapter: &str) -> PortError {
    let reason = format!("this program was built without the `{adapter}` index");
    PortError::new(ErrorKind::Invalid, OPERATION, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn refuses_what_is_no_index() {
        for url in ["", "edge", "edge://", "ftp://host", "https://"] {
            let settings = IndexSettings::new(None).unwrap();
            let refused = resolve(url, settings, &ServerSettings::default()).await;
            assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid, "{url}");
        }
    }

    #[cfg(not(feature = "edge"))]
    #[tokio::test]
    async fn says_which_adapter_is_missing() {
        let settings = IndexSettings::new(None).unwrap();
        let refused = resolve("edge:///data", settings, &ServerSettings::default()).await;
        let line = lectern_core::errors::chain(&refused.unwrap_err());
        assert!(line.ends_with("built without the `edge` index"), "{line}");
    }
}
