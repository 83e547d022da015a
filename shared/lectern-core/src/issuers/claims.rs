//! How claims are read.

use serde_json::{Map, Value};

use super::{MAX_SKEW, Refusal};
use crate::time::Timestamp;

/// Returns a claim: by name, or where the name begins with `/`, by JSON pointer (RFC 6901), as `/realm_access/roles`.
pub(super) fn of<'claims>(
    claims: &'claims Map<String, Value>,
    name: &str,
) -> Option<&'claims Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) =
        path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    rest.map_or(Some(value), |rest| value.pointer(&format!("/{rest}")))
}

/// Returns a claim that is a text, or an array of them.
pub(super) fn texts(claim: Option<&Value>) -> Option<Vec<&str>> {
    match claim? {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Returns the values of a claim that is an array of texts, or a text of values with spaces between them, as `scope` is
/// (RFC 8693, section 4.2).
pub(super) fn words(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        claim => texts(claim).unwrap_or_default(),
    }
}

/// Checks `exp`, which must be there, `nbf` and `iat` (RFC 7519, section 4.1), each with [`MAX_SKEW`].
pub(super) fn check_times(
    claims: &Map<String, Value>,
    now: Timestamp,
    max_lifetime_seconds: u64,
) -> Result<(), Refusal> {
    let expires = seconds(claims, "exp")?.ok_or(Refusal::Times)?;
    let (not_before, issued) = (seconds(claims, "nbf")?, seconds(claims, "iat")?);
    let (now, skew) = (now.as_millis() / 1_000, MAX_SKEW.as_secs());
    if now >= expires.saturating_add(skew) {
        return Err(Refusal::Expired);
    }
    let is_ahead = |time: Option<u64>| time.is_some_and(|time| time > now.saturating_add(skew));
    if is_ahead(not_before) || is_ahead(issued) {
        return Err(Refusal::NotYet);
    }
    let lives = expires.saturating_sub(issued.or(not_before).unwrap_or(now));
    if lives > max_lifetime_seconds.saturating_add(skew) {
        return Err(Refusal::LivesTooLong);
    }
    Ok(())
}

/// Returns a NumericDate in whole seconds. One of another form is no absent one: an `nbf` that cannot be read must not let
/// anybody in.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in bounds")]
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, Refusal> {
    const MAX_SECONDS: f64 = 1e12;
    let Some(value) = claims.get(name) else { return Ok(None) };
    if let Some(whole) = value.as_u64() {
        return Ok(Some(whole));
    }
    match value.as_f64() {
        Some(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(Some(seconds as u64)),
        _ => Err(Refusal::Times),
    }
}
