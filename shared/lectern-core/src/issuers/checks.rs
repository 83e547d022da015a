//! Settings of issuers that can never work, or not beside each other.

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::Value;

use super::{Issuer, MAX_PREFIX_BYTES};
use crate::{ids::TenantId, limits::MAX_RATE_PER_MINUTE};

impl Issuer {
    /// Returns what a setting must be, where it is something else.
    pub(super) fn check(&self) -> Result<(), String> {
        let must = |is: bool, reason: &str| if is { Ok(()) } else { Err(reason.to_owned()) };
        must(!self.issuer.is_empty(), "`issuer` must not be empty")?;
        must(
            self.jwks.is_some() || can_be_asked(&self.issuer),
            "without `jwks`, `issuer` must begin with https://, or with http:// and be this machine",
        )?;
        must(
            self.jwks.as_ref().is_none_or(has_keys),
            "`jwks` must be an object whose `keys` are an array of at least one",
        )?;
        must(!self.audience.is_empty(), "`audience` must not be empty")?;
        must(!self.algorithms.is_empty(), "`algorithms` must name at least one")?;
        must(
            self.tenant.is_some() != self.tenant_claim.is_some(),
            "must have one of `tenant` and `tenant_claim`",
        )?;
        must(
            self.tenants.is_none() || self.tenant_claim.is_some(),
            "`tenants` are by the values of `tenant_claim`, which is missing",
        )?;
        let of_claim = self.tenants.iter().flat_map(BTreeMap::values);
        must(
            of_claim.chain(&self.tenant).all(|tenant| tenant.incarnation() == 0),
            "a tenant must be an account's name",
        )?;
        must(
            self.permissions_claim.is_some() || self.permissions_by_value.is_empty(),
            "`permissions_by_value` are by the values of `permissions_claim`, which is missing",
        )?;
        must(
            !self.permissions.is_empty() || !self.permissions_by_value.is_empty(),
            "nobody may do anything: set `permissions`, or `permissions_claim` and `permissions_by_value`",
        )?;
        let prefix_bytes = self.principal_prefix.as_ref().map(String::len);
        must(
            prefix_bytes.is_none_or(|bytes| (1..=MAX_PREFIX_BYTES).contains(&bytes)),
            &format!("`principal_prefix` must have 1 to {MAX_PREFIX_BYTES} bytes"),
        )?;
        must(
            (1..=MAX_RATE_PER_MINUTE).contains(&self.rate_per_minute),
            &format!("`rate_per_minute` must be 1 to {MAX_RATE_PER_MINUTE}"),
        )?;
        must(self.max_lifetime_seconds > 0, "`max_lifetime_seconds` must be at least 1")?;
        must(self.limits().is_some(), "`usd_per_day` and `usd_per_month` must be dollars")
    }

    /// Whether a subject of the one can be taken for one of the other: both reach a tenant, and a principal of the one may begin as
    /// the other's do. No prefix is one that everything begins with.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let (one, another) = (self.prefix(), other.prefix());
        (one.starts_with(another) || another.starts_with(one)) && self.meets(other)
    }

    /// Whether a tenant is reached by both.
    fn meets(&self, other: &Self) -> bool {
        match (self.reached(), other.reached()) {
            (Some(mine), Some(theirs)) => mine.iter().any(|tenant| theirs.contains(tenant)),
            _ => true,
        }
    }

    /// Returns the tenants its subjects may be of, `None` for any.
    fn reached(&self) -> Option<Vec<&TenantId>> {
        let listed = self.tenants.as_ref().map(|tenants| tenants.values().collect());
        self.tenant.as_ref().map(|only| vec![only]).or(listed)
    }
}

fn has_keys(jwks: &Value) -> bool {
    jwks.get("keys").and_then(Value::as_array).is_some_and(|keys| !keys.is_empty())
}

/// Whether an issuer's keys are asked for under this identifier: over TLS, or from this machine. The reader of keys parses it anew.
fn can_be_asked(issuer: &str) -> bool {
    let (is_secret, rest) = match (issuer.strip_prefix("https://"), issuer.strip_prefix("http://"))
    {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !authority.is_empty() && (is_secret || is_this_machine(authority))
}

fn is_this_machine(authority: &str) -> bool {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => authority,
    };
    // An IPv6 address stands in brackets.
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
