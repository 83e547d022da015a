//! API keys: created once, shown once, checked on every request.

use lectern_core::{
    auth::{ApiKey, Caller, Credential, Permission, SECRET_BYTES},
    errors::ErrorKind,
    ids::{CollectionId, KeyId, TenantId},
    limits::Verdict,
    secret::LiveSecret,
};
use lectern_tables::{MAX_PAGE, Tables};
use secrecy::SecretString;
use tracing::info;

use crate::{
    clock::{Clock, entropy},
    errors::FlowError,
};

/// Requests per minute of a key that says nothing else.
pub const DEFAULT_RATE_PER_MINUTE: u32 = 100;
/// Most keys of a tenant that are listed.
pub const MAX_KEYS: usize = 10_000;
/// Longest name of a key in bytes.
pub const MAX_KEY_NAME_BYTES: usize = 128;

/// What a new key may do.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What a person calls it.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// The collections it may touch; `None` for all.
    pub collections: Option<Vec<CollectionId>>,
    /// Whom it acts as.
    pub principals: Vec<String>,
    /// Requests per minute.
    pub rate_per_minute: u32,
}

impl NewKey {
    /// Returns a key of this name that may do everything.
    #[must_use]
    pub fn full(name: &str) -> Self {
        use Permission::{Admin, Backup, Query, Upload};
        Self {
            name: name.to_owned(),
            permissions: vec![Query, Upload, Admin, Backup],
            collections: None,
            principals: Vec::new(),
            rate_per_minute: DEFAULT_RATE_PER_MINUTE,
        }
    }
}

/// A caller with what is left of its rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// Who calls.
    pub caller: Caller,
    /// Requests per minute.
    pub limit: u32,
    /// Requests left at once.
    pub remaining: u32,
}

/// Manages and checks keys.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The table.
    pub tables: Tables,
    /// Secret under which keys' hashes are made.
    pub pepper: LiveSecret,
    /// The time.
    pub clock: Clock,
}

impl Keys {
    /// Creates a key and returns its record and its text, which is never shown again.
    ///
    /// # Errors
    /// When a field is wrong or the table fails.
    pub async fn create(
        &self,
        tenant: &TenantId,
        new: NewKey,
    ) -> Result<(ApiKey, SecretString), FlowError> {
        if !(1..=MAX_KEY_NAME_BYTES).contains(&new.name.len()) {
            return Err(FlowError::field(
                "/name",
                format!("must have 1 to {MAX_KEY_NAME_BYTES} bytes"),
            ));
        }
        if new.rate_per_minute == 0 {
            return Err(FlowError::field("/rate_per_minute", "must be at least 1"));
        }
        let now = self.clock.now();
        let secret: [u8; SECRET_BYTES] = rand::random();
        let (credential, text) = Credential::generate(KeyId::new(now, entropy()), secret);
        let key = ApiKey {
            id: credential.key_id.clone(),
            tenant: tenant.account(),
            incarnation: tenant.incarnation(),
            name: new.name,
            secret_hmac: credential.hmac(&self.pepper.get().await?),
            permissions: new.permissions,
            collections: new.collections,
            principals: new.principals,
            rate_per_minute: new.rate_per_minute,
            created_at: now,
            expires_at: None,
            revoked_at: None,
        };
        let key = self.tables.keys().create(&key).await?;
        info!(key.id = %key.id, "created an api key");
        Ok((key, text))
    }

    /// Returns the tenant's keys.
    ///
    /// # Errors
    /// When the table fails.
    pub async fn list(&self, tenant: &TenantId) -> Result<Vec<ApiKey>, FlowError> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.tables.keys().list(tenant, MAX_PAGE, cursor.as_deref()).await?;
            keys.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || keys.len() >= MAX_KEYS {
                return Ok(keys);
            }
        }
    }

    /// Makes a key stop working, at once.
    ///
    /// # Errors
    /// `NotFound` when the tenant has no such key.
    pub async fn revoke(&self, tenant: &TenantId, id: &KeyId) -> Result<(), FlowError> {
        let now = self.clock.now();
        match self.tables.keys().revoke(tenant, id, now).await {
            Err(error) if error.kind == ErrorKind::NotFound => Err(FlowError::NotFound("key")),
            other => Ok(other.map(|_| ())?),
        }
    }

    /// Checks a credential and takes one request from its rate, in one round trip.
    ///
    /// # Errors
    /// `Unauthenticated` for a key that is unknown, wrong, revoked or expired, without saying which;
    /// `RateLimited` when too many requests came.
    pub async fn admit(&self, credential: &Credential) -> Result<Admitted, FlowError> {
        let now = self.clock.now();
        let pepper = self.pepper.get().await?;
        let hmac = credential.hmac(&pepper);
        let found = self.tables.keys().authenticate(&credential.key_id, &hmac, now).await?;
        let Some(found) = found else { return Err(FlowError::Unauthenticated) };
        if !credential.matches(&found.key, &pepper) || !found.key.is_active(now) {
            return Err(FlowError::Unauthenticated);
        }
        match found.verdict {
            Verdict::Allowed { remaining, .. } => Ok(Admitted {
                caller: Caller::from(&found.key),
                limit: found.key.rate_per_minute,
                remaining,
            }),
            Verdict::Refused { retry_after } => Err(FlowError::RateLimited { retry_after }),
        }
    }
}
