//! AWS Secrets Manager: several secrets in one call, read again when one was refused.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use lectern_core::{
    errors::{ErrorKind, PortError},
    secret::{LiveSecret, ManagedSecret, SecretSource},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::{client, errors::failed};

const READ: &str = "secrets manager read";
/// A refused secret that was read again so recently is not read once more: a revoked key, refused with every request,
/// would else cost a call each.
const FRESH: Duration = Duration::from_secs(5);
/// Most secrets of one batch (API reference of `BatchGetSecretValue`).
const MAX_BATCH: usize = 20;

/// Reads secrets. One per process; clones share what was read.
#[derive(Clone)]
pub struct SecretsManager {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    read: Mutex<HashMap<String, Read>>,
}

#[derive(Clone)]
struct Read {
    text: SecretString,
    /// When it was read because the value known before was refused.
    renewed_at: Option<Instant>,
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretsManager").finish_non_exhaustive()
    }
}

impl SecretsManager {
    /// Returns a reader of the account's secrets. Opens no connection.
    pub async fn connect() -> Self {
        let client = Client::new(&client::config().await);
        Self { shared: Arc::new(Shared { client, read: Mutex::default() }) }
    }

    /// Returns a secret that is read at its first use, and again when it was refused.
    #[must_use]
    pub fn secret(&self, place: ManagedSecret) -> LiveSecret {
        LiveSecret::from_source(Arc::new(Place { secrets: self.clone(), place }))
    }

    /// Reads secrets together, so that their first uses find them. What cannot be read now is read at its first
    /// use, and is an error then.
    pub async fn prefetch(&self, ids: &BTreeSet<String>) {
        let ids: Vec<String> = ids.iter().take(MAX_BATCH).cloned().collect();
        if ids.is_empty() {
            return;
        }
        let batch =
            self.shared.client.batch_get_secret_value().set_secret_id_list(Some(ids.clone()));
        let found = match batch.send().await {
            Ok(found) => found,
            Err(error) => {
                let error: PortError = failed(READ)(error);
                warn!(error = %lectern_core::errors::chain(&error), "failed to read secrets ahead");
                return;
            }
        };
        for refused in found.errors() {
            let code = refused.error_code().unwrap_or("unknown");
            warn!(secret.id = refused.secret_id(), code, "a secret cannot be read");
        }
        let mut read = self.shared.read.lock().await;
        for value in found.secret_values() {
            let Some(text) = value.secret_string() else { continue };
            // A setting names a secret by its name or by its ARN.
            for id in [value.name(), value.arn()].into_iter().flatten() {
                let text = SecretString::from(text);
                read.insert(id.to_owned(), Read { text, renewed_at: None });
            }
        }
    }

    /// Returns `place`'s value. Callers at the same time wait for one call.
    async fn value(
        &self,
        place: &ManagedSecret,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, PortError> {
        let mut read = self.shared.read.lock().await;
        if let Some(known) = read.get(&place.id) {
            let value = value_of(&known.text, place.field.as_deref());
            let is_fresh = known.renewed_at.is_some_and(|at| at.elapsed() < FRESH);
            let is_refused = match (&value, refused) {
                (Ok(value), Some(refused)) => value.expose_secret() == refused.expose_secret(),
                (Ok(_), None) => false,
                // Somebody may be mending it.
                (Err(_), _) => true,
            };
            if is_fresh || !is_refused {
                return value;
            }
        }
        let text = self.read(&place.id).await?;
        let value = value_of(&text, place.field.as_deref());
        let renewed_at = refused.map(|_| Instant::now());
        read.insert(place.id.clone(), Read { text, renewed_at });
        value
    }

    async fn read(&self, id: &str) -> Result<SecretString, PortError> {
        let value = self.shared.client.get_secret_value().secret_id(id);
        // The stage has to be named: after a rotation a secret has several.
        let value = value.version_stage("AWSCURRENT").send().await.map_err(failed(READ))?;
        let text = value.secret_string.ok_or_else(|| {
            PortError::new(ErrorKind::Invalid, READ, "the secret is binary, not text")
        })?;
        info!(secret.id = id, "read a secret");
        Ok(text.into())
    }
}

/// One secret, or one field of it.
struct Place {
    secrets: SecretsManager,
    place: ManagedSecret,
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.place, formatter)
    }
}

#[async_trait]
impl SecretSource for Place {
    async fn fetch(&self, refused: Option<&SecretString>) -> Result<SecretString, PortError> {
        self.secrets.value(&self.place, refused).await
    }
}

/// Returns a field of a secret, the whole when none is named.
fn value_of(text: &SecretString, field: Option<&str>) -> Result<SecretString, PortError> {
    match field {
        Some(field) => field_of(text, field),
        None => Ok(text.clone()),
    }
}

fn field_of(text: &SecretString, field: &str) -> Result<SecretString, PortError> {
    let invalid = |reason: String| PortError::new(ErrorKind::Invalid, READ, reason);
    // The parser's own message may repeat the text.
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text.expose_secret())
            .map_err(|_| invalid("the secret is no JSON object".to_owned()))?;
    match object.get(field) {
        Some(serde_json::Value::String(value)) if !value.is_empty() => Ok(value.clone().into()),
        _ => Err(invalid(format!("the secret has no text in its field `{field}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_text_and_nothing_is_repeated() {
        let secret = SecretString::from(r#"{"api_key":"sk-1","other":7,"empty":""}"#);
        assert_eq!(field_of(&secret, "api_key").unwrap().expose_secret(), "sk-1");
        for field in ["other", "empty", "absent"] {
            assert_eq!(field_of(&secret, field).unwrap_err().kind, ErrorKind::Invalid);
        }
        let error = field_of(&SecretString::from("sk-plain"), "api_key").unwrap_err();
        assert!(!lectern_core::errors::chain(&error).contains("sk-plain"));
    }
}
