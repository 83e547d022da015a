//! One token is admitted: read whose it says it is → find that issuer's key → check the signature → check the claims → take
//! from the subject's rate and look up which data is live, at once.
//!
//! A token is a JWT that is signed (RFC 7515) by an issuer the operator named. Nothing in it is believed before its signature is
//! checked with a key from that issuer, by an algorithm the operator allowed: no key that the token brings along, no
//! symmetric algorithm, no `none`.
//!
//! | module | answers |
//! |---|---|
//! | `known` | which keys of an issuer are known, and when they are asked for again |
//! | `signature` | how signatures are checked, with ring |

mod known;
mod signature;

use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};
use lectern_core::{
    errors::PortError,
    issuers::{Identity, Issuer, Issuers, Refusal},
    limits::Verdict,
    ports::IssuerKeys,
};
use lectern_tables::Tables;
use serde_json::{Map, Value};
use thiserror::Error;
use tracing::info;

use self::{known::KnownKeys, signature::algorithm};
use crate::{clock::Clock, errors::FlowError, keys::Admitted};

/// Longest token in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 << 10;
/// Types of a token (RFC 7519, section 5.1; RFC 9068, section 2.1). One that says it is something else, a logout token say, is.
const TYPES: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];

/// Why a token is not let in. For the log: whoever presents one is told nothing.
#[derive(Debug, Error)]
enum Refused {
    #[error("it is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    #[error("it is no signed token: {0}")]
    Form(jsonwebtoken::errors::Error),
    #[error("its issuer is not trusted")]
    Issuer,
    #[error("its header asks for what is not understood")]
    Header,
    #[error("its algorithm is not allowed")]
    Algorithm,
    #[error("its issuer has no such key")]
    Key,
    #[error("its signature is wrong: {0}")]
    Signature(jsonwebtoken::errors::Error),
    #[error(transparent)]
    Claims(#[from] Refusal),
    #[error("the issuer's keys are not to be had: {0}")]
    Unavailable(PortError),
}

/// Admits the bearers of tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    trusted: Arc<[(Issuer, KnownKeys)]>,
    tables: Tables,
    clock: Clock,
}

/// Keys that stand in the settings.
#[derive(Debug)]
struct InSettings;

#[async_trait]
impl IssuerKeys for InSettings {
    async fn fetch(&self, issuer: &Issuer) -> Result<Vec<u8>, PortError> {
        Ok(issuer.jwks.as_ref().map(ToString::to_string).unwrap_or_default().into_bytes())
    }
}

impl Tokens {
    /// Whether no token is let in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trusted.is_empty()
    }

    /// Returns who trusts these issuers, and asks `published` for keys that are not in the settings.
    #[must_use]
    pub fn new(
        issuers: &Issuers,
        published: &Arc<dyn IssuerKeys>,
        tables: Tables,
        clock: Clock,
    ) -> Self {
        signature::install();
        let trusted = issuers.iter().map(|issuer| {
            let source = match issuer.jwks {
                Some(_) => Arc::new(InSettings),
                None => Arc::clone(published),
            };
            (issuer.clone(), KnownKeys::new(source))
        });
        Self { trusted: trusted.collect(), tables, clock }
    }

    /// Learns the keys of all issuers, so that no request waits for them.
    ///
    /// # Errors
    /// The first issuer's that has one, once all have answered; whoever presents a token of it asks again.
    pub async fn warm_up(&self) -> Result<(), PortError> {
        let now = self.clock.now();
        let learnt = self.trusted.iter().map(|(issuer, known)| known.refresh(issuer, now));
        futures::future::join_all(learnt).await.into_iter().collect()
    }

    /// Checks a token and takes one request from its subject's rate.
    ///
    /// # Errors
    /// `Unauthenticated` for any token that is not let in, without saying why; `RateLimited` when too many requests came; the
    /// port's error when the keys of its issuer, or the table, cannot be had.
    pub async fn admit(&self, token: &str) -> Result<Admitted, FlowError> {
        let Identity { mut caller, rate_per_minute } = match self.identify(token).await {
            Ok(identity) => identity,
            Err(Refused::Unavailable(error)) => return Err(error.into()),
            Err(reason) => {
                info!(%reason, "refused a token");
                return Err(FlowError::Unauthenticated);
            }
        };
        let id = caller.key_id.clone().ok_or(FlowError::Unauthenticated)?;
        let now = self.clock.now();
        let (tenants, subjects) = (self.tables.tenants(), self.tables.subjects());
        let live = tenants.live(&caller.tenant);
        let taken = subjects.take(&id, rate_per_minute, now);
        let (live, verdict) = futures::future::try_join(live, taken).await?;
        match verdict {
            Verdict::Allowed { remaining, .. } => {
                caller.tenant = live;
                Ok(Admitted { caller, limit: rate_per_minute, remaining })
            }
            Verdict::Refused { retry_after } => Err(FlowError::RateLimited { retry_after }),
        }
    }

    /// Returns who a token's bearer is, once its signature and claims are checked.
    async fn identify(&self, token: &str) -> Result<Identity, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refused::TooLong);
        }
        let header = decode_header(token).map_err(Refused::Form)?;
        let is_known = |kind: &str| TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind));
        let is_type = header.typ.as_deref().is_none_or(is_known);
        if header.crit.is_some() || header.zip.is_some() || header.enc.is_some() || !is_type {
            return Err(Refused::Header);
        }
        let (issuer, known) = self.named_in(token)?;
        if !issuer.algorithms.iter().any(|allowed| algorithm(*allowed) == header.alg) {
            return Err(Refused::Algorithm);
        }
        let key = self.key(issuer, known, &header).await?;
        let claims = verified(token, &header, &key)?;
        Ok(issuer.identify(&claims, self.clock.now())?)
    }

    /// Returns the issuer a token says it is of. Whether it is, its signature says.
    fn named_in(&self, token: &str) -> Result<&(Issuer, KnownKeys), Refused> {
        #[derive(serde::Deserialize)]
        struct Claimed {
            iss: String,
        }
        let read = jsonwebtoken::dangerous::insecure_decode_claims::<Claimed>(token);
        let claimed = read.map_err(Refused::Form)?.iss;
        self.trusted.iter().find(|(issuer, _)| issuer.issuer == claimed).ok_or(Refused::Issuer)
    }

    async fn key(
        &self,
        issuer: &Issuer,
        known: &KnownKeys,
        header: &Header,
    ) -> Result<DecodingKey, Refused> {
        let found = known.find(issuer, header, self.clock.now()).await;
        found.map_err(Refused::Unavailable)?.ok_or(Refused::Key)
    }
}

/// Returns the claims of a token that was signed with this key.
fn verified(
    token: &str,
    header: &Header,
    key: &DecodingKey,
) -> Result<Map<String, Value>, Refused> {
    let mut validation = Validation::new(header.alg);
    // Claims are checked by `Issuer::identify`, which takes the time as an argument.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) =
        (false, false, false);
    let decoded = decode::<Map<String, Value>>(token, key, &validation);
    decoded.map(|data| data.claims).map_err(Refused::Signature)
}

#[cfg(test)]
mod tests;
