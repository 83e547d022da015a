//! Which guardrail Bedrock puts before a chat model. Compiled without the adapter too: settings are read by it.

use std::str::FromStr;

use thiserror::Error;

/// Longest id and version (Amazon Bedrock API Reference, "`GuardrailStreamConfiguration`": shorter in fact).
const MAX_ID_BYTES: usize = 64;
const MAX_VERSION_DIGITS: usize = 8;

/// A guardrail of the account and region the models are in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "bedrock"), allow(dead_code, reason = "read by the adapter"))]
pub struct Guardrail {
    /// Its id, not an ARN.
    pub(super) id: String,
    /// The number of a version, or `DRAFT`.
    pub(super) version: String,
}

/// A text names no guardrail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be `ID:VERSION`, the version a number or `DRAFT`")]
pub struct NotAGuardrail;

impl FromStr for Guardrail {
    type Err = NotAGuardrail;

    /// Parses `ID:VERSION`.
    fn from_str(raw: &str) -> Result<Self, NotAGuardrail> {
        let (id, version) = raw.split_once(':').ok_or(NotAGuardrail)?;
        let is_id = (1..=MAX_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_number = (1..=MAX_VERSION_DIGITS).contains(&version.len())
            && !version.starts_with('0')
            && version.bytes().all(|byte| byte.is_ascii_digit());
        if is_id && (is_number || version == "DRAFT") {
            Ok(Self { id: id.to_owned(), version: version.to_owned() })
        } else {
            Err(NotAGuardrail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guardrail_is_an_id_and_a_version() {
        let longest = format!("{}:{}", "x".repeat(MAX_ID_BYTES), "9".repeat(MAX_VERSION_DIGITS));
        for good in ["gr4il1d:1", "gr4il1d:DRAFT", &longest] {
            let Guardrail { id, version } = good.parse().unwrap();
            assert_eq!(format!("{id}:{version}"), good);
        }
        let too_long = [format!("x{longest}"), format!("{longest}9")];
        let arn = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/x:1";
        let bad =
            ["", "x", ":1", "x:", "x:0", "x:01", "x:draft", "X:1", "x y:1", "x:1:2", "*:1", arn];
        for bad in bad.into_iter().chain(too_long.iter().map(String::as_str)) {
            assert_eq!(bad.parse::<Guardrail>(), Err(NotAGuardrail), "{bad}");
        }
    }
}
