//! Tokens for widgets: what a page of somebody else's site may show to its visitors, for it to ask questions with.
//!
//! A key must not be in a page. Whoever holds one gives the page a token instead: it lives for minutes, asks and does nothing else,
//! works from the pages of one origin only, and ends with its key. It is `lw_`, what it says as JSON in base64url, a dot, and
//! the HMAC-SHA-256 (RFC 2104) of that text under the deployment's pepper: nothing is stored.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;

use crate::{
    auth::{ApiKey, Caller, Permission},
    ids::{CollectionId, KeyId, TenantId},
    time::Timestamp,
};

/// What every token of a widget begins with.
pub const WIDGET_PREFIX: &str = "lw_";
/// How long a token lives that says nothing else.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long one lives at most.
pub const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// Requests per minute with one token: what a person reads is asked more slowly.
pub const RATE_PER_MINUTE: u32 = 30;
/// Longest token in bytes.
pub const MAX_WIDGET_TOKEN_BYTES: usize = 12 << 10;
/// Longest name of a visitor in bytes.
pub const MAX_VISITOR_BYTES: usize = 256;
/// What is signed begins with this, so that it is nothing else that is signed under the same secret.
const PURPOSE: &[u8] = b"lectern widget token\0";

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidgetToken {
    /// The account whose documents are asked.
    pub tenant: TenantId,
    /// The key it was made with.
    pub key_id: KeyId,
    /// Who has it: the same for one visitor, as far as the key's holder tells them apart.
    pub visitor: KeyId,
    /// From whose pages it works, `https://shop.example`.
    pub origin: String,
    /// The collections it may ask; those of its key without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<Vec<CollectionId>>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The text is no token that works here and now. Says nothing more on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a token of a widget")]
pub struct NotAToken;

impl WidgetToken {
    /// Returns the token's text.
    #[must_use]
    pub fn sign(&self, pepper: &SecretString) -> SecretString {
        // Texts and numbers: writing them cannot fail.
        let said = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default());
        let mac = mac(&said, pepper).finalize().into_bytes();
        format!("{WIDGET_PREFIX}{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac)).into()
    }

    /// Returns what a text says, if it was signed under this pepper and is not over.
    ///
    /// # Errors
    /// Without saying which, when it is no token, another's, changed or over.
    pub fn verify(text: &str, pepper: &SecretString, now: Timestamp) -> Result<Self, NotAToken> {
        if text.len() > MAX_WIDGET_TOKEN_BYTES {
            return Err(NotAToken);
        }
        let signed = text.strip_prefix(WIDGET_PREFIX).and_then(|rest| rest.split_once('.'));
        let (said, signature) = signed.ok_or(NotAToken)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| NotAToken)?;
        // Compares in constant time.
        mac(said, pepper).verify_slice(&signature).map_err(|_| NotAToken)?;
        let said = BASE64_URL_SAFE_NO_PAD.decode(said).map_err(|_| NotAToken)?;
        let token: Self = serde_json::from_slice(&said).map_err(|_| NotAToken)?;
        if now < token.expires_at { Ok(token) } else { Err(NotAToken) }
    }

    /// Returns who calls with it, as far as its key may still do it; nobody once the key is gone or is another account's.
    #[must_use]
    pub fn caller(&self, key: &ApiKey, now: Timestamp) -> Option<Caller> {
        let whole = Caller::from(key);
        let is_its = key.id == self.key_id && key.tenant == self.tenant;
        if !is_its || !key.is_active(now) || !whole.may(Permission::Query) {
            return None;
        }
        let collections = match &self.collections {
            None => whole.collections.clone(),
            Some(named) => Some(named.iter().filter(|id| whole.may_touch(id)).cloned().collect()),
        };
        let permissions = vec![Permission::Query];
        Some(Caller { permissions, collections, visitor: Some(self.visitor.clone()), ..whole })
    }
}

fn mac(said: &str, pepper: &SecretString) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper.expose_secret().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(PURPOSE);
    mac.update(said.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{auth::Credential, spending::SpendingLimits};

    fn pepper() -> SecretString {
        "pepper".to_owned().into()
    }

    fn token() -> WidgetToken {
        let at = Timestamp::from_millis(5);
        WidgetToken {
            tenant: "acme".parse().unwrap(),
            key_id: KeyId::new(at, 1),
            visitor: KeyId::new(at, 2),
            origin: "https://shop.example".to_owned(),
            collections: Some(vec!["help".parse().unwrap(), "other".parse().unwrap()]),
            expires_at: Timestamp::from_millis(1_000),
        }
    }

    fn key() -> ApiKey {
        let (credential, _) = Credential::generate(token().key_id, [7; 32]);
        ApiKey {
            id: token().key_id,
            tenant: "acme".parse().unwrap(),
            incarnation: 2,
            name: "site".into(),
            secret_hmac: credential.hmac(&pepper()),
            permissions: vec![Permission::Query, Permission::Admin],
            collections: Some(vec!["help".parse().unwrap()]),
            principals: vec!["public".into()],
            rate_per_minute: 100,
            limits: SpendingLimits::default(),
            allowed_ips: vec![],
            created_at: Timestamp::from_millis(0),
            expires_at: None,
            revoked_at: None,
            previous_hmac: None,
            previous_until: None,
        }
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_ends_and_under_its_pepper_alone() {
        let text = token().sign(&pepper());
        let read = |pepper: &SecretString, at| {
            WidgetToken::verify(text.expose_secret(), pepper, Timestamp::from_millis(at))
        };
        assert_eq!(read(&pepper(), 999), Ok(token()));
        assert_eq!(read(&pepper(), 1_000), Err(NotAToken));
        assert_eq!(read(&"other".to_owned().into(), 999), Err(NotAToken));
        let long = format!("{}{}", text.expose_secret(), "A".repeat(MAX_WIDGET_TOKEN_BYTES));
        let now = Timestamp::from_millis(1);
        assert_eq!(WidgetToken::verify(&long, &pepper(), now), Err(NotAToken));
    }

    #[test]
    fn its_bearer_asks_as_its_key_and_does_nothing_else() {
        let now = Timestamp::from_millis(10);
        let caller = token().caller(&key(), now).unwrap();
        assert_eq!(caller.permissions, [Permission::Query]);
        assert_eq!(caller.collections, Some(vec!["help".parse().unwrap()]));
        assert_eq!(
            (caller.principals, caller.visitor),
            (vec!["public".to_owned()], Some(token().visitor))
        );
        assert_eq!(caller.tenant.as_str(), "acme.2");
        let all = WidgetToken { collections: None, ..token() };
        assert_eq!(all.caller(&key(), now).unwrap().collections, key().collections);
    }

    #[test]
    fn it_ends_with_its_key() {
        let now = Timestamp::from_millis(10);
        for gone in [
            ApiKey { revoked_at: Some(now), ..key() },
            ApiKey { expires_at: Some(now), ..key() },
            ApiKey { permissions: vec![Permission::Upload], ..key() },
            ApiKey { tenant: "other".parse().unwrap(), ..key() },
            ApiKey { id: KeyId::new(now, 9), ..key() },
        ] {
            assert_eq!(token().caller(&gone, now), None, "{gone:?}");
        }
    }

    proptest! {
        /// Whatever character of it is another, it is no token: base64 without padding has one text for each value but for the
        /// last character's spare bits, which its decoder refuses.
        #[test]
        fn a_changed_token_is_none(at in 0_usize..1_000, other in "[A-Za-z0-9_.-]") {
            let text = token().sign(&pepper()).expose_secret().to_owned();
            let at = at % text.len();
            prop_assume!(text[at..=at] != other);
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            let now = Timestamp::from_millis(1);
            prop_assert_eq!(WidgetToken::verify(&changed, &pepper(), now), Err(NotAToken));
        }

        #[test]
        fn whatever_is_presented_is_refused_and_nothing_breaks(text in "(lw_)?[ -~]{0,80}") {
            let now = Timestamp::from_millis(1);
            prop_assert_eq!(WidgetToken::verify(&text, &pepper(), now), Err(NotAToken));
        }
    }
}
