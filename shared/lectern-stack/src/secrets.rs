//! Secrets by value, or from AWS Secrets Manager: read together at start, and again when one was refused.

use std::collections::BTreeSet;

use lectern_aws::secrets::SecretsManager;
use lectern_core::{
    errors::PortError,
    secret::{LiveSecret, SecretSetting},
};
use secrecy::SecretString;

/// Resolves secrets. Connects to Secrets Manager only when a setting names it.
#[derive(Clone, Debug)]
pub struct Secrets {
    manager: Option<SecretsManager>,
}

impl Secrets {
    /// Reads all managed secrets among `settings` in one call. One that cannot be read now is read at its first use:
    /// the function starts, answers what needs no secret, and says on `/ready` what is wrong.
    pub async fn prefetch<'a>(settings: impl IntoIterator<Item = &'a SecretSetting>) -> Self {
        let managed = settings.into_iter().filter_map(|setting| match setting {
            SecretSetting::Managed(place) => Some(place.id.clone()),
            SecretSetting::Value(_) => None,
        });
        let managed: BTreeSet<String> = managed.collect();
        if managed.is_empty() {
            return Self { manager: None };
        }
        let manager = SecretsManager::connect().await;
        manager.prefetch(&managed).await;
        Self { manager: Some(manager) }
    }

    /// Returns the secret a setting gives. It must be one of those given to [`Self::prefetch`].
    ///
    /// # Panics
    /// When it is managed and no managed one was given there.
    #[must_use]
    pub fn get(&self, setting: &SecretSetting) -> LiveSecret {
        match setting {
            SecretSetting::Value(value) => value.clone().into(),
            SecretSetting::Managed(place) => {
                let manager = self.manager.as_ref();
                manager.expect("the setting was prefetched").secret(place.clone())
            }
        }
    }

    /// Returns the secret of a setting that may be absent.
    #[must_use]
    pub fn optional(&self, setting: Option<&SecretSetting>) -> Option<LiveSecret> {
        setting.map(|setting| self.get(setting))
    }

    /// Returns the value of a secret that is set, for what is made of it once.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(
        &self,
        setting: Option<&SecretSetting>,
    ) -> Result<Option<SecretString>, PortError> {
        match self.optional(setting) {
            Some(secret) => secret.get().await.map(Some),
            None => Ok(None),
        }
    }
}
