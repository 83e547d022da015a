//! Keys, tenants, scopes: who a caller is and what they may do.

use std::{fmt, net::IpAddr};

use hmac::{Hmac, Mac};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::{
    ids::{CollectionId, KeyId, TenantId},
    passage::EVERYBODY,
    spending::SpendingLimits,
    time::Timestamp,
};

/// What every API key begins with.
pub const KEY_PREFIX: &str = "lk_";
/// Longest principal in bytes: of a key, of a document's ACL, and what a token calls its subject and groups.
pub const MAX_PRINCIPAL_BYTES: usize = 256;
/// Bytes of entropy in a key's secret half.
pub const SECRET_BYTES: usize = 32;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Ask and search.
    Query,
    /// Write and delete documents and collections.
    Upload,
    /// Manage keys, see usage.
    Admin,
    /// Back up and restore.
    Backup,
    /// Read what the deployment measures of itself, whoever's requests that were. Only an operator gives it.
    Monitor,
}

/// The stored record of an API key. The secret is never stored, only its keyed hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Public half.
    pub id: KeyId,
    /// Whose data it opens: the account.
    pub tenant: TenantId,
    /// Which incarnation of that data; changes when a restored one takes over.
    #[serde(default)]
    pub incarnation: u32,
    /// What a person calls it.
    pub name: String,
    /// HMAC-SHA-256 of the secret under the deployment's pepper, lower-case hex.
    pub secret_hmac: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// The collections it may touch; `None` for all of the tenant's.
    pub collections: Option<Vec<CollectionId>>,
    /// Principals its holder acts as, matched against documents' ACLs.
    pub principals: Vec<String>,
    /// Requests per minute.
    pub rate_per_minute: u32,
    /// Most that may be spent with it.
    #[serde(flatten)]
    pub limits: SpendingLimits,
    /// The networks it may be used from; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_ips: Vec<IpNet>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The hash of the secret before the last rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_hmac: Option<String>,
    /// Until when that secret works, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Timestamp>,
}

impl ApiKey {
    /// Whether the key works at `now`.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expiry| now < expiry)
    }

    /// Whether a secret of this hash opens it at `now`: its own does, and the one before while both do. Takes the same time
    /// whatever the answer.
    #[must_use]
    pub fn opens(&self, secret_hmac: &str, now: Timestamp) -> bool {
        let hmac = secret_hmac.as_bytes();
        let current = hmac.ct_eq(self.secret_hmac.as_bytes());
        let previous = hmac.ct_eq(self.previous_hmac.as_deref().unwrap_or_default().as_bytes());
        let overlaps = self.previous_until.is_some_and(|until| now < until);
        bool::from(current) | (bool::from(previous) & overlaps & !hmac.is_empty())
    }

    /// Whether it may be used from an address. One that is not known is none of its networks'.
    #[must_use]
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        let is_listed = |address: IpAddr| {
            // An IPv4 client of a socket that takes both kinds.
            let address = address.to_canonical();
            self.allowed_ips.iter().any(|network| network.contains(&address))
        };
        self.allowed_ips.is_empty() || address.is_some_and(is_listed)
    }
}

/// A verified caller: the only source of tenant, permissions and principals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose data, in the incarnation that is live.
    pub tenant: TenantId,
    /// The key used, `None` for the local operator (`--open`, command line).
    pub key_id: Option<KeyId>,
    /// Which of those a widget's tokens were given to; none for the key's holder.
    pub visitor: Option<KeyId>,
    /// What is allowed.
    pub permissions: Vec<Permission>,
    /// Collections allowed; `None` for all.
    pub collections: Option<Vec<CollectionId>>,
    /// Whom documents' ACLs are matched with.
    pub principals: Vec<String>,
    /// Most that may be spent with the key.
    pub limits: SpendingLimits,
}

impl Caller {
    /// Returns the operator of a local data directory, who may do everything in `tenant`.
    #[must_use]
    pub fn operator(tenant: TenantId) -> Self {
        use Permission::{Admin, Backup, Query, Upload};
        let permissions = vec![Query, Upload, Admin, Backup];
        Self {
            tenant,
            key_id: None,
            visitor: None,
            permissions,
            collections: None,
            principals: Vec::new(),
            limits: SpendingLimits::default(),
        }
    }

    /// Returns whose the caller's questions are: visitors of a page share its key, and nothing else. Nobody's for the operator.
    #[must_use]
    pub fn subject(&self) -> Option<&KeyId> {
        self.visitor.as_ref().or(self.key_id.as_ref())
    }

    /// Whether the caller holds `permission`.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether one of the caller's principals, or everybody, is in `acl`.
    #[must_use]
    pub fn may_see(&self, acl: &[String]) -> bool {
        acl.iter().any(|principal| principal == EVERYBODY || self.principals.contains(principal))
    }

    /// Whether the caller may know of a document with this ACL: its writers may, and who may ask of it.
    #[must_use]
    pub fn may_read(&self, acl: &[String]) -> bool {
        self.may(Permission::Upload) || (self.may(Permission::Query) && self.may_see(acl))
    }

    /// Whether the caller may touch `collection`.
    #[must_use]
    pub fn may_touch(&self, collection: &CollectionId) -> bool {
        self.collections.as_ref().is_none_or(|allowed| allowed.contains(collection))
    }
}

impl From<&ApiKey> for Caller {
    fn from(key: &ApiKey) -> Self {
        Self {
            tenant: key.tenant.in_incarnation(key.incarnation),
            key_id: Some(key.id.clone()),
            visitor: None,
            permissions: key.permissions.clone(),
            collections: key.collections.clone(),
            principals: key.principals.clone(),
            limits: key.limits,
        }
    }
}

/// A presented credential, `lk_<key id>_<secret>`.
pub struct Credential {
    /// Public half: finds the record.
    pub key_id: KeyId,
    secret: SecretString,
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credential").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The presented text is not an API key. Says nothing more on purpose.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not an API key")]
pub struct NotAKey;

impl Credential {
    /// Parses `lk_<26-character id>_<64 hex digits>`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(raw: &str) -> Result<Self, NotAKey> {
        let (id, secret) =
            raw.strip_prefix(KEY_PREFIX).and_then(|rest| rest.split_once('_')).ok_or(NotAKey)?;
        let key_id = id.parse().map_err(|_| NotAKey)?;
        let is_hex = secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        if secret.len() != SECRET_BYTES * 2 || !is_hex {
            return Err(NotAKey);
        }
        Ok(Self { key_id, secret: secret.to_owned().into() })
    }

    /// Returns a new credential and its text, which is shown once.
    #[must_use]
    pub fn generate(key_id: KeyId, secret: [u8; SECRET_BYTES]) -> (Self, SecretString) {
        let secret = hex::encode(secret);
        let text = format!("{KEY_PREFIX}{key_id}_{secret}").into();
        (Self { key_id, secret: secret.into() }, text)
    }

    /// Returns the keyed hash that is stored: HMAC-SHA-256 (RFC 2104) of the secret under `pepper`.
    #[must_use]
    pub fn hmac(&self, pepper: &SecretString) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(pepper.expose_secret().as_bytes())
            .expect("HMAC takes keys of every length");
        mac.update(self.secret.expose_secret().as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Whether this credential opens `key` at `now`; takes the same time whatever the answer.
    #[must_use]
    pub fn matches(&self, key: &ApiKey, pepper: &SecretString, now: Timestamp) -> bool {
        let same_id = self.key_id == key.id;
        same_id & key.opens(&self.hmac(pepper), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(credential: &Credential, pepper: &SecretString) -> ApiKey {
        ApiKey {
            id: credential.key_id.clone(),
            tenant: "acme".parse().unwrap(),
            incarnation: 0,
            name: "test".into(),
            secret_hmac: credential.hmac(pepper),
            permissions: vec![Permission::Query],
            collections: None,
            principals: vec![],
            rate_per_minute: 100,
            limits: SpendingLimits::default(),
            allowed_ips: vec![],
            previous_hmac: None,
            previous_until: None,
            created_at: Timestamp::from_millis(0),
            expires_at: Some(Timestamp::from_millis(10)),
            revoked_at: None,
        }
    }

    #[test]
    fn a_generated_key_parses_and_matches_only_itself() {
        let pepper = "pepper".to_owned().into();
        let id = KeyId::new(Timestamp::from_millis(5), 1);
        let (credential, text) = Credential::generate(id.clone(), [7; SECRET_BYTES]);
        let presented = Credential::parse(text.expose_secret()).unwrap();
        let key = key(&credential, &pepper);
        let now = Timestamp::from_millis(0);
        assert!(presented.matches(&key, &pepper, now));
        let (other, _) = Credential::generate(id, [8; SECRET_BYTES]);
        assert!(!other.matches(&key, &pepper, now));
        assert!(!presented.matches(&key, &"other pepper".to_owned().into(), now));
        assert!(key.is_active(Timestamp::from_millis(9)));
        assert!(!key.is_active(Timestamp::from_millis(10)));
    }

    #[test]
    fn a_rotated_key_opens_with_both_secrets_for_a_while() {
        let pepper = "pepper".to_owned().into();
        let id = KeyId::new(Timestamp::from_millis(5), 1);
        let (old, _) = Credential::generate(id.clone(), [7; SECRET_BYTES]);
        let (new, _) = Credential::generate(id, [8; SECRET_BYTES]);
        let until = Timestamp::from_millis(8);
        let rotated = ApiKey {
            secret_hmac: new.hmac(&pepper),
            previous_hmac: Some(old.hmac(&pepper)),
            previous_until: Some(until),
            ..key(&old, &pepper)
        };
        let opens = |credential: &Credential, at| {
            credential.matches(&rotated, &pepper, Timestamp::from_millis(at))
        };
        assert_eq!([opens(&old, 7), opens(&new, 7)], [true, true]);
        assert_eq!([opens(&old, 8), opens(&new, 8)], [false, true]);
        assert!(!rotated.opens("", Timestamp::from_millis(0)));
        let never = ApiKey { previous_hmac: None, ..rotated };
        assert!(!never.opens("", Timestamp::from_millis(0)), "no hash is no secret's");
    }

    #[test]
    fn a_key_is_used_from_its_networks_only() {
        let pepper = "pepper".to_owned().into();
        let id = KeyId::new(Timestamp::from_millis(5), 1);
        let (credential, _) = Credential::generate(id, [7; SECRET_BYTES]);
        let everywhere = key(&credential, &pepper);
        assert!(everywhere.allows(None));
        let networks = ["192.0.2.0/24", "2001:db8::/32"].map(|text| text.parse().unwrap());
        let key = ApiKey { allowed_ips: networks.to_vec(), ..everywhere };
        for (address, fine) in [
            ("192.0.2.200", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.3.1", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(key.allows(Some(address.parse().unwrap())), fine, "{address}");
        }
        assert!(!key.allows(None));
    }

    #[test]
    fn refuses_other_texts_and_never_prints_the_secret() {
        for bad in ["", "lk_", "lk_x_y", "sk-123", "lk_01ARZ3NDEKTSV4RRFFQ69G5FAV_zz"] {
            assert!(Credential::parse(bad).is_err(), "{bad}");
        }
        let id = KeyId::new(Timestamp::from_millis(5), 1);
        let (credential, _) = Credential::generate(id, [0xab; SECRET_BYTES]);
        assert!(!format!("{credential:?}").contains("abab"));
    }
}
