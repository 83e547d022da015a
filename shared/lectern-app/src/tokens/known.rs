//! Which keys of an issuer are known. They are asked for when the first token comes, when they grow old, and when a token names one
//! that is not among them, as after a rotation (OpenID Connect Core 1.0, section 10.1.1).

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jsonwebtoken::{
    AlgorithmFamily, DecodingKey, Header,
    jwk::{Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use lectern_core::{
    errors::{ErrorKind, PortError, chain},
    issuers::Issuer,
    ports::IssuerKeys,
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::MutexGuard;
use tracing::warn;

/// How long keys are taken as they are.
pub(super) const FRESH: Duration = Duration::from_secs(60 * 60);
/// How long they are good where nobody can be asked.
pub(super) const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long an issuer is left alone once it answered or failed: whoever makes up names of keys costs it nothing. Asking that was given
/// up does not count.
pub(super) const PAUSE: Duration = Duration::from_secs(30);
/// Most keys of an issuer that are kept; others of its set do not count.
pub(super) const MAX_KEYS: usize = 64;
const OPERATION: &str = "read an issuer's keys";

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct KnownKeys {
    source: Arc<dyn IssuerKeys>,
    state: Mutex<State>,
    /// Held by who asks; the others wait for what it learns, unless the key they need is still good.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct State {
    keys: Arc<[Key]>,
    learnt_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

/// A key that checks signatures, decoded once.
#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Option<KeyAlgorithm>,
    decoded: DecodingKey,
}

impl State {
    fn is_younger(&self, age: Duration, now: Timestamp) -> bool {
        self.learnt_at.is_some_and(|learnt| now < learnt + age)
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        self.asked_at.is_none_or(|asked| now >= asked + PAUSE)
    }

    /// Returns the key a header names; where it names none, the only one there is for its algorithm.
    fn chosen(&self, header: &Header) -> Option<DecodingKey> {
        let named = self.keys.iter().filter(|key| header.kid.is_none() || key.id == header.kid);
        let mut usable = named.filter(|key| key.is_for(header));
        let first = usable.next()?;
        let is_it = header.kid.is_some() || usable.next().is_none();
        is_it.then(|| first.decoded.clone())
    }
}

impl KnownKeys {
    pub(super) fn new(source: Arc<dyn IssuerKeys>) -> Self {
        Self { source, state: Mutex::default(), asking: tokio::sync::Mutex::new(()) }
    }

    /// Returns the key a token's header names, `None` where its issuer has no such key.
    ///
    /// # Errors
    /// When no keys are known that are still good, and none are to be had.
    pub(super) async fn find(
        &self,
        issuer: &Issuer,
        header: &Header,
        now: Timestamp,
    ) -> Result<Option<DecodingKey>, PortError> {
        let state = self.state();
        let alone = match state.chosen(header) {
            Some(key) if state.is_younger(FRESH, now) => return Ok(Some(key)),
            // Good, too: one of those who need it asks, and the others do not wait for an issuer that may hang.
            Some(key) if state.is_younger(STALE, now) => match self.asking.try_lock() {
                Ok(alone) => alone,
                Err(_) => return Ok(Some(key)),
            },
            _ => self.asking.lock().await,
        };
        self.ask(&alone, issuer, now).await?;
        Ok(self.state().chosen(header))
    }

    /// Asks for keys, unless somebody just did.
    ///
    /// # Errors
    /// When no keys are known that are still good, and none are to be had.
    pub(super) async fn refresh(&self, issuer: &Issuer, now: Timestamp) -> Result<(), PortError> {
        let alone = self.asking.lock().await;
        self.ask(&alone, issuer, now).await
    }

    async fn ask(
        &self,
        _alone: &MutexGuard<'_, ()>,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let before = self.state();
        if !before.may_ask(now) {
            return before.is_younger(STALE, now).then_some(()).ok_or_else(|| {
                let cause = "they could not be had just now";
                not_to_be_had(issuer, ErrorKind::Unavailable, cause)
            });
        }
        let found = self.source.fetch(issuer).await.and_then(|json| parse(&json));
        // Not before: who hung up while asking has learnt nothing, and the next one must be able to ask.
        self.change(|state| state.asked_at = Some(now));
        match found {
            Ok(keys) => {
                self.change(|state| {
                    state.keys = keys;
                    state.learnt_at = Some(now);
                });
                Ok(())
            }
            Err(error) if before.is_younger(STALE, now) => {
                warn!(issuer = issuer.issuer, error = %chain(&error), "an issuer's keys could not be had; those known are still good");
                Ok(())
            }
            Err(error) => Err(not_to_be_had(issuer, error.kind, error)),
        }
    }

    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Whose keys are not to be had: there may be several issuers.
#[derive(Debug, Error)]
#[error("of `{issuer}`")]
struct NotToBeHad {
    issuer: String,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

fn not_to_be_had(
    issuer: &Issuer,
    kind: ErrorKind,
    cause: impl Into<Box<dyn Error + Send + Sync>>,
) -> PortError {
    let reason = NotToBeHad { issuer: issuer.issuer.clone(), cause: cause.into() };
    PortError::new(kind, OPERATION, reason)
}

/// Returns the keys of a set. One that cannot be read, or checks no signatures, is none of ours.
fn parse(json: &[u8]) -> Result<Arc<[Key]>, PortError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let invalid = |error: serde_json::Error| PortError::new(ErrorKind::Invalid, OPERATION, error);
    let Set { keys } = serde_json::from_slice(json).map_err(invalid)?;
    Ok(keys.into_iter().filter_map(Key::read).take(MAX_KEYS).collect())
}

impl Key {
    /// Returns a key that checks signatures, and with which nobody can make them.
    fn read(json: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json).ok()?;
        let decoded = DecodingKey::from_jwk(&jwk).ok()?;
        let common = jwk.common;
        let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let verifies = common.key_operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
        let is_public = decoded.family() != AlgorithmFamily::Hmac;
        let key = Self { id: common.key_id, algorithm: common.key_algorithm, decoded };
        (signs && verifies && is_public).then_some(key)
    }

    /// Whether it is for the header's algorithm.
    fn is_for(&self, header: &Header) -> bool {
        let is_of = self.algorithm.is_none_or(|named| named == KeyAlgorithm::from(header.alg));
        is_of && self.decoded.family() == header.alg.family()
    }
}

#[cfg(test)]
mod tests;
