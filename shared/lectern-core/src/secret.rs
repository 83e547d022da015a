//! Secrets that may be replaced while the process runs.
//!
//! A rotated secret is noticed when the other side refuses the old one: whoever was refused asks for it anew, once, and
//! goes on when it has changed. So a rotation needs no deployment, no restart and no polling.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::errors::PortError;

/// How a setting names a secret that is kept elsewhere.
const MANAGED: &str = "secretsmanager:";

/// Where a renewable secret comes from.
///
/// Contract: a value that was `refused` is read anew before it is returned again; a source that is asked for it too
/// often may answer with what it read a moment ago.
#[async_trait]
pub trait SecretSource: Send + Sync + fmt::Debug {
    /// Returns the value in force, another than `refused` if there is one.
    async fn fetch(&self, refused: Option<&SecretString>) -> Result<SecretString, PortError>;
}

/// A secret as its users hold it. Clones share one value.
#[derive(Clone)]
pub struct LiveSecret {
    known: Arc<RwLock<Option<SecretString>>>,
    source: Option<Arc<dyn SecretSource>>,
}

impl fmt::Debug for LiveSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LiveSecret").field("source", &self.source).finish_non_exhaustive()
    }
}

impl From<SecretString> for LiveSecret {
    /// Returns a secret that stays as it is.
    fn from(secret: SecretString) -> Self {
        Self { known: Arc::new(RwLock::new(Some(secret))), source: None }
    }
}

impl From<&str> for LiveSecret {
    /// Returns a secret that stays as it is.
    fn from(secret: &str) -> Self {
        SecretString::from(secret).into()
    }
}

impl LiveSecret {
    /// Returns a secret that is read from `source` at its first use, and again by [`Self::renew`].
    #[must_use]
    pub fn from_source(source: Arc<dyn SecretSource>) -> Self {
        Self { known: Arc::new(RwLock::new(None)), source: Some(source) }
    }

    /// Returns the value, reading it when it is not known yet.
    ///
    /// # Errors
    /// When it is not known and its source fails.
    pub async fn get(&self) -> Result<SecretString, PortError> {
        match (self.known(), &self.source) {
            (Some(known), _) => Ok(known),
            (None, Some(source)) => {
                let fetched = source.fetch(None).await?;
                self.set(fetched.clone());
                Ok(fetched)
            }
            (None, None) => unreachable!("a secret without a source is known from the beginning"),
        }
    }

    /// Reads the secret again after the other side refused `refused`. Returns whether another value is in force now, so
    /// that the call is worth repeating.
    ///
    /// # Errors
    /// When the source fails.
    pub async fn renew(&self, refused: &SecretString) -> Result<bool, PortError> {
        let differs = |known: &SecretString| known.expose_secret() != refused.expose_secret();
        if self.known().is_some_and(|known| differs(&known)) {
            // Somebody else was refused before and has renewed it already.
            return Ok(true);
        }
        let Some(source) = &self.source else { return Ok(false) };
        let fetched = source.fetch(Some(refused)).await?;
        let changed = differs(&fetched);
        self.set(fetched);
        Ok(changed)
    }

    fn known(&self) -> Option<SecretString> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, secret: SecretString) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(secret);
    }
}

/// A secret as a setting gives it: the value, or where it is kept.
#[derive(Clone, Debug)]
pub enum SecretSetting {
    /// The secret itself.
    Value(SecretString),
    /// One in AWS Secrets Manager.
    Managed(ManagedSecret),
}

/// Where a secret is kept in AWS Secrets Manager.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ManagedSecret {
    /// Name or ARN.
    pub id: String,
    /// Field of the secret's JSON object that holds the value; the whole secret when absent.
    pub field: Option<String>,
}

/// A setting that looks like a managed secret and is none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be the secret itself or `secretsmanager:<name or ARN>#<field>`")]
pub struct NotASecret;

impl std::str::FromStr for SecretSetting {
    type Err = NotASecret;

    fn from_str(raw: &str) -> Result<Self, NotASecret> {
        let Some(place) = raw.strip_prefix(MANAGED) else {
            return Ok(Self::Value(raw.to_owned().into()));
        };
        // Neither a name nor an ARN holds `#`.
        let (id, field) = match place.split_once('#') {
            Some((id, field)) => (id, Some(field.to_owned())),
            None => (place, None),
        };
        if id.is_empty() || field.as_deref() == Some("") {
            return Err(NotASecret);
        }
        Ok(Self::Managed(ManagedSecret { id: id.to_owned(), field }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::FutureExt as _;

    use super::*;
    use crate::errors::ErrorKind;

    /// Nothing here waits.
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().unwrap()
    }

    /// Answers with its values, one after the other, then fails.
    #[derive(Debug)]
    struct Values(Mutex<Vec<&'static str>>);

    #[async_trait]
    impl SecretSource for Values {
        async fn fetch(&self, _: Option<&SecretString>) -> Result<SecretString, PortError> {
            let next = self.0.lock().unwrap().pop();
            next.map(SecretString::from)
                .ok_or_else(|| PortError::bare(ErrorKind::Unavailable, "test"))
        }
    }

    fn live(mut values: Vec<&'static str>) -> LiveSecret {
        values.reverse();
        LiveSecret::from_source(Arc::new(Values(Mutex::new(values))))
    }

    #[test]
    fn a_secret_is_read_once_and_again_when_it_was_refused() {
        let secret = live(vec!["old", "old", "new"]);
        let old = block_on(secret.get()).unwrap();
        assert_eq!(old.expose_secret(), "old");
        assert!(!block_on(secret.renew(&old)).unwrap(), "not rotated yet");
        assert!(block_on(secret.renew(&old)).unwrap());
        assert_eq!(block_on(secret.get()).unwrap().expose_secret(), "new");
        // Another call that was refused the old one needs no further reading.
        assert!(block_on(secret.renew(&old)).unwrap());
        assert!(block_on(secret.renew(&SecretString::from("new"))).is_err(), "the source is dry");
        assert_eq!(block_on(secret.get()).unwrap().expose_secret(), "new", "and it is kept");
    }

    #[test]
    fn a_fixed_secret_never_changes() {
        let secret = LiveSecret::from("fixed");
        assert!(!block_on(secret.renew(&SecretString::from("fixed"))).unwrap());
        assert!(!format!("{secret:?}").contains("fixed"));
    }

    #[test]
    fn a_source_that_fails_at_first_is_asked_again() {
        let secret = live(vec![]);
        assert!(block_on(secret.get()).is_err());
        assert!(block_on(secret.get()).is_err());
    }

    #[test]
    fn settings_hold_a_secret_or_name_its_place() {
        let parse = |raw: &str| raw.parse::<SecretSetting>();
        assert!(matches!(parse("sk-123").unwrap(), SecretSetting::Value(_)));
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:model-AbCdEf";
        let Ok(SecretSetting::Managed(managed)) = parse(&format!("secretsmanager:{arn}#api_key"))
        else {
            panic!("a managed secret")
        };
        assert_eq!((managed.id.as_str(), managed.field.as_deref()), (arn, Some("api_key")));
        for raw in ["secretsmanager:", "secretsmanager:#key", "secretsmanager:name#"] {
            assert_eq!(parse(raw).unwrap_err(), NotASecret, "{raw}");
        }
    }
}
