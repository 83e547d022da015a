//! API keys: created once, shown once, checked on every request.

use std::{net::IpAddr, sync::Arc, time::Duration};

use ipnet::IpNet;
use lectern_core::{
    auth::{ApiKey, Caller, Credential, MAX_PRINCIPAL_BYTES, Permission, SECRET_BYTES},
    errors::ErrorKind,
    ids::{CollectionId, KeyId, TenantId},
    limits::{MAX_RATE_PER_MINUTE, Verdict},
    secret::LiveSecret,
    spending::SpendingLimits,
    time::Timestamp,
};
pub use lectern_tables::keys::KeyChange;
use lectern_tables::{MAX_PAGE, Page, Tables, keys::Seen};
use quick_cache::sync::Cache;
use secrecy::SecretString;
use tracing::info;

use crate::{
    clock::{Clock, entropy},
    errors::FlowError,
    guesses::{GUESSES_PER_MINUTE, Guesses},
};

/// Requests per minute of a key that says nothing else.
pub const DEFAULT_RATE_PER_MINUTE: u32 = 100;
/// Most keys of a tenant that are listed.
pub const MAX_KEYS: usize = 10_000;
/// Most permissions that are listed of a key, more than there are.
pub const MAX_PERMISSIONS: usize = 8;
/// Most collections, principals or networks of a key.
pub const MAX_LISTED: usize = 100;
/// How long a rotated key's old secret works, unless said otherwise.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// How long it works at most.
pub const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Most keys of which a process remembers where their rates stood.
const SEEN_KEYS: usize = 10_000;
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
    /// Most that may be spent with it.
    pub limits: SpendingLimits,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// The networks it may be used from; empty for all.
    pub allowed_ips: Vec<IpNet>,
}

/// Refuses what no key may be.
fn validate(new: &NewKey, now: Timestamp) -> Result<(), FlowError> {
    let wrong = |pointer: &str, detail: String| Err(FlowError::field(pointer, detail));
    if !(1..=MAX_KEY_NAME_BYTES).contains(&new.name.len()) {
        return wrong("/name", format!("must have 1 to {MAX_KEY_NAME_BYTES} bytes"));
    }
    if !(1..=MAX_RATE_PER_MINUTE).contains(&new.rate_per_minute) {
        return wrong("/rate_per_minute", format!("must be 1 to {MAX_RATE_PER_MINUTE}"));
    }
    if !(1..=MAX_PERMISSIONS).contains(&new.permissions.len()) {
        return wrong("/permissions", format!("must have 1 to {MAX_PERMISSIONS}"));
    }
    let collections = new.collections.as_ref().map_or(0, Vec::len);
    for (pointer, listed) in [
        ("/collections", collections),
        ("/principals", new.principals.len()),
        ("/allowed_ips", new.allowed_ips.len()),
    ] {
        if listed > MAX_LISTED {
            return wrong(pointer, format!("must have at most {MAX_LISTED}"));
        }
    }
    let fits = |principal: &String| (1..=MAX_PRINCIPAL_BYTES).contains(&principal.len());
    if !new.principals.iter().all(fits) {
        return wrong("/principals", format!("must have 1 to {MAX_PRINCIPAL_BYTES} bytes each"));
    }
    if new.expires_at.is_some_and(|expiry| expiry <= now) {
        return wrong("/expires_at", "must lie ahead".to_owned());
    }
    Ok(())
}

/// Refuses who is no administrator.
pub(crate) fn administers(caller: &Caller) -> Result<(), FlowError> {
    if caller.may(Permission::Admin) {
        return Ok(());
    }
    Err(FlowError::Forbidden("the permission `admin` is missing"))
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
            limits: SpendingLimits::default(),
            expires_at: None,
            allowed_ips: Vec::new(),
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
    /// How often what is no key was presented.
    pub guesses: Guesses,
    /// Where the rates of keys stood last.
    seen: Arc<Cache<KeyId, Seen>>,
    /// The time.
    pub clock: Clock,
}

impl Keys {
    /// Returns the keys of a table, hashed under `pepper`.
    #[must_use]
    pub fn new(tables: Tables, pepper: LiveSecret, clock: Clock) -> Self {
        let guesses = Guesses::new(GUESSES_PER_MINUTE, clock.clone());
        let seen = Arc::new(Cache::new(SEEN_KEYS));
        Self { tables, pepper, guesses, seen, clock }
    }

    /// Creates a key and returns its record and its text, which is never shown again.
    ///
    /// # Errors
    /// When a field is wrong or the table fails.
    pub async fn create(
        &self,
        tenant: &TenantId,
        new: NewKey,
    ) -> Result<(ApiKey, SecretString), FlowError> {
        let now = self.clock.now();
        validate(&new, now)?;
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
            limits: new.limits,
            allowed_ips: new.allowed_ips,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            previous_hmac: None,
            previous_until: None,
        };
        let key = self.tables.keys().create(&key).await?;
        info!(key.id = %key.id, "created an api key");
        Ok((key, text))
    }

    /// Creates a key as an administrator, who gives nothing away that their own key has not.
    ///
    /// # Errors
    /// `Forbidden` when the caller is no administrator or gives too much; as [`Self::create`].
    pub async fn issue(
        &self,
        caller: &Caller,
        new: NewKey,
    ) -> Result<(ApiKey, SecretString), FlowError> {
        administers(caller)?;
        if !new.permissions.iter().all(|permission| caller.may(*permission)) {
            return Err(FlowError::Forbidden("your own key does not have all of `permissions`"));
        }
        let is_within = match (&caller.collections, &new.collections) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(wanted)) => wanted.iter().all(|one| caller.may_touch(one)),
        };
        if !is_within {
            return Err(FlowError::Forbidden("your own key may not touch all of `collections`"));
        }
        self.create(&caller.tenant, new).await
    }

    /// Returns a key of the caller's account.
    ///
    /// # Errors
    /// `Forbidden` when the caller is no administrator, `NotFound` when there is no such key.
    pub async fn get(&self, caller: &Caller, id: &KeyId) -> Result<ApiKey, FlowError> {
        administers(caller)?;
        let key = self.tables.keys().get(&caller.tenant, id).await?;
        key.ok_or(FlowError::NotFound("key"))
    }

    /// Returns a page of the keys of the caller's account, oldest first, revoked ones too.
    ///
    /// # Errors
    /// `Forbidden` when the caller is no administrator; a field error for a cursor that no page returned.
    pub async fn page(
        &self,
        caller: &Caller,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<ApiKey>, FlowError> {
        administers(caller)?;
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(FlowError::field("/limit", format!("must be 1 to {MAX_PAGE}")));
        }
        match self.tables.keys().list(&caller.tenant, limit, cursor).await {
            Err(error) if error.kind == ErrorKind::Invalid => {
                Err(FlowError::field("/cursor", "must be the `next` of a page"))
            }
            page => Ok(page?),
        }
    }

    /// Changes what a key may do, from the next request on.
    ///
    /// # Errors
    /// `Forbidden` when the caller is no administrator, `NotFound`, `Conflict` when it is revoked, or a field is wrong.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &KeyId,
        changed: KeyChange,
    ) -> Result<ApiKey, FlowError> {
        let current = self.get(caller, id).await?;
        if current.revoked_at.is_some() {
            return Err(FlowError::Conflict("the key is revoked".to_owned()));
        }
        let KeyChange { name, rate_per_minute, expires_at, allowed_ips, .. } = changed.clone();
        let as_new = NewKey {
            name: name.unwrap_or(current.name),
            rate_per_minute: rate_per_minute.unwrap_or(current.rate_per_minute),
            expires_at: expires_at.flatten(),
            allowed_ips: allowed_ips.unwrap_or_default(),
            ..NewKey::full("")
        };
        validate(&as_new, self.clock.now())?;
        Ok(self.tables.keys().update(&caller.tenant, id, &changed).await?)
    }

    /// Gives a key another secret and returns it; the one it had works for `overlap` more, so that whoever uses it has time to
    /// take up the new one.
    ///
    /// # Errors
    /// `Forbidden` when the caller is no administrator, `NotFound`; `Conflict` when it is revoked or rotated meanwhile.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: &KeyId,
        overlap: Duration,
    ) -> Result<(ApiKey, SecretString), FlowError> {
        if overlap > MAX_OVERLAP {
            let detail = format!("must be at most {}", MAX_OVERLAP.as_secs());
            return Err(FlowError::field("/overlap_seconds", detail));
        }
        let current = self.get(caller, id).await?;
        let (credential, text) = Credential::generate(id.clone(), rand::random());
        let hmac = credential.hmac(&self.pepper.get().await?);
        let (keys, until) = (self.tables.keys(), self.clock.now() + overlap);
        match keys.rotate(&caller.tenant, id, &current.secret_hmac, &hmac, until).await {
            Err(error) if error.kind == ErrorKind::NotFound => Err(FlowError::Conflict(
                "the key is revoked, or was rotated by somebody else meanwhile".to_owned(),
            )),
            Err(error) => Err(error.into()),
            Ok(key) => {
                info!(key.id = %key.id, "rotated an api key");
                Ok((key, text))
            }
        }
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
    /// `Unauthenticated` for a key that is unknown, wrong, revoked or expired, without saying which; `Forbidden` for one that
    /// may not be used from `address`; `RateLimited` when too many requests came.
    pub async fn admit(
        &self,
        credential: &Credential,
        address: Option<IpAddr>,
    ) -> Result<Admitted, FlowError> {
        let now = self.clock.now();
        let pepper = self.pepper.get().await?;
        let hmac = credential.hmac(&pepper);
        let id = &credential.key_id;
        let seen = self.seen.get(id);
        let found = self.tables.keys().authenticate(id, &hmac, now, seen).await?;
        let Some(found) = found else { return Err(FlowError::Unauthenticated) };
        if !credential.matches(&found.key, &pepper, now) || !found.key.is_active(now) {
            return Err(FlowError::Unauthenticated);
        }
        if !found.key.allows(address) {
            return Err(FlowError::Forbidden("this key may not be used from this address"));
        }
        let limit = found.key.rate_per_minute;
        match found.verdict {
            Verdict::Allowed { tat, remaining } => {
                self.seen.insert(id.clone(), Seen { rate_per_minute: limit, tat });
                Ok(Admitted { caller: Caller::from(&found.key), limit, remaining })
            }
            Verdict::Refused { retry_after } => Err(FlowError::RateLimited { retry_after }),
        }
    }
}
