//! The connection to a server: its deadlines, and the key it is opened with.

use std::{
    future::Future,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    secret::LiveSecret,
};
use qdrant_client::QdrantError;
use secrecy::{ExposeSecret, SecretString};

use super::errors;

/// How long calls to a server may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Establishing a connection, TLS included.
    pub connect: Duration,
    /// A search, a count, a page of a scroll, a ping; connecting included.
    pub read: Duration,
    /// One batch of a write, a deletion, or a step of [`Qdrant::ensure`]; connecting included.
    pub write: Duration,
}

impl Default for Timeouts {
    /// Returns 1 s, 2 s and 20 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            read: Duration::from_secs(2),
            write: Duration::from_secs(20),
        }
    }
}

/// A server, and the client for the key in force.
pub(super) struct Connection {
    url: String,
    api_key: Option<LiveSecret>,
    pub(super) timeouts: Timeouts,
    /// The client, with the key it was built with.
    client: RwLock<Option<Keyed>>,
}

impl Connection {
    /// Returns the connection to `url`. Nothing is sent before the first call.
    pub(super) fn new(
        url: &str,
        api_key: Option<LiveSecret>,
        timeouts: Timeouts,
    ) -> Result<Self, PortError> {
        let connection = Self { url: url.to_owned(), api_key, timeouts, client: RwLock::new(None) };
        // An address that is none is refused now, not at the first call.
        connection.build(None)?;
        Ok(connection)
    }

    /// Returns the client for the key in force; the one at hand when the key has not changed.
    async fn client(&self) -> Result<Keyed, PortError> {
        let key = match &self.api_key {
            Some(key) => Some(key.get().await?),
            None => None,
        };
        let known = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.has(key.as_ref())) {
            return Ok(known);
        }
        let client = Arc::new(self.build(key.as_ref())?);
        let keyed = Keyed { client, key };
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = Some(keyed.clone());
        Ok(keyed)
    }

    fn build(&self, key: Option<&SecretString>) -> Result<qdrant_client::Qdrant, PortError> {
        let mut config = qdrant_client::Qdrant::from_url(&self.url)
            .api_key(key.map(|key| key.expose_secret().to_owned()))
            .connect_timeout(self.timeouts.connect)
            // Each call has a limit of its own; this one only bounds what the client retries inside.
            .timeout(self.timeouts.read.max(self.timeouts.write))
            .skip_compatibility_check();
        // HTTP/2 carries concurrent calls on one connection: more would cost a function's first requests
        // a handshake each.
        config.set_pool_size(1);
        config.build().map_err(|error| errors::port_error("qdrant connect", error))
    }

    pub(super) async fn read<T, F>(
        &self,
        operation: &'static str,
        call: impl Fn(Client) -> F,
    ) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, QdrantError>>,
    {
        self.call(self.timeouts.read, operation, call).await
    }

    pub(super) async fn write<T, F>(
        &self,
        operation: &'static str,
        call: impl Fn(Client) -> F,
    ) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, QdrantError>>,
    {
        self.call(self.timeouts.write, operation, call).await
    }

    /// Makes a call. A key that is refused is asked for anew and, when it was rotated, the call is made once more.
    async fn call<T, F>(
        &self,
        limit: Duration,
        operation: &'static str,
        call: impl Fn(Client) -> F,
    ) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, QdrantError>>,
    {
        let used = self.client().await?;
        let refused = match within(limit, operation, call(used.client)).await {
            Err(error) if error.kind == ErrorKind::Unauthenticated => error,
            other => return other,
        };
        let (Some(secret), Some(key)) = (&self.api_key, &used.key) else { return Err(refused) };
        match secret.renew(key).await {
            Ok(true) => within(limit, operation, call(self.client().await?.client)).await,
            Ok(false) => Err(refused),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "failed to read a refused key anew");
                Err(refused)
            }
        }
    }
}

pub(super) type Client = Arc<qdrant_client::Qdrant>;

#[derive(Clone)]
struct Keyed {
    client: Client,
    key: Option<SecretString>,
}

impl Keyed {
    fn has(&self, key: Option<&SecretString>) -> bool {
        self.key.as_ref().map(SecretString::expose_secret) == key.map(SecretString::expose_secret)
    }
}

async fn within<T>(
    limit: Duration,
    operation: &'static str,
    call: impl Future<Output = Result<T, QdrantError>>,
) -> Result<T, PortError> {
    tokio::time::timeout(limit, call)
        .await
        .map_err(|elapsed| PortError::new(ErrorKind::Timeout, operation, elapsed))?
        .map_err(|error| errors::port_error(operation, error))
}
