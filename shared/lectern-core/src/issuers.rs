//! Whose tokens are trusted, and what a token's claims let its bearer do.
//!
//! A token is a JWT (RFC 7519) of an OpenID Connect issuer. Whoever checked its signature hands its claims to
//! [`Issuer::identify`], which holds them to RFC 9068: exact issuer, audience, times. Nothing a bearer could have written is
//! believed: tenant, permissions and groups come from claims the operator named, and without a mapping there are none.
//! Who two issuers call the same is nobody's namesake: where both reach a tenant, their principals begin differently.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    auth::{Caller, MAX_PRINCIPAL_BYTES, Permission},
    ids::{CollectionId, KeyId, TenantId},
    pricing::MicroDollars,
    spending::SpendingLimits,
    time::Timestamp,
};

mod checks;
mod claims;

/// Most issuers of a deployment.
pub const MAX_ISSUERS: usize = 16;
/// How far clocks may be apart.
pub const MAX_SKEW: Duration = Duration::from_secs(60);
/// Longest life of a token, unless an issuer's setting says otherwise: until it ends, nothing takes it back.
const DEFAULT_MAX_LIFETIME_SECONDS: u64 = 24 * 60 * 60;
/// Requests per minute of one subject, unless set otherwise.
const DEFAULT_RATE_PER_MINUTE: u32 = 100;
/// Most groups of a token. Its filter is part of every search.
pub const MAX_GROUPS: usize = 200;
/// Longest prefix of principals in bytes.
const MAX_PREFIX_BYTES: usize = 64;

/// How tokens are signed (RFC 7518, section 3.1). Nothing symmetric: who can check such a token can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// ECDSA over P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

/// One issuer, as the operator describes it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its identifier, byte by byte as `iss` has it; its keys are found under it (OpenID Connect Discovery 1.0).
    pub issuer: String,
    /// What `aud` must name.
    pub audience: String,
    /// How its tokens may be signed.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<SigningAlgorithm>,
    /// Its keys (RFC 7517, section 5), where they are not to be asked for.
    #[serde(default)]
    pub jwks: Option<Value>,
    /// Whose data all its subjects ask of.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// The claim that says whose.
    #[serde(default)]
    pub tenant_claim: Option<String>,
    /// The tenants by that claim's values; without it, a value is the tenant's name.
    #[serde(default)]
    pub tenants: Option<BTreeMap<String, TenantId>>,
    /// The claim that names the subject.
    #[serde(default = "default_subject_claim")]
    pub subject_claim: String,
    /// What every subject may do.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// The claim that says what else: values apart by spaces, or in an array.
    #[serde(default)]
    pub permissions_claim: Option<String>,
    /// Permissions by that claim's values. Others mean nothing.
    #[serde(default)]
    pub permissions_by_value: BTreeMap<String, Vec<Permission>>,
    /// The claim that names the subject's groups.
    #[serde(default)]
    pub groups_claim: Option<String>,
    /// What its subjects and groups begin with as principals: `customer/` makes `u-1` `user:customer/u-1`.
    #[serde(default)]
    pub principal_prefix: Option<String>,
    /// The collections its subjects may touch; all without.
    #[serde(default)]
    pub collections: Option<Vec<CollectionId>>,
    /// Requests per minute of one subject.
    #[serde(default = "default_rate")]
    pub rate_per_minute: u32,
    /// Most one subject may spend in a day.
    #[serde(default)]
    pub usd_per_day: Option<f64>,
    /// Most one subject may spend in a month.
    #[serde(default)]
    pub usd_per_month: Option<f64>,
    /// Longest life of a token.
    #[serde(default = "default_max_lifetime")]
    pub max_lifetime_seconds: u64,
}

fn default_algorithms() -> Vec<SigningAlgorithm> {
    vec![SigningAlgorithm::RS256, SigningAlgorithm::ES256]
}

fn default_subject_claim() -> String {
    "sub".to_owned()
}

fn default_rate() -> u32 {
    DEFAULT_RATE_PER_MINUTE
}

fn default_max_lifetime() -> u64 {
    DEFAULT_MAX_LIFETIME_SECONDS
}

/// Why settings of issuers cannot be used.
#[derive(Debug, Error)]
pub enum IssuersError {
    /// Not the expected JSON.
    #[error("must be a JSON array of issuers: {0}")]
    Json(#[from] serde_json::Error),
    /// Too many.
    #[error("must have at most {MAX_ISSUERS} issuers")]
    TooMany,
    /// Two of one name.
    #[error("has `{0}` twice")]
    Twice(String),
    /// Two whose subjects an account could not tell apart.
    #[error(
        "issuers `{one}` and `{other}` can reach one account: each needs a `principal_prefix` that the other's does not begin with"
    )]
    Alike {
        /// The first.
        one: String,
        /// The second.
        other: String,
    },
    /// One that is wrong.
    #[error("issuer `{issuer}`: {reason}")]
    Issuer {
        /// Which.
        issuer: String,
        /// What it must be.
        reason: String,
    },
}

/// The issuers a deployment trusts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Issuers(Vec<Issuer>);

impl FromStr for Issuers {
    type Err = IssuersError;

    /// Parses the JSON array of `LECTERN_ISSUERS`; an empty text is none.
    fn from_str(raw: &str) -> Result<Self, IssuersError> {
        if raw.trim().is_empty() {
            return Ok(Self::default());
        }
        let issuers: Vec<Issuer> = serde_json::from_str(raw)?;
        if issuers.len() > MAX_ISSUERS {
            return Err(IssuersError::TooMany);
        }
        for (position, issuer) in issuers.iter().enumerate() {
            if let Err(reason) = issuer.check() {
                return Err(IssuersError::Issuer { issuer: issuer.issuer.clone(), reason });
            }
            for other in &issuers[..position] {
                if other.issuer == issuer.issuer {
                    return Err(IssuersError::Twice(issuer.issuer.clone()));
                }
                if issuer.is_like(other) {
                    let (one, other) = (other.issuer.clone(), issuer.issuer.clone());
                    return Err(IssuersError::Alike { one, other });
                }
            }
        }
        Ok(Self(issuers))
    }
}

impl Issuers {
    /// Whether no token is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns each issuer.
    pub fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.0.iter()
    }
}

/// Why a token whose signature is right is not let in. For the log: whoever presents one is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Of another issuer.
    #[error("`iss` is another issuer")]
    Issuer,
    /// For somebody else.
    #[error("`aud` does not name this service")]
    Audience,
    /// A time is missing, of another form or order.
    #[error("`exp`, `nbf` or `iat` is missing or of another form")]
    Times,
    /// It is over.
    #[error("the token has expired")]
    Expired,
    /// It has not begun.
    #[error("the token is not valid yet")]
    NotYet,
    /// It lives longer than allowed.
    #[error("the token lives longer than `max_lifetime_seconds` allows")]
    LivesTooLong,
    /// Nobody is named.
    #[error("the claim of the subject is missing, empty or too long")]
    Subject,
    /// No tenant is named.
    #[error("the claim of the tenant is missing, or names none")]
    Tenant,
    /// Groups that cannot be taken.
    #[error("the claim of the groups is of another form, or names more than {MAX_GROUPS}")]
    Groups,
}

/// Who a token's bearer is.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The caller, in the tenant's first incarnation: which one is live the table knows.
    pub caller: Caller,
    /// Requests per minute.
    pub rate_per_minute: u32,
}

impl Issuer {
    fn limits(&self) -> Option<SpendingLimits> {
        let amount = |dollars: Option<f64>| dollars.map(MicroDollars::try_from).transpose().ok();
        Some(SpendingLimits {
            per_day: amount(self.usd_per_day)?,
            per_month: amount(self.usd_per_month)?,
        })
    }

    /// Returns who the bearer of these claims is at `now`. Their signature must have been checked with this issuer's keys.
    ///
    /// # Errors
    /// When the token is of somebody else, for somebody else, over, or names nobody.
    pub fn identify(
        &self,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Identity, Refusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refusal::Issuer);
        }
        if !claims::texts(claims.get("aud")).is_some_and(|all| all.contains(&&*self.audience)) {
            return Err(Refusal::Audience);
        }
        claims::check_times(claims, now, self.max_lifetime_seconds)?;
        let subject = claims::of(claims, &self.subject_claim).and_then(Value::as_str);
        let subject = subject.filter(|subject| fits(subject)).ok_or(Refusal::Subject)?;
        let tenant = self.tenant_of(claims).ok_or(Refusal::Tenant)?;
        let mut principals = vec![format!("user:{}{subject}", self.prefix())];
        principals.extend(self.groups_of(claims)?);
        let caller = Caller {
            key_id: Some(KeyId::of_subject(&self.issuer, tenant.as_str(), subject)),
            visitor: None,
            tenant,
            permissions: self.permissions_of(claims),
            collections: self.collections.clone(),
            principals,
            limits: self.limits().unwrap_or_default(),
        };
        Ok(Identity { caller, rate_per_minute: self.rate_per_minute })
    }

    fn tenant_of(&self, claims: &Map<String, Value>) -> Option<TenantId> {
        let Some(claim) = &self.tenant_claim else { return self.tenant.clone() };
        let named = claims::of(claims, claim)?.as_str()?;
        match &self.tenants {
            Some(tenants) => tenants.get(named).cloned(),
            // Incarnations are the table's to choose.
            None => named.parse().ok().filter(|tenant: &TenantId| tenant.incarnation() == 0),
        }
    }

    fn permissions_of(&self, claims: &Map<String, Value>) -> Vec<Permission> {
        let mut permissions = self.permissions.clone();
        let claimed = self.permissions_claim.as_ref().and_then(|claim| claims::of(claims, claim));
        for value in claims::words(claimed) {
            permissions.extend(self.permissions_by_value.get(value).into_iter().flatten());
        }
        permissions.sort_unstable();
        permissions.dedup();
        permissions
    }

    fn groups_of(&self, claims: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
        let claimed = self.groups_claim.as_ref().and_then(|claim| claims::of(claims, claim));
        let Some(claimed) = claimed else { return Ok(Vec::new()) };
        let groups = claims::texts(Some(claimed)).ok_or(Refusal::Groups)?;
        if groups.len() > MAX_GROUPS || !groups.iter().all(|group| fits(group)) {
            return Err(Refusal::Groups);
        }
        let prefix = self.prefix();
        Ok(groups.into_iter().map(|group| format!("group:{prefix}{group}")).collect())
    }

    fn prefix(&self) -> &str {
        self.principal_prefix.as_deref().unwrap_or_default()
    }
}

fn fits(name: &str) -> bool {
    (1..=MAX_PRINCIPAL_BYTES).contains(&name.len())
}

#[cfg(test)]
mod tests;
