//! Tokens for widgets: one is made with a key, and one is admitted: signature → take from its rate ‖ look up its key.

use std::time::Duration;

use lectern_core::{
    auth::{Caller, Permission},
    ids::{CollectionId, KeyId},
    limits::Verdict,
    widget::{MAX_LIFETIME, MAX_VISITOR_BYTES, RATE_PER_MINUTE, WidgetToken},
};
use secrecy::SecretString;

use crate::{
    clock::entropy,
    errors::FlowError,
    keys::{Admitted, Keys, MAX_LISTED},
};

/// What a new token may do.
#[derive(Clone, Debug)]
pub struct NewWidgetToken {
    /// From whose pages it works.
    pub origin: String,
    /// The collections it may ask; those of the key without.
    pub collections: Option<Vec<CollectionId>>,
    /// Who will have it, in the key's holder's own words, which go no further: a conversation goes on with the next token of the
    /// same visitor. Somebody new without.
    pub visitor: Option<String>,
    /// How long it lives.
    pub lifetime: Duration,
}

/// Makes and admits tokens for widgets.
#[derive(Clone, Debug)]
pub struct Widgets {
    /// The keys they are made with.
    pub keys: Keys,
}

impl Widgets {
    /// Makes a token of the caller's key and returns it with its text. That its origin may call is the caller's to check.
    ///
    /// # Errors
    /// `Forbidden` for whoever has no key, may not ask, or has a token of a widget; when a field is wrong.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewWidgetToken,
    ) -> Result<(WidgetToken, SecretString), FlowError> {
        let NewWidgetToken { origin, collections, visitor, lifetime } = new;
        let key_id = authorize(caller)?;
        check(collections.as_deref(), visitor.as_deref(), lifetime)?;
        let may_touch = |ids: &[CollectionId]| ids.iter().all(|id| caller.may_touch(id));
        if !collections.as_deref().is_none_or(may_touch) {
            return Err(FlowError::Forbidden("your own key may not touch all of `collections`"));
        }
        // A token of an issuer is no key: nothing would end what is made with it.
        if self.keys.tables.keys().get(&caller.tenant, &key_id).await?.is_none() {
            return Err(FlowError::Forbidden("tokens for widgets are made with an API key"));
        }
        let now = self.keys.clock.now();
        let visitor = match visitor {
            Some(name) => visitor_id(&key_id, &name),
            None => KeyId::new(now, entropy()),
        };
        let (tenant, expires_at) = (caller.tenant.account(), now + lifetime);
        let token = WidgetToken { tenant, key_id, visitor, origin, collections, expires_at };
        let text = token.sign(&self.keys.pepper.get().await?);
        Ok((token, text))
    }

    /// Checks a token that a page of `origin` presents, and takes one request from its rate.
    ///
    /// # Errors
    /// `Unauthenticated` for one that does not work, without saying why; `Forbidden` from another page; `RateLimited` when too many
    /// requests came.
    pub async fn admit(&self, text: &str, origin: Option<&str>) -> Result<Admitted, FlowError> {
        let now = self.keys.clock.now();
        let pepper = self.keys.pepper.get().await?;
        let token = WidgetToken::verify(text, &pepper, now);
        let token = token.map_err(|_| FlowError::Unauthenticated)?;
        if origin != Some(&*token.origin) {
            return Err(FlowError::Forbidden(
                "this token works from the pages it was made for only",
            ));
        }
        let tables = &self.keys.tables;
        let (keys, subjects) = (tables.keys(), tables.subjects());
        let found = keys.get(&token.tenant, &token.key_id);
        let taken = subjects.take(&token.visitor, RATE_PER_MINUTE, now);
        let (key, verdict) = futures::future::try_join(found, taken).await?;
        let caller = key.and_then(|key| token.caller(&key, now));
        let caller = caller.ok_or(FlowError::Unauthenticated)?;
        match verdict {
            Verdict::Allowed { remaining, .. } => {
                Ok(Admitted { caller, limit: RATE_PER_MINUTE, remaining })
            }
            Verdict::Refused { retry_after } => Err(FlowError::RateLimited { retry_after }),
        }
    }
}

/// Returns the key of a caller who may make tokens, as far as can be told without the table.
///
/// # Errors
/// `Forbidden` as in [`Widgets::create`].
pub fn authorize(caller: &Caller) -> Result<KeyId, FlowError> {
    if !caller.may(Permission::Query) {
        return Err(FlowError::Forbidden("the permission `query` is missing"));
    }
    let key_id = caller.key_id.clone().filter(|_| caller.visitor.is_none());
    key_id.ok_or(FlowError::Forbidden("tokens for widgets are made with an API key"))
}

/// Returns what stands for a visitor whom the key's holder calls so.
pub(crate) fn visitor_id(key_id: &KeyId, name: &str) -> KeyId {
    KeyId::of_subject("widget", key_id.as_str(), name)
}

fn check(
    collections: Option<&[CollectionId]>,
    visitor: Option<&str>,
    lifetime: Duration,
) -> Result<(), FlowError> {
    if collections.is_some_and(|ids| !(1..=MAX_LISTED).contains(&ids.len())) {
        return Err(FlowError::field("/collections", format!("must have 1 to {MAX_LISTED}")));
    }
    if visitor.is_some_and(|name| !(1..=MAX_VISITOR_BYTES).contains(&name.len())) {
        return Err(FlowError::field(
            "/visitor",
            format!("must have 1 to {MAX_VISITOR_BYTES} bytes"),
        ));
    }
    if lifetime.is_zero() || lifetime > MAX_LIFETIME {
        let detail = format!("must be 1 to {}", MAX_LIFETIME.as_secs());
        return Err(FlowError::field("/lifetime_seconds", detail));
    }
    Ok(())
}
